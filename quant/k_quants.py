"""GGUF's Q4_K and Q6_K as their files hold them: the same numbers and factors, interleaved.

256 weights of a row share a float16 scale, and in Q4_K a float16 minimum; each group of 32 has
factors of 6 bits by which these are multiplied, in Q6_K each 16 weights a signed byte. Nothing is
rounded: the weights equal the file's to the last bit of a float32, at 4.5 and 6.5625 bits each,
where float16 factors for each group would cost 5 and 7.

A block is 16 channels by 256 inputs. Q4_K's 2304 bytes: 16 scales; 16 minima, negative; 24 bytes
for each group, of which byte c has channel c's scale below the low 2 bits of its minimum, and byte
16 + i the minima's high 4 bits of channels i and 8 + i; then the groups' numbers as in `int4`.
Q6_K's 3360 bytes: 16 scales; 32 bytes for each group, its first 16 inputs' factors and the others';
then the groups' numbers as in `int6`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import torch
from gguf import GGMLQuantizationType

from quant.addresses import address
from quant.int4 import half_bytes
from quant.int6 import six_bits
from quant.packed import GROUP, KERNELS, PANEL, PackedLinear, in_order

if TYPE_CHECKING:
    from torch import Tensor

if KERNELS:
    from quant import _kernels

_GROUPS, _HALF = 8, GROUP // 2
_ZERO = 32
"""The number of Q6_K that stands for 0."""


class KQuantLinear(PackedLinear):
    """A matrix of one of GGUF's types with 256 weights in a block."""

    span = _GROUPS * GROUP
    stored: ClassVar[int]
    """Bytes of a block in the file."""

    @classmethod
    def of_stored(cls, raw: Tensor, bias: Tensor | None) -> Self:
        """Interleave `raw`, uint8 [out, bytes of a row] as a file has it."""
        raw, out, blocks = raw.contiguous(), len(raw), raw.shape[1] // cls.stored
        at, columns = address(raw, torch.uint8, out, blocks * cls.stored), blocks * cls.span
        packed, threads = cls.empty(out, columns).view(-1), torch.get_num_threads()
        _kernels.interleave(cls.kind, at, packed.data_ptr(), out, columns, threads)
        return cls(packed, bias, out, columns)


class Q4KLinear(KQuantLinear):
    """4.5 bits a weight."""

    kind, block, stored = GGMLQuantizationType.Q4_K.value, 2304, 144

    @classmethod
    def weights(cls, blocks: Tensor) -> Tensor:
        """Numbers times scales, and minima."""
        panels = blocks.shape[:2]
        factors = blocks[:, :, 64:256].view(*panels, _GROUPS, 24)
        tops = factors[..., PANEL:]
        high = torch.cat([tops & 15, tops >> 4], dim=-1)
        scales = _per_channel(factors[..., :PANEL] & 63, blocks, 0)
        minima = _per_channel((factors[..., :PANEL] >> 6) | (high << 2), blocks, 1)
        numbers = blocks[:, :, 256:].reshape(panels[0], -1, 256)
        return in_order(half_bytes(numbers)).float().mul_(scales).add_(minima)


class Q6KLinear(KQuantLinear):
    """6.5625 bits a weight."""

    kind, block, stored = GGMLQuantizationType.Q6_K.value, 3360, 210

    @classmethod
    def weights(cls, blocks: Tensor) -> Tensor:
        """Numbers and the scales of each half group."""
        panels = blocks.shape[:2]
        factors = blocks[:, :, 32:288].view(*panels, _GROUPS, 2, PANEL).view(torch.int8)
        numbers = blocks[:, :, 288:].reshape(panels[0], -1, 384)
        weights = in_order(six_bits(numbers)).float().sub_(_ZERO)
        weights[..., :_HALF].mul_(_per_channel(factors[..., 0, :], blocks, 0))
        weights[..., _HALF:].mul_(_per_channel(factors[..., 1, :], blocks, 0))
        return weights


def _halves(blocks: Tensor, number: int) -> Tensor:
    """The `number`-th 16 float16 factors of blocks [..., block]: a view [..., 16]."""
    size = 2 * PANEL
    return blocks[..., number * size : (number + 1) * size].view(torch.float16)


def _per_channel(factors: Tensor, blocks: Tensor, number: int) -> Tensor:
    """Factors [panels, blocks, 8, 16] of the `number`-th float16 → [panels, 16, groups, 1]."""
    products = factors * _halves(blocks, number).float()[:, :, None]
    return products.permute(0, 3, 1, 2).reshape(len(blocks), PANEL, -1, 1)


K_QUANTS: dict[GGMLQuantizationType, type[KQuantLinear]] = {
    GGMLQuantizationType.Q4_K: Q4KLinear,
    GGMLQuantizationType.Q6_K: Q6KLinear,
}
