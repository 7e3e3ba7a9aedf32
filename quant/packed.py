"""What the packed integer formats share: the module, its kernels in C, and its slow path.

A matrix is packed into panels of 16 output channels, made for reading once, front to back, and
may be memory-mapped at a multiple of 64. A panel is a sequence of blocks, one for 32 inputs or,
where a file's own factors are kept, for the 256 that share them. A group of 32 is 8 vectors of 64
numbers: byte 4 · channel + i of vector v belongs to number 4 v + i of the channel's group, so that
4 activations meet the weights of 16 channels in one vector. How many bits of a number lie where,
and the factors of the channels, are each format's own.

Activations are rounded to bytes with one scale for 32, row by row: a row's result does not depend
on its neighbours, so that a cached prefix equals a fresh one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import torch
from torch import nn
from torch.nn import functional

from quant.addresses import address, optional_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

try:
    from quant import _kernels
except ImportError:  # no compiler when Caret was installed
    KERNELS: list[str] = []
else:
    KERNELS = _kernels.variants()
"""The C kernels that run here, best first; without any, matrices are unpacked at every use."""

GROUP, PANEL = 32, 16


class PackedLinear(nn.Module):
    """x [rows, in] float32 → x · weightᵀ + bias [rows, out] float32."""

    kind: ClassVar[int]
    """What the C code knows the layout by: the bits of a number, or GGML's number of a type."""
    block: ClassVar[int]
    """Bytes of a block."""
    span: ClassVar[int] = 32
    """Inputs of a block."""

    packed: Tensor
    bias: Tensor | None

    def __init__(self, packed: Tensor, bias: Tensor | None, out: int, columns: int) -> None:
        """Hold `packed`, uint8 as `pack` makes it, and `bias` [out] float32.

        Raises:
            ValueError: They are of another size or number format.
        """
        super().__init__()
        self.out, self.columns = out, columns
        self.register_buffer("packed", packed)
        self.register_buffer("bias", None if bias is None else bias.contiguous())
        self.addresses()
        self.kernel = KERNELS[0] if KERNELS else None

    def addresses(self) -> tuple[int, int]:
        """Return the addresses of the packed bytes and of the bias, 0 without one.

        Raises:
            ValueError: They do not belong to a matrix of `out` and `columns`.
        """
        size = -(-self.out // PANEL) * -(-self.columns // self.span) * self.block
        if min(self.out, self.columns) < 1 or self.packed.numel() != size:
            shape = f"{self.out} outputs and {self.columns} inputs"
            raise ValueError(f"{self.packed.numel()} bytes are no packed matrix of {shape}")
        packed = address(self.packed, torch.uint8, *self.packed.shape)
        return packed, optional_address(self.bias, torch.float32, self.out)

    @classmethod
    def empty(cls, out: int, columns: int) -> Tensor:
        """Bytes to be packed into, uint8 [panels, blocks, block]."""
        return torch.empty(-(-out // PANEL), -(-columns // cls.span), cls.block, dtype=torch.uint8)

    @classmethod
    def unpack(cls, packed: Tensor, out: int, columns: int) -> Tensor:
        """Packed bytes as the weights that they stand for: float32 [out, columns]."""
        blocks = packed.view(-1, -(-columns // cls.span), cls.block)
        return cls.weights(blocks).view(len(blocks) * PANEL, -1)[:out, :columns].contiguous()

    @classmethod
    def weights(cls, blocks: Tensor) -> Tensor:
        """Bytes [panels, blocks, block] → float32 [panels, 16, groups, 32]."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """One pass over the packed bytes."""
        if self.kernel is None:
            return self.reference(x)
        x, y = x.contiguous(), torch.empty(len(x), self.out)
        packed, bias = self.addresses()
        _kernels.matmul(
            self.kernel,
            self.kind,
            packed,
            address(x, torch.float32, len(x), self.columns),
            bias,
            y.data_ptr(),
            len(x),
            self.columns,
            self.out,
            torch.get_num_threads(),
        )
        return y

    def rows(self, numbers: Tensor) -> Tensor:
        """The weights of some outputs: `numbers` int64 [n] → float32 [n, in]."""
        if self.kernel is None:
            return self.dequantized()[numbers]
        numbers, y = numbers.contiguous(), torch.empty(len(numbers), self.columns)
        at = address(numbers, torch.int64, len(numbers))
        packed, _ = self.addresses()
        shape = (self.out, self.columns)
        _kernels.rows(self.kind, packed, *shape, at, len(numbers), y.data_ptr())
        return y

    def reference(self, x: Tensor) -> Tensor:
        """The slow path: the same roundings, then a float matmul."""
        return functional.linear(round_rows(x), self.dequantized(), self.bias)

    def dequantized(self) -> Tensor:
        """The weights that are multiplied by, [out, in] float32."""
        return self.unpack(self.packed, self.out, self.columns)


class RoundedLinear(PackedLinear):
    """A layout that weights of any values are rounded to."""

    @classmethod
    def of(cls, weight: Tensor, bias: Tensor | None) -> Self:
        """Pack `weight` [out, in] float32."""
        return cls(cls.pack(weight), bias, *weight.shape)

    @classmethod
    def pack(cls, weight: Tensor) -> Tensor:
        """`weight` [out, in] float32 → uint8 [panels · groups · block]."""
        out, columns = weight.shape
        weight, packed = weight.contiguous(), cls.empty(out, columns).view(-1)
        at, threads = address(weight, torch.float32, out, columns), torch.get_num_threads()
        _kernels.pack(cls.kind, at, packed.data_ptr(), out, columns, threads)
        return packed


class StackedLinear(nn.Module):
    """Matrices of different layouts that multiply the same rows: outputs one behind the other."""

    def __init__(self, parts: Sequence[PackedLinear]) -> None:
        super().__init__()
        self.parts, self.out = nn.ModuleList(parts), sum(part.out for part in parts)

    def forward(self, x: Tensor) -> Tensor:
        """x [rows, in] float32 → [rows, out] float32."""
        return torch.cat([part(x) for part in self.parts], dim=1)


def round_rows(x: Tensor) -> Tensor:
    """`x` [rows, in] as the kernels see it: bytes with one scale for 32, in float32.

    Scales are powers of two, which cost the kernels nothing: up to a bit of the byte is lost.
    """
    groups = functional.pad(x, (0, -x.shape[1] % GROUP)).view(len(x), -1, GROUP)
    mantissa, exponent = torch.frexp(groups.abs().amax(dim=2, keepdim=True) / 127)
    exponent = exponent.sub_((mantissa == 0.5).int()).clamp_(-60, 60)
    scale = torch.ldexp(torch.ones_like(mantissa), exponent)
    return ((groups / scale).round_() * scale).view(len(x), -1)[:, : x.shape[1]]


def in_order(vectors: Tensor) -> Tensor:
    """Unpacked bytes [panels, groups, 8, 64] → [panels, 16, groups, 32], channel by channel."""
    panels, groups, _, _ = vectors.shape
    words = vectors.view(panels, groups, 8, PANEL, 4).permute(0, 3, 1, 2, 4)
    return words.reshape(panels, PANEL, groups, GROUP)


def factors(blocks: Tensor, at: int, count: int) -> Tensor:
    """Float16 factors at byte `at` of each block → float32 [count, panels, 16, groups, 1]."""
    halves = blocks[:, :, at : at + 2 * PANEL * count].contiguous().view(torch.float16)
    return halves.view(*blocks.shape[:2], count, PANEL).permute(2, 0, 3, 1).float()[..., None]


class Rows(nn.Module):
    """Token ids int64 [n] → rows [n, in] of a packed matrix, which may be the head too."""

    def __init__(self, matrix: PackedLinear) -> None:
        super().__init__()
        self.matrix = matrix

    def forward(self, tokens: Tensor) -> Tensor:
        """Unpack the rows."""
        return self.matrix.rows(tokens)
