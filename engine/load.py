"""From a checkpoint on disk to a decoder in memory, matrix by matrix, packed as it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from engine.decoder import Attention, Block, Decoder, GeluMlp, Norm, SwiGlu
from quant.formats import rows_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from engine.config import DecoderConfig
    from quant.formats import Format
    from quant.source import TensorSource

_EMBEDDING = "model.embed_tokens.weight"


class _Builder:
    """Reads canonical tensors of one checkpoint and packs them in one format."""

    def __init__(self, config: DecoderConfig, source: TensorSource, fmt: Format) -> None:
        self.config, self.source, self.format = config, source, fmt
        self.names = set(source.names())

    def optional(self, name: str) -> Tensor | None:
        return self.source.load(name) if name in self.names else None

    def norm(self, name: str) -> Norm:
        bias = self.optional(f"{name}.bias")
        return Norm(self.source.load(f"{name}.weight"), bias, self.config.norm_eps)

    def linear(self, *names: str) -> nn.Module:
        """One packed matrix of all the named ones, stacked along their outputs."""
        weights = [self.source.load(f"{name}.weight") for name in names]
        biases = [self.optional(f"{name}.bias") for name in names]
        given = [bias for bias in biases if bias is not None]
        assert len(given) in (0, len(names))
        return self.format.linear(torch.cat(weights), torch.cat(given) if given else None)

    def block(self, layer: int) -> Block:
        at = f"model.layers.{layer}"
        qkv = self.linear(*(f"{at}.self_attn.{x}_proj" for x in "qkv"))
        attention = Attention(self.config, qkv, self.linear(f"{at}.self_attn.o_proj"))
        return Block(
            self.norm(f"{at}.input_layernorm"),
            attention,
            self.norm(f"{at}.post_attention_layernorm"),
            self.mlp(f"{at}.mlp"),
        )

    def mlp(self, at: str) -> nn.Module:
        if self.config.activation == "swiglu":
            gate_up = self.linear(f"{at}.gate_proj", f"{at}.up_proj")
            return SwiGlu(gate_up, self.linear(f"{at}.down_proj"))
        return GeluMlp(self.linear(f"{at}.c_fc"), self.linear(f"{at}.c_proj"))

    def embedding_and_head(self) -> tuple[nn.Module, nn.Module]:
        """A tied embedding looks its rows up in the head's bytes, where the format can."""
        tied = "lm_head.weight" not in self.names
        head = self.linear("model.embed_tokens" if tied else "lm_head")
        embedding = rows_of(head) if tied else None
        return embedding or self.format.embedding(self.source.load(_EMBEDDING)), head


def build_decoder(
    config: DecoderConfig, source: TensorSource, fmt: Format, report: Callable[[int, int], None]
) -> Decoder:
    """Read, pack and assemble; peak memory is the packed model and one float32 matrix.

    `report` is called with (layers done, layers in all).
    """
    build = _Builder(config, source, fmt)
    embedding, head = build.embedding_and_head()
    blocks = []
    for layer in range(config.layers):
        report(layer, config.layers + 1)
        blocks.append(build.block(layer))
    report(config.layers, config.layers + 1)
    decoder = Decoder(config, embedding, blocks, build.norm("model.norm"), head)
    report(config.layers + 1, config.layers + 1)
    return decoder.eval()
