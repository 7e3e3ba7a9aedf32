"""The shape of a decoder that is small enough to be made anew in any test."""

from __future__ import annotations

from engine.config import DecoderConfig

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
