"""What both kinds of tokenizer share: control tokens, and where a model's files name them."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from engine.errors import UnsupportedModel
from engine.tokenizers.prefix_index import PrefixIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

CONTROL_SHAPE = re.compile(r"<[^<>\[\]\s]+>|<\[[^<>\[\]\s]+\]>|\[[^<>\[\]\s]+\]")
"""How control tokens are written; sentencepiece puts a "▁" before some.

Publishers mark many of them as ordinary added tokens (all of Qwen's infilling ones), so the shape
decides too. The other added tokens are text, such as DeepSeek-Coder's single letters.
"""

FIM_PREFIX, FIM_SUFFIX, FIM_MIDDLE = _FIM_NAMES = ("fim prefix", "fim suffix", "fim middle")
"""Names of the tokens that a GGUF file's metadata name for infilling, whatever their texts are.
No control token is called so, for they have no spaces."""

_ENDS = (
    "</s>",
    "<|endoftext|>",
    "<|im_end|>",
    "<｜end▁of▁sentence｜>",
    "<|EOT|>",
    "▁<EOT>",
    "<step>",  # Code Llama 70B Instruct ends a turn with it
    "<|eot_id|>",
    "<|end_of_text|>",
)
"""Control tokens that end an answer in every model that has them."""


@dataclass(frozen=True, slots=True)
class Controls:
    """The control tokens of one model."""

    ids: Mapping[str, int]
    bos_token: str = ""
    eos_token: str = ""
    adds_bos: bool = False
    """Whether the family begins every text with its BOS."""
    ends: frozenset[int] = frozenset()
    """Ids that end an answer beside the eos token and the well-known ones."""


class Vocabulary(ABC):
    """Ids, what they write, the control tokens among them, and what was encoded lately."""

    def __init__(self, spelled: list[bytes], controls: Controls) -> None:
        """`spelled[id]` is what a token writes, b"" for control tokens."""
        self._spelled, self._controls = spelled, controls
        names = (controls.eos_token, *_ENDS)
        known = frozenset(controls.ids[name] for name in names if name in controls.ids)
        self.vocab_size = len(spelled)
        self.bos_token, self.eos_token = controls.bos_token, controls.eos_token
        self.bos_id = self.special(controls.bos_token) if controls.adds_bos else None
        self.eos_ids = known | controls.ends
        # A keystroke leaves the lines around its own unchanged, and they take milliseconds.
        self._remembered = lru_cache(maxsize=64)(self._ids)

    def encode(self, text: str) -> list[int]:
        """See `Tokenizer.encode`."""
        return list(self._remembered(text))

    @abstractmethod
    def _ids(self, text: str) -> tuple[int, ...]:
        """The ids of a text, in which nothing is a control token."""

    def special(self, text: str) -> int | None:
        """See `Tokenizer.special`."""
        return self._controls.ids.get(text)

    def token_bytes(self, token: int) -> bytes:
        """See `Tokenizer.token_bytes`."""
        return self._spelled[token] if 0 <= token < len(self._spelled) else b""

    @cached_property
    def spellings(self) -> PrefixIndex:
        """See `Tokenizer.spellings`."""
        return PrefixIndex(self)


def is_control(text: str, *, marked: bool) -> bool:
    """Whether an added token is a control token; `marked` is what the model's files say.

    They call DeepSeek-Coder's letters so too, but no control token is a single character.
    """
    # Hardly any of 150,000 tokens ends like one, which is soon told.
    shaped = text.endswith((">", "]")) and CONTROL_SHAPE.fullmatch(text.removeprefix("▁"))
    return bool(shaped) or (marked and len(text) > 1)


def column(metadata: Mapping[str, Any], name: str, default: list[Any] | None = None) -> list[Any]:
    """Return an array of a GGUF file's tokenizer; `default` where there is none.

    Raises:
        UnsupportedModel: There is none, or it is not as long as the others.
    """
    key = f"tokenizer.ggml.{name}"
    values = metadata.get(key, default)
    if not isinstance(values, list):
        raise UnsupportedModel(
            f"This model's file lacks a part of its tokenizer, {key}. Choose another file of it."
        )
    if default is not None and len(values) != len(default):
        raise UnsupportedModel(
            f"This model's file was made wrongly: {key} has {len(values)} values for "
            f"{len(default)} tokens. Choose another file of it."
        )
    return values


_NAMED = {
    "bos": ("bos_token_id",),
    "eos": ("eos_token_id",),
    "eot": ("eot_token_id",),
    FIM_PREFIX: ("fim_pre_token_id", "prefix_token_id"),
    FIM_SUFFIX: ("fim_suf_token_id", "suffix_token_id"),
    FIM_MIDDLE: ("fim_mid_token_id", "middle_token_id"),
}
"""Roles of tokens, with the GGUF keys that hold their ids: today's key, then an older one."""


def named_tokens(metadata: Mapping[str, Any]) -> dict[str, int]:
    """Return the ids that a GGUF file names: "bos", "eos", "eot" and those of `FIM_PREFIX` etc.

    An id that no token has counts for nothing, as in llama.cpp.
    """
    count = len(column(metadata, "tokens"))
    found: dict[str, int] = {}
    for name, keys in _NAMED.items():
        for key in keys:
            token = metadata.get(f"tokenizer.ggml.{key}")
            if isinstance(token, int) and not isinstance(token, bool) and 0 <= token < count:
                found.setdefault(name, token)
    return found


_MOST_IDS = 1 << 22
"""Most token ids: 16 times those of the largest vocabularies. A table of 2 ** 60 would not fit."""


def size_for(ids: Iterable[int]) -> int:
    """Return the length of a table that has a place for each of these ids.

    Raises:
        TypeError, ValueError: One of them is no id.
    """
    size = 0
    for token in ids:
        if not 0 <= token < _MOST_IDS:
            raise ValueError(f"a token has the id {token:.0f}")
        size = max(size, token + 1)
    return size


def gguf_controls(metadata: dict[str, Any], ids: Mapping[str, int], *, adds_bos: bool) -> Controls:
    """Controls of a GGUF file; `adds_bos` is what its kind of tokenizer does by default."""
    tokens, named = column(metadata, "tokens"), named_tokens(metadata)
    fim = {name: token for name, token in named.items() if name in _FIM_NAMES}
    return Controls(
        ids={**ids, **fim},
        bos_token=tokens[named["bos"]] if "bos" in named else "",
        eos_token=tokens[named["eos"]] if "eos" in named else "",
        adds_bos=bool(metadata.get("tokenizer.ggml.add_bos_token", adds_bos)),
        ends=frozenset(named[key] for key in ("eos", "eot") if key in named),
    )


def folder_controls(
    folder: Path, ids: Mapping[str, int], *, adds_bos: bool, bos: str = "", eos: str = ""
) -> Controls:
    """Controls of a checkpoint folder; what is given is for one whose configuration is silent."""
    config = read_config(folder, "tokenizer_config.json")
    ends = read_config(folder, "generation_config.json").get("eos_token_id") or []
    return Controls(
        ids=ids,
        bos_token=_name(config.get("bos_token", bos)),
        eos_token=_name(config.get("eos_token", eos)),
        adds_bos=config.get("add_bos_token", adds_bos),
        ends=frozenset(
            end for end in (ends if isinstance(ends, list) else [ends]) if isinstance(end, int)
        ),
    )


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """A JSON object beside the tokenizer; empty where the file is missing."""
    file = folder / name
    if not file.is_file():
        return {}
    config = json.loads(file.read_bytes())
    if not isinstance(config, dict):
        raise TypeError(f"{name} holds no JSON object")
    return config


def _name(token: str | dict[str, str] | None) -> str:
    """A token's name, which configurations write as a string or as an object."""
    return token["content"] if isinstance(token, dict) else token or ""
