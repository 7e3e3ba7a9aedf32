"""One lean decoder for the Llama, Qwen2 and StarCoder2 families, in plain torch.

Query, key and value are one matmul, gate and up are one matmul, and grouped queries of one
row are laid out as rows of their key-value head, so that attention needs no copy of the cache.
Where `quant.forward` can compute the same in C, which takes less between the matmuls and half the
memory for keys and values, `Decoder.compiled` does so, and what is here is its oracle.
References: Llama 2 (arXiv 2307.09288), Qwen2 (2407.10671), StarCoder2 (2402.19173), rotary
embedding (2104.09864).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from engine.kvcache import BlockCache, KvCache
from quant.forward import ForwardPass, Layer, Shape, is_packed

if TYPE_CHECKING:
    from torch import Tensor

    from engine.config import DecoderConfig
    from engine.kvcache import Cache


class Norm(nn.Module):
    """RMSNorm, or LayerNorm where the weights bring a bias."""

    weight: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None, eps: float) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """x [rows, hidden] → the same shape."""
        shape = self.weight.shape
        if self.bias is None:
            return functional.rms_norm(x, shape, self.weight, self.eps)
        return functional.layer_norm(x, shape, self.weight, self.bias, self.eps)


class Rotary:
    """Rotary position angles, in float32 and with the checkpoint's own frequencies."""

    def __init__(self, config: DecoderConfig) -> None:
        half = torch.arange(0, config.head_dim, 2, dtype=torch.float32)
        self.frequency = config.rope_base ** (-half / config.head_dim)
        if config.rope_divisors:
            self.frequency /= torch.tensor(config.rope_divisors)
        self.scale, self.gain = config.rope_scale, config.rope_gain

    def at(self, start: int, rows: int) -> tuple[Tensor, Tensor]:
        """Cosines and sines of positions start … start + rows, [rows, 1, head_dim / 2] each.

        Computed for each pass, which costs microseconds, so that no table has to be as long as
        the longest context.
        """
        positions = torch.arange(start, start + rows, dtype=torch.float32) / self.scale
        angles = torch.outer(positions, self.frequency)[:, None]
        return angles.cos() * self.gain, angles.sin() * self.gain


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate the half-split pairs of x [rows, heads, head_dim] in float32."""
    left, right = x.float().chunk(2, dim=-1)
    turned = torch.cat([left * cos - right * sin, right * cos + left * sin], dim=-1)
    return turned.to(x.dtype)


class Attention(nn.Module):
    """Causal self-attention with grouped queries."""

    def __init__(self, config: DecoderConfig, qkv: nn.Module, out: nn.Module) -> None:
        super().__init__()
        self.qkv, self.out = qkv, out
        self.heads, self.kv_heads, self.head_dim = config.heads, config.kv_heads, config.head_dim

    def forward(self, x: Tensor, layer: int, step: Step) -> Tensor:
        """x [rows, hidden] → [rows, hidden]; writes the rows' keys and values to the cache."""
        rows, groups = x.shape[0], self.heads // self.kv_heads
        heads = self.qkv(x).view(rows, self.heads + 2 * self.kv_heads, self.head_dim)
        turned = rotate(heads[:, : self.heads + self.kv_heads], step.cos, step.sin)
        keys, values = step.cache.extend(
            layer,
            turned[:, self.heads :].transpose(0, 1),
            heads[:, self.heads + self.kv_heads :].transpose(0, 1),
        )
        queries = turned[:, : self.heads].view(rows, self.kv_heads, groups, self.head_dim)
        queries = queries.permute(1, 2, 0, 3).reshape(self.kv_heads, groups * rows, self.head_dim)
        mixed = functional.scaled_dot_product_attention(
            queries[None], keys[None], values[None], attn_mask=step.mask
        )[0]
        mixed = mixed.view(self.kv_heads, groups, rows, self.head_dim).permute(2, 0, 1, 3)
        attended: Tensor = self.out(mixed.reshape(rows, self.heads * self.head_dim))
        return attended


class SwiGlu(nn.Module):
    """down(silu(gate(x)) · up(x)); gate and up are one matmul."""

    def __init__(self, gate_up: nn.Module, down: nn.Module) -> None:
        super().__init__()
        self.gate_up, self.down = gate_up, down

    def forward(self, x: Tensor) -> Tensor:
        """x [rows, hidden] → the same shape."""
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        result: Tensor = self.down(functional.silu(gate).mul_(up))
        return result


class GeluMlp(nn.Module):
    """down(gelu(up(x))), with the tanh approximation."""

    def __init__(self, up: nn.Module, down: nn.Module) -> None:
        super().__init__()
        self.up, self.down = up, down

    def forward(self, x: Tensor) -> Tensor:
        """x [rows, hidden] → the same shape."""
        result: Tensor = self.down(functional.gelu(self.up(x), approximate="tanh"))
        return result


class Block(nn.Module):
    """One layer: attention and MLP, each behind a norm and beside a residual."""

    def __init__(
        self, attn_norm: Norm, attention: Attention, mlp_norm: Norm, mlp: nn.Module
    ) -> None:
        super().__init__()
        self.attn_norm, self.attention = attn_norm, attention
        self.mlp_norm, self.mlp = mlp_norm, mlp

    def forward(self, x: Tensor, layer: int, step: Step) -> Tensor:
        """x [rows, hidden] → the same shape."""
        x = x + self.attention(self.attn_norm(x), layer, step)
        mixed: Tensor = x + self.mlp(self.mlp_norm(x))
        return mixed


class Step:
    """What all layers of one forward pass share: positions, mask and cache."""

    def __init__(self, decoder: Decoder, rows: int, cache: KvCache) -> None:
        self.cache = cache
        self.cos, self.sin = decoder.rotary.at(cache.length, rows)
        self.mask = causal_mask(rows, cache.length, decoder.groups) if rows > 1 else None


def causal_mask(rows: int, past: int, groups: int) -> Tensor:
    """[groups * rows, past + rows], True where a query row may look; group-major rows."""
    ahead = torch.ones(rows, past + rows, dtype=torch.bool).tril(past)
    return ahead.repeat(groups, 1)


class Decoder(nn.Module):
    """Embedding, blocks, norm, head. Build one with `engine.load.build_decoder`."""

    note = ""
    """Message for the user about the model; empty for none."""

    def __init__(
        self,
        config: DecoderConfig,
        embedding: nn.Module,
        blocks: list[Block],
        norm: Norm,
        head: nn.Module,
    ) -> None:
        super().__init__()
        self.config = config
        self.vocab_size, self.context_length = config.vocab_size, config.context_length
        self.groups = config.heads // config.kv_heads
        self.rotary = Rotary(config)
        self.embedding, self.norm, self.head = embedding, norm, head
        self.blocks = nn.ModuleList(blocks)

    @cached_property
    def compiled(self) -> ForwardPass | None:
        """All of this in C, where every matrix is held in a layout that its kernels know."""
        layers = [layer for block in self.blocks if (layer := _compiled_layer(block))]
        if len(layers) < len(self.blocks) or not is_packed(self.head):
            return None
        config = self.config
        sizes = (config.heads, config.kv_heads, config.head_dim)
        shape = Shape(*sizes, config.norm_eps, config.rope_scale, config.rope_gain)
        return ForwardPass(shape, self.rotary.frequency, layers, self.norm, self.head)

    def new_cache(self, capacity: int) -> KvCache | BlockCache:
        """An empty cache with room for `capacity` positions."""
        capacity = min(capacity, self.context_length)
        if self.compiled:
            return BlockCache(self.config, capacity)
        return KvCache(self.config, capacity, torch.float32)

    @torch.inference_mode()
    def forward(
        self, tokens: Tensor, cache: Cache, last: int = 1, *, yields: bool = False
    ) -> Tensor:
        """See `engine.kvcache.CausalLM`."""
        assert isinstance(cache, KvCache | BlockCache)
        cache.reserve(len(tokens))
        x = self.embedding(tokens)
        if isinstance(cache, KvCache):
            logits = self.in_torch(x, cache, last)
        else:
            assert self.compiled
            keys, values = cache.keys, cache.values
            logits = self.compiled(x, cache.length, keys, values, last, yields=yields)
        cache.length += len(tokens)
        return logits

    def interrupt(self) -> None:
        """See `engine.kvcache.CausalLM`; what torch computes comes to its end."""
        if self.compiled:
            self.compiled.interrupt()

    def in_torch(self, x: Tensor, cache: KvCache, last: int) -> Tensor:
        """From embedded rows [n, hidden] to logits [last, vocab]: what `compiled` is to equal."""
        step = Step(self, len(x), cache)
        for layer, block in enumerate(self.blocks):
            x = block(x, layer, step)
        logits: Tensor = self.head(self.norm(x[-last:]))
        return logits


def _compiled_layer(block: nn.Module) -> Layer | None:
    """What the forward pass in C needs of one block; None if it cannot run it."""
    assert isinstance(block, Block)
    mlp = block.mlp
    assert isinstance(mlp, SwiGlu | GeluMlp)
    up = mlp.gate_up if isinstance(mlp, SwiGlu) else mlp.up
    qkv, out, down = block.attention.qkv, block.attention.out, mlp.down
    if is_packed(qkv) and is_packed(out) and is_packed(up) and is_packed(down):
        return Layer(block.attn_norm, block.mlp_norm, qkv, out, up, down)
    return None
