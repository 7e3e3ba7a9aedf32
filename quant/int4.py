"""4-bit weights with a scale and a minimum for 32, 8-bit activations with a scale for 32.

A weight is scale · number + minimum with a number of 0..15, as in GGUF's Q4_1; Q4_0 and Q4_K are
grids of the same form, and their weights keep their numbers when they come here as floats. Both
factors are float16: 5 bits a weight.

The packed bytes are made for reading once, front to back, and may be memory-mapped. 16 output
channels make a panel; a panel is a sequence of blocks of 320 bytes, one for 32 inputs: 4 chunks of
64 bytes, then 16 scales, then 16 minima. In chunk c, byte 4 · channel + i holds number 4 c + i
of the channel's group in its low half and number 16 + 4 c + i in the high one, so that 4
activations meet the weights of 16 channels in one vector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

try:
    from quant import _kernels
except ImportError:  # no compiler when Caret was installed
    KERNELS: list[str] = []
else:
    KERNELS = _kernels.variants()
"""The C kernels that run here, best first; without any, matrices are unpacked at every use."""

GROUP, _PANEL, _LEVELS = 32, 16, 15
_NUMBERS, _BLOCK = 256, 320
"""Bytes of the numbers in a block, and of a block."""
_ON_GRID = 0.01
"""A group lies on a grid if no weight is further from it, in steps; rounding in float16, by which
files store their scales and we ours, moves weights by less."""
_CHUNK = 1 << 15
"""Groups packed at a time: 4 MiB of weights, whose temporaries stay in a cache."""


class Int4Linear(nn.Module):
    """x [rows, in] float32 → x · weightᵀ + bias [rows, out] float32."""

    kind = 4
    """What the C code knows the layout by."""

    packed: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        """Pack `weight` [out, in] float32; `bias` [out] stays float32."""
        super().__init__()
        self.out, self.columns = weight.shape
        self.register_buffer("packed", pack(weight))
        self.register_buffer("bias", None if bias is None else bias.contiguous())
        self.kernel = KERNELS[0] if KERNELS else None

    def forward(self, x: Tensor) -> Tensor:
        """One pass over the packed bytes."""
        if self.kernel is None:
            return self.reference(x)
        x, y = x.contiguous(), torch.empty(len(x), self.out)
        assert x.dtype == torch.float32
        assert x.shape[1] == self.columns
        _kernels.matmul(
            self.kernel,
            self.kind,
            self.packed.data_ptr(),
            x.data_ptr(),
            0 if self.bias is None else self.bias.data_ptr(),
            y.data_ptr(),
            len(x),
            self.columns,
            self.out,
            torch.get_num_threads(),
        )
        return y

    def reference(self, x: Tensor) -> Tensor:
        """The slow path: the same roundings, then a float matmul."""
        return functional.linear(round_rows(x), self.dequantized(), self.bias)

    def dequantized(self) -> Tensor:
        """The weights that are multiplied by, [out, in] float32."""
        return unpack(self.packed, self.out, self.columns)


def round_rows(x: Tensor) -> Tensor:
    """`x` [rows, in] as the kernels see it: bytes with one scale for 32, in float32."""
    groups = functional.pad(x, (0, -x.shape[1] % GROUP)).view(len(x), -1, GROUP)
    largest = groups.abs().amax(dim=2, keepdim=True)
    most = torch.tensor(127.0)  # a number here would be multiplied by the reciprocal
    inverse = (most / largest).masked_fill_(largest == 0, 0)
    return ((groups * inverse).round_() * (largest / 127)).view(len(x), -1)[:, : x.shape[1]]


def pack(weight: Tensor) -> Tensor:
    """`weight` [out, in] float32 → uint8 [panels · groups · 320]."""
    if not KERNELS:
        return pack_reference(weight)
    out, columns = weight.shape
    weight, packed = weight.contiguous(), _empty(out, columns).view(-1)
    assert weight.dtype == torch.float32
    threads = torch.get_num_threads()
    _kernels.pack(weight.data_ptr(), packed.data_ptr(), out, columns, threads)
    return packed


def _empty(out: int, columns: int) -> Tensor:
    return torch.empty(-(-out // _PANEL), -(-columns // GROUP), _BLOCK, dtype=torch.uint8)


def pack_reference(weight: Tensor) -> Tensor:
    """The same bytes, slowly."""
    packed, columns = _empty(*weight.shape), weight.shape[1]
    count = max(1, _CHUNK // (_PANEL * packed.shape[1]))
    for target, rows in zip(
        torch.split(packed, count), torch.split(weight, count * _PANEL), strict=True
    ):
        if columns % GROUP:  # the last weight again: it widens no group's range
            rows = functional.pad(rows[None], (0, -columns % GROUP), mode="replicate")[0]
        _write_panels(functional.pad(rows, (0, 0, 0, -len(rows) % _PANEL)), target)
    return packed.view(-1)


def _write_panels(weight: Tensor, target: Tensor) -> None:
    """`weight` [panels · 16, groups · 32] → `target` [panels, groups, 320]."""
    panels, groups, _ = target.shape
    numbers, scales, minima = _fit(weight.reshape(-1, GROUP))
    halves = numbers.view(panels, _PANEL, groups, 2, GROUP // 2)
    pairs = halves[:, :, :, 1].bitwise_left_shift(4).bitwise_or_(halves[:, :, :, 0])
    words = pairs.view(torch.int32)  # 4 numbers of a channel stay together
    target[:, :, :_NUMBERS].view(torch.int32).view(panels, groups, 4, _PANEL).copy_(
        words.permute(0, 2, 3, 1)
    )
    factors = torch.stack([scales, minima]).view(2, panels, _PANEL, groups)
    target[:, :, _NUMBERS:].view(torch.float16).view(panels, groups, 2, _PANEL).copy_(
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
    inverse = (1 / scales.float()).masked_fill_(scales == 0, 0)
    numbers = (weight - minima.float()[:, None]).mul_(inverse[:, None]).add_(0.5).floor_()
    return numbers.clamp_(0, _LEVELS).to(torch.uint8), scales, minima


def unpack(packed: Tensor, out: int, columns: int) -> Tensor:
    """The inverse of `pack`: float32 [out, columns]."""
    blocks = packed.view(-(-out // _PANEL), -(-columns // GROUP), _BLOCK)
    pairs = blocks[:, :, :_NUMBERS].view(*blocks.shape[:2], 4, _PANEL, 4)
    numbers = torch.stack([pairs & 15, pairs >> 4], dim=2).permute(0, 4, 1, 2, 3, 5)
    factors = blocks[:, :, _NUMBERS:].view(torch.float16).view(*blocks.shape[:2], 2, _PANEL)
    scales, minima = factors.permute(2, 0, 3, 1).float()[..., None]
    groups = numbers.reshape(*scales.shape[:3], GROUP).float()
    weight = groups.mul_(scales).add_(minima).view(len(blocks) * _PANEL, -1)
    return weight[:out, :columns].contiguous()
