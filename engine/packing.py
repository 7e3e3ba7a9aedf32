"""The matrices of a checkpoint packed one by one, and a decoder put together from them."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import torch

from engine.decoder import Attention, Block, Decoder, GeluMlp, Norm, SwiGlu
from quant.formats import rows_of
from quant.packed import PackedLinear, StackedLinear

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gguf import GGMLQuantizationType
    from torch import Tensor, nn

    from engine.config import DecoderConfig
    from quant.formats import Format
    from quant.source import TensorSource

_EMBEDDING, _HEAD = "model.embed_tokens", "lm_head"
_MOST_PARTS = 3
"""Of a stack: query, key and value."""


def pack(
    config: DecoderConfig, source: TensorSource, fmt: Format, report: Callable[[int, int], None]
) -> Iterator[tuple[str, nn.Module]]:
    """Every module of a decoder with its name, in the order in which a forward pass needs them.

    Where one stack of matrices is held in several modules, those after the first are named NAME.1
    and so on. Holds one float32 matrix at a time. `report` is called with (layers done, layers in
    all).
    """
    packer = _Packer(config, source, fmt)
    for layer in range(config.layers):
        report(layer, config.layers + 1)
        yield from packer.block(layer)
    report(config.layers, config.layers + 1)
    yield "norm", packer.norm("model.norm")
    tied = f"{_HEAD}.weight" not in packer.names
    head = packer.linear(_EMBEDDING if tied else _HEAD)
    yield "head", head
    if not tied or rows_of(head) is None:
        yield "embedding", packer.embedding()
    report(config.layers + 1, config.layers + 1)


def assemble(config: DecoderConfig, modules: Mapping[str, nn.Module]) -> Decoder:
    """A decoder of the modules that `pack` named, wherever their tensors lie.

    A tied embedding looks its rows up in the head's bytes, where the format can.
    """
    table = modules.get("embedding", modules["head"])
    blocks = [_block(config, modules, layer) for layer in range(config.layers)]
    norm, head = _norm(modules["norm"]), modules["head"]
    return Decoder(config, rows_of(table) or table, blocks, norm, head).eval()


def _block(config: DecoderConfig, modules: Mapping[str, nn.Module], layer: int) -> Block:
    def part(name: str) -> nn.Module:
        whole = f"blocks.{layer}.{name}"
        names = [whole, *(f"{whole}.{number}" for number in range(1, _MOST_PARTS))]
        parts = [modules[name] for name in names if name in modules]
        return parts[0] if len(parts) == 1 else StackedLinear([_packed(part) for part in parts])

    attention = Attention(config, part("qkv"), part("out"))
    if config.activation == "swiglu":
        mlp: nn.Module = SwiGlu(part("gate_up"), part("down"))
    else:
        mlp = GeluMlp(part("up"), part("down"))
    return Block(_norm(part("attn_norm")), attention, _norm(part("mlp_norm")), mlp)


def _stacked(parts: list[Tensor]) -> Tensor:
    """One below the other; `torch.cat` would copy a single one, such as a head of a gigabyte."""
    return torch.cat(parts) if len(parts) > 1 else parts[0]


def _packed(module: nn.Module) -> PackedLinear:
    assert isinstance(module, PackedLinear)
    return module


def _norm(module: nn.Module) -> Norm:
    assert isinstance(module, Norm)
    return module


class _Packer:
    """Reads canonical tensors of one checkpoint and packs them in one format."""

    def __init__(self, config: DecoderConfig, source: TensorSource, fmt: Format) -> None:
        self.config, self.source, self.format = config, source, fmt
        self.names = set(source.names())

    def optional(self, name: str) -> Tensor | None:
        return self.source.load(name) if name in self.names else None

    def norm(self, name: str) -> Norm:
        bias = self.optional(f"{name}.bias")
        return Norm(self.source.load(f"{name}.weight"), bias, self.config.norm_eps)

    def kind(self, name: str) -> GGMLQuantizationType | None:
        """The type that a matrix must have in common with those it is stacked with, if any."""
        stored = self.source.stored(f"{name}.weight") if self.format.kept else None
        return stored.kind if stored else None

    def linear(self, *names: str) -> nn.Module:
        """One packed matrix of all the named ones, stacked along their outputs."""
        biases = [self.optional(f"{name}.bias") for name in names]
        given = [bias for bias in biases if bias is not None]
        assert len(given) in (0, len(names))
        bias = _stacked(given) if given else None
        kind = self.kind(names[0])
        if kind in self.format.kept:
            parts = [self.source.stored(f"{name}.weight") for name in names]
            raw = _stacked([part.raw for part in parts if part])
            return self.format.kept[kind].of_stored(raw, bias)
        weights = [self.source.load(f"{name}.weight") for name in names]
        return self.format.linear(_stacked(weights), bias)

    def stack(self, name: str, *parts: str) -> Iterator[tuple[str, nn.Module]]:
        """The module `name` of some matrices: one, or more where their types differ."""
        for number, (_, run) in enumerate(groupby(parts, self.kind)):
            yield f"{name}.{number}" if number else name, self.linear(*run)

    def embedding(self) -> nn.Module:
        """A matrix if the format can look rows up in one, else what it has for that."""
        table = self.linear(_EMBEDDING)
        if rows_of(table) is None:
            return self.format.embedding(self.source.load(f"{_EMBEDDING}.weight"))
        return table

    def block(self, layer: int) -> Iterator[tuple[str, nn.Module]]:
        at, name = f"model.layers.{layer}", f"blocks.{layer}"
        yield f"{name}.attn_norm", self.norm(f"{at}.input_layernorm")
        yield from self.stack(f"{name}.qkv", *(f"{at}.self_attn.{x}_proj" for x in "qkv"))
        yield f"{name}.out", self.linear(f"{at}.self_attn.o_proj")
        yield f"{name}.mlp_norm", self.norm(f"{at}.post_attention_layernorm")
        if self.config.activation == "swiglu":
            gate_up = (f"{at}.mlp.gate_proj", f"{at}.mlp.up_proj")
            yield from self.stack(f"{name}.gate_up", *gate_up)
            yield f"{name}.down", self.linear(f"{at}.mlp.down_proj")
        else:
            yield f"{name}.up", self.linear(f"{at}.mlp.c_fc")
            yield f"{name}.down", self.linear(f"{at}.mlp.c_proj")
