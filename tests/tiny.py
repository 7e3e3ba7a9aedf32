"""The shape of a decoder that is small enough to be made anew in any test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from engine.config import DecoderConfig

if TYPE_CHECKING:
    from collections.abc import Collection

    from torch import Tensor

CONFIG = DecoderConfig(
    architecture="llama",
    vocab_size=50,
    hidden_size=32,
    intermediate_size=48,
    layers=2,
    heads=4,
    kv_heads=2,
    head_dim=8,
    context_length=512,
    rope_base=1e4,
    rope_scale=1.0,
    norm="rms",
    norm_eps=1e-6,
    activation="swiglu",
    qkv_bias=False,
    out_bias=False,
    mlp_bias=False,
    tied_embeddings=True,
)


class RandomSource:
    """A `TensorSource` of seeded weights for a decoder like `CONFIG`; counts what is read of it.

    They are so large that what is chosen changes with what stands before; smaller ones would write
    the same token for ever, and hide mistakes.
    """

    def __init__(self, config: DecoderConfig = CONFIG, *, tied: bool = True) -> None:
        self.loads = 0
        shapes = _shapes(config)
        if not tied:
            shapes["lm_head.weight"] = shapes["model.embed_tokens.weight"]
        draw = torch.Generator().manual_seed(0)
        self._tensors = {
            name: torch.randn(shape, generator=draw) / 3 if len(shape) > 1 else torch.ones(shape)
            for name, shape in shapes.items()
        }
        self.nbytes = sum(tensor.nbytes for tensor in self._tensors.values())

    def names(self) -> Collection[str]:
        return self._tensors.keys()

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._tensors[name].shape)

    def load(self, name: str) -> Tensor:
        self.loads += 1
        return self._tensors[name].clone()

    def stored(self, name: str) -> None:
        pass


def _shapes(config: DecoderConfig) -> dict[str, tuple[int, ...]]:
    hidden, inner = config.hidden_size, config.intermediate_size
    keys = config.kv_heads * config.head_dim
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (config.vocab_size, hidden),
        "model.norm.weight": (hidden,),
    }
    for layer in range(config.layers):
        shapes |= {
            f"model.layers.{layer}.{name}.weight": shape
            for name, shape in {
                "input_layernorm": (hidden,),
                "self_attn.q_proj": (hidden, hidden),
                "self_attn.k_proj": (keys, hidden),
                "self_attn.v_proj": (keys, hidden),
                "self_attn.o_proj": (hidden, hidden),
                "post_attention_layernorm": (hidden,),
                "mlp.gate_proj": (inner, hidden),
                "mlp.up_proj": (inner, hidden),
                "mlp.down_proj": (hidden, inner),
            }.items()
        }
    return shapes
