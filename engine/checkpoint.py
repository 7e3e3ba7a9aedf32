"""Opens a model on disk, GGUF or safetensors alike, under one set of tensor names.

The canonical names are Hugging Face's. llama.cpp names tensors otherwise, and reorders the rows
of Llama's queries and keys for its interleaved rotary embedding; both are undone here.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engine.config import ROPE_DIVISORS, DecoderConfig, lacking
from engine.errors import ModelDamaged, ModelMissing, UnsupportedModel
from quant.gguf import GGUFFile
from quant.safetensors import INDEX, SINGLE, SafetensorsFolder
from quant.source import DamagedFile, UnsupportedFile, read_json

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from torch import Tensor

    from quant.source import Stored, TensorSource

_PARTS_OF_FOLDERS = (".safetensors", ".bin", ".pt", ".pth", ".json")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model on disk, opened; no weight is read yet."""

    path: Path
    """The GGUF file, or the folder of safetensors."""
    config: DecoderConfig | None
    """None: only transformers can run it."""
    hf_config: dict[str, Any] | None
    """The object in config.json; None for GGUF."""
    source: TensorSource
    """With a `config`: exactly the decoder's tensors, under canonical names, shapes checked."""
    chat_template: str | None
    """Jinja source of how the model's authors format a conversation."""
    metadata: dict[str, Any] | None = None
    """What a GGUF file says of itself, its tokenizer included; None for a folder."""

    @property
    def origin(self) -> str:
        """The names of the model in its files, and the kind of its tokenizer, as one text."""
        said, own = self.metadata or {}, self.hf_config or {}
        keys = ("general.name", "general.basename", "tokenizer.ggml.pre")
        names = [*(said.get(key) for key in keys), own.get("_name_or_path"), self.path.name]
        return " ".join(str(name) for name in names if name)


def open_checkpoint(path: Path) -> Checkpoint:
    """Open a GGUF file, a folder of config.json and safetensors, or a folder of one GGUF file.

    Raises:
        ModelMissing: There is no such file, or no model in the folder.
        ModelDamaged: Truncated, or contradicting itself.
        UnsupportedModel: A version, format or architecture that Caret cannot run.
    """
    with _explained(path):
        if not path.exists():
            raise ModelMissing(f"{path} does not exist. Check the path.")
        if path.suffix in _PARTS_OF_FOLDERS:
            raise UnsupportedModel(f"{path} is a part of a model. Name its folder instead.")
        if path.is_file():
            return _open_gguf(path)
        if (path / "config.json").is_file() and _has_safetensors(path):
            return _open_folder(path)
        return _open_gguf(_only_gguf(path))


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Errors of reading, as errors that say what to do."""
    try:
        yield
    except DamagedFile as error:
        raise ModelDamaged(f"{error}. Download the model again.") from error
    except UnsupportedFile as error:
        raise UnsupportedModel(f"{error}. Choose another file of this model.") from error
    except OSError as error:
        reason = error.strerror or error
        raise ModelMissing(f"{path} cannot be read: {reason}. Check the path.") from error


def _has_safetensors(folder: Path) -> bool:
    return (folder / SINGLE).is_file() or (folder / INDEX).is_file()


def _only_gguf(folder: Path) -> Path:
    """The one GGUF file in a folder without safetensors."""
    found = sorted(folder.glob("*.gguf"))
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(file.name for file in found)
        raise UnsupportedModel(f"{folder} holds several GGUF files: {names}. Name one of them.")
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt*")):
        raise UnsupportedModel(
            f"{folder} holds its weights as pickles, which can run code when they are loaded. "
            "Get the model in safetensors or GGUF."
        )
    raise ModelMissing(
        f"{folder} holds no model: neither config.json with {SINGLE} nor a GGUF file. "
        "Check the path."
    )


def _open_folder(folder: Path) -> Checkpoint:
    hf_config = read_json(folder / "config.json")
    source: TensorSource = SafetensorsFolder.open(folder)
    config = DecoderConfig.from_hf(hf_config)
    if config is None:
        _check_layers(folder, hf_config, source)
    else:
        config = replace(config, tied_embeddings=_is_tied(config, source))
        own = (replace(part, stored=part.name, heads=0) for part in _parts(config))
        source = _Canonical(folder, source, own)
    return Checkpoint(folder, config, hf_config, source, _chat_template(folder))


def _is_tied(config: DecoderConfig, source: TensorSource) -> bool:
    """Return whether the head shares the embedding, as the tensors show it.

    Fine-tuned models may lack the head that their configuration asks for, or have one of their own
    though it says "tied": as in transformers, that one counts if it differs.
    """
    table, head = "model.embed_tokens.weight", "lm_head.weight"
    if head not in source.names() or table not in source.names():
        return True
    return config.tied_embeddings and source.load(head).equal(source.load(table))


def _check_layers(folder: Path, hf_config: dict[str, Any], source: TensorSource) -> None:
    """Refuse an impossible number of layers, which transformers would build one by one."""
    layers = hf_config.get("num_hidden_layers")
    if isinstance(layers, int) and layers > len(source.names()):
        raise ModelDamaged(
            f"{folder / 'config.json'} says {layers} layers, and there are {len(source.names())} "
            "tensors. Compare it with its publisher's."
        )


def _open_gguf(path: Path) -> Checkpoint:
    file = GGUFFile.open(path)
    if file.metadata.get("split.count", 0) not in (0, 1):  # 0 after joining
        raise UnsupportedModel(
            f"{path} is one of several parts. Join them with `llama-gguf-split --merge` first."
        )
    shapes = {name: file.shape(name) for name in file.names()}
    divisors = tuple(file.load(ROPE_DIVISORS).flatten().tolist()) if ROPE_DIVISORS in shapes else ()
    config = DecoderConfig.from_gguf(file.metadata, shapes, divisors)
    tensors = _Canonical(path, file, _parts(config))
    if unused := shapes.keys() - {part.stored for part in _parts(config)} - {ROPE_DIVISORS}:
        raise lacking(f"a tensor {min(unused)}")
    template = file.metadata.get("tokenizer.chat_template")
    template = template if isinstance(template, str) else None
    return Checkpoint(path, config, None, tensors, template, file.metadata)


def _chat_template(folder: Path) -> str | None:
    """From a file of its own as newer models have it, else from the tokenizer's settings."""
    own, settings = folder / "chat_template.jinja", folder / "tokenizer_config.json"
    if own.is_file():
        return own.read_text("utf-8", errors="replace")
    template = read_json(settings).get("chat_template") if settings.is_file() else None
    if isinstance(template, list):  # of named ones, as Cohere's models have
        named = (each for each in template if isinstance(each, dict))
        template = {str(each.get("name")): each.get("template") for each in named}.get("default")
    return template if isinstance(template, str) else None


@dataclass(frozen=True, slots=True)
class _Part:
    """One tensor of a decoder, and how a file stores it."""

    name: str
    """Canonical."""
    stored: str
    """The file's own name."""
    shape: tuple[int, ...]
    heads: int = 0
    """Set where llama.cpp has interleaved the rows of each of so many heads."""


def _parts(config: DecoderConfig) -> Iterator[_Part]:
    """Every tensor of the decoder, as llama.cpp stores it."""
    table = (config.vocab_size, config.hidden_size)
    yield _Part("model.embed_tokens.weight", "token_embd.weight", table)
    if not config.tied_embeddings:
        yield _Part("lm_head.weight", "output.weight", table)
    yield from _with_bias(config.norm == "layer", "model.norm", "output_norm", table[1:])
    for layer in range(config.layers):
        for bias, name, stored, shape, heads in _layer(config):
            yield from _with_bias(
                bias, f"model.layers.{layer}.{name}", f"blk.{layer}.{stored}", shape, heads
            )


def _with_bias(
    bias: bool, name: str, stored: str, shape: tuple[int, ...], heads: int = 0
) -> Iterator[_Part]:
    yield _Part(f"{name}.weight", f"{stored}.weight", shape, heads)
    if bias:
        yield _Part(f"{name}.bias", f"{stored}.bias", shape[:1], heads)


def _layer(config: DecoderConfig) -> list[tuple[bool, str, str, tuple[int, ...], int]]:
    """One layer's modules: has a bias?, canonical name, llama.cpp's, shape, interleaved heads."""
    hidden, inner = config.hidden_size, config.intermediate_size
    queries, keys = config.heads * config.head_dim, config.kv_heads * config.head_dim
    norm, qkv, mlp = config.norm == "layer", config.qkv_bias, config.mlp_bias
    turned = config.architecture == "llama"
    attention = [
        (norm, "input_layernorm", "attn_norm", (hidden,), 0),
        (qkv, "self_attn.q_proj", "attn_q", (queries, hidden), turned * config.heads),
        (qkv, "self_attn.k_proj", "attn_k", (keys, hidden), turned * config.kv_heads),
        (qkv, "self_attn.v_proj", "attn_v", (keys, hidden), 0),
        (config.out_bias, "self_attn.o_proj", "attn_output", (hidden, queries), 0),
        (norm, "post_attention_layernorm", "ffn_norm", (hidden,), 0),
    ]
    if config.activation == "swiglu":
        return [
            *attention,
            (mlp, "mlp.gate_proj", "ffn_gate", (inner, hidden), 0),
            (mlp, "mlp.up_proj", "ffn_up", (inner, hidden), 0),
            (mlp, "mlp.down_proj", "ffn_down", (hidden, inner), 0),
        ]
    return [
        *attention,
        (mlp, "mlp.c_fc", "ffn_up", (inner, hidden), 0),
        (mlp, "mlp.c_proj", "ffn_down", (hidden, inner), 0),
    ]


class _Canonical:
    """A `TensorSource` of exactly the given parts of another one."""

    def __init__(self, path: Path, source: TensorSource, parts: Iterable[_Part]) -> None:
        self._path, self._source = path, source
        # Part by part, so that a false number of layers ends at the first that is not there.
        self._parts = {part.name: _checked(path, source, part) for part in parts}

    @property
    def nbytes(self) -> int:
        """Bytes that the tensors take on disk."""
        return self._source.nbytes

    def names(self) -> Collection[str]:
        """Canonical names of the decoder's tensors; no lm_head.weight where it is tied."""
        return self._parts.keys()

    def shape(self, name: str) -> tuple[int, ...]:
        """The tensor's shape, [out, in] for matrices."""
        return self._parts[name].shape

    def load(self, name: str) -> Tensor:
        """The tensor as float32; see `TensorSource.load`. Raises errors of `engine.errors`."""
        part = self._parts[name]
        with _explained(self._path):
            tensor = self._source.load(part.stored)
        return _half_split(tensor, part.heads) if part.heads else tensor

    def stored(self, name: str) -> Stored | None:
        """As the file holds it, its rows in the canonical order; see `TensorSource.stored`."""
        part = self._parts[name]
        found = self._source.stored(part.stored)
        if found is None or not part.heads:
            return found
        return replace(found, raw=_half_split(found.raw, part.heads))


def _checked(path: Path, source: TensorSource, part: _Part) -> _Part:
    if part.stored not in source.names():
        raise ModelDamaged(
            f"{path} lacks the tensor {part.stored}, which its configuration asks for: one of them "
            "is not as published. Download the model again, or choose another file of it."
        )
    shape = source.shape(part.stored)
    if shape != part.shape:
        raise ModelDamaged(
            f"{path} has a tensor {part.stored} of shape {shape}, and its configuration asks for "
            f"{part.shape}. Download the model again."
        )
    return part


def _half_split(rows: Tensor, heads: int) -> Tensor:
    """Undo llama.cpp's order of the rows of Llama's queries or keys, weights or biases.

    Its rotary embedding turns neighbouring elements of a head, Hugging Face's element i with
    element i + head_dim / 2; the converter (`LlamaModel.permute` in convert_hf_to_gguf.py)
    therefore stores the rows 0, d/2, 1, d/2 + 1, ...
    """
    pairs = rows.view(heads, rows.shape[0] // heads // 2, 2, -1)
    return pairs.transpose(1, 2).reshape(rows.shape)
