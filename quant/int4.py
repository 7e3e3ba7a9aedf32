"""4-bit weights with a scale and a minimum for 32.

A weight is scale · number + minimum with a number of 0..15, as in GGUF's Q4_1; Q4_0 and Q4_K are
grids of the same form, and their weights keep their numbers when they come here as floats. Both
factors are float16: 5 bits a weight.

A block has 320 bytes: 4 chunks of 64, chunk c with vector c in its low and vector 4 + c in its high
half-bytes, then 16 scales, then 16 minima.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from quant.packed import GROUP, KERNELS, PANEL, RoundedLinear, factors, in_order

_LEVELS, _NUMBERS = 15, 256
_ON_GRID = 0.01
"""A group lies on a grid if no weight is further from it, in steps; rounding in float16, by which
files store their scales and we ours, moves weights by less."""
_LEAST = 2**-24
"""Stands in for a scale of 0, to whose bits the kernels could not add an exponent."""
_CHUNK = 1 << 15
"""Groups packed at a time: 4 MiB of weights, whose temporaries stay in a cache."""


class Int4Linear(RoundedLinear):
    """5 bits a weight."""

    kind, block = 4, 320

    @classmethod
    def pack(cls, weight: Tensor) -> Tensor:
        """As for all, and without kernels too."""
        return super().pack(weight) if KERNELS else pack_reference(weight)

    @classmethod
    def weights(cls, blocks: Tensor) -> Tensor:
        """Number, scale and minimum."""
        scales, minima = factors(blocks, _NUMBERS, 2)
        return in_order(half_bytes(blocks)).float().mul_(scales).add_(minima)


def half_bytes(blocks: Tensor) -> Tensor:
    """The first 256 bytes of each block → uint8 [panels, groups, 8, 64] below 16."""
    chunks = blocks[:, :, :_NUMBERS].view(*blocks.shape[:2], 4, 64)
    return torch.cat([chunks & 15, chunks >> 4], dim=2)


def pack_reference(weight: Tensor) -> Tensor:
    """The same bytes, slowly."""
    packed, columns = Int4Linear.empty(*weight.shape), weight.shape[1]
    count = max(1, _CHUNK // (PANEL * packed.shape[1]))
    for target, rows in zip(
        torch.split(packed, count), torch.split(weight, count * PANEL), strict=True
    ):
        if columns % GROUP:  # the last weight again: it widens no group's range
            rows = functional.pad(rows[None], (0, -columns % GROUP), mode="replicate")[0]
        _write_panels(functional.pad(rows, (0, 0, 0, -len(rows) % PANEL)), target)
    return packed.view(-1)


def _write_panels(weight: Tensor, target: Tensor) -> None:
    """`weight` [panels · 16, groups · 32] → `target` [panels, groups, 320]."""
    panels, groups, _ = target.shape
    numbers, scales, minima = _fit(weight.reshape(-1, GROUP))
    halves = numbers.view(panels, PANEL, groups, 2, GROUP // 2)
    pairs = halves[:, :, :, 1].bitwise_left_shift(4).bitwise_or_(halves[:, :, :, 0])
    words = pairs.view(torch.int32)  # 4 numbers of a channel stay together
    target[:, :, :_NUMBERS].view(torch.int32).view(panels, groups, 4, PANEL).copy_(
        words.permute(0, 2, 3, 1)
    )
    factors = torch.stack([scales, minima]).view(2, panels, PANEL, groups)
    target[:, :, _NUMBERS:].view(torch.float16).view(panels, groups, 2, PANEL).copy_(
        factors.permute(1, 3, 0, 2)
    )


def _fit(weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Numbers uint8, scales and minima float16 [groups] of `weight` [groups, 32].

    From the smallest to the largest weight there are 15 steps, or as few as make all the others
    fall on steps too: a group that was 4-bit before need not use the ends of its grid.
    """
    low, high = torch.aminmax(weight, dim=1)
    offset, span = weight - low[:, None], high - low
    steps = torch.full_like(span, _LEVELS)
    open_, position = torch.arange(len(span)), offset / span[:, None]
    for levels in range(_LEVELS, 1, -1):
        scaled = position * levels
        off = scaled.sub_(scaled.add(0.5).floor_()).abs_().amax(dim=1) > _ON_GRID
        steps[open_[~off]] = levels
        open_, position = open_[off], position[off]
    steps[open_] = _LEVELS
    scales, minima = (span / steps).half(), low.half()
    scales.masked_fill_(scales == 0, _LEAST)
    inverse = 1 / scales.float()
    numbers = (weight - minima.float()[:, None]).mul_(inverse[:, None]).add_(0.5).floor_()
    return numbers.clamp_(0, _LEVELS).to(torch.uint8), scales, minima
