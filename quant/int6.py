"""6-bit weights with a scale for 16.

A weight is scale · (number - 32) with a number of 0..63 and a float16 scale: 7 bits a weight. Q5_0
and other grids around 0 keep their numbers when they come here as floats.

A block has 448 bytes: 256 with the low 4 bits as in `int4`; 2 chunks of 64 with the high 2 bits,
those of vector 4 c + i at bits 2 i and 2 i + 1 of chunk c; then 16 scales for the first 16 inputs
and 16 for the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from quant.int4 import half_bytes
from quant.packed import GROUP, RoundedLinear, factors, in_order

if TYPE_CHECKING:
    from torch import Tensor

_TOPS, _SCALES, _ZERO = 256, 384, 32


class Int6Linear(RoundedLinear):
    """7 bits a weight."""

    kind, block = 6, 448

    @classmethod
    def weights(cls, blocks: Tensor) -> Tensor:
        """Number and the scale of each half group."""
        numbers = in_order(six_bits(blocks)).float().sub_(_ZERO)
        low, high = factors(blocks, _SCALES, 2)
        numbers[..., : GROUP // 2].mul_(low)
        numbers[..., GROUP // 2 :].mul_(high)
        return numbers


def six_bits(blocks: Tensor) -> Tensor:
    """The first 384 bytes of each block → uint8 [panels, groups, 8, 64] below 64."""
    chunks = blocks[:, :, _TOPS:_SCALES].view(*blocks.shape[:2], 2, 1, 64)
    shifts = torch.arange(0, 8, 2, dtype=torch.uint8)[:, None]
    tops = chunks.bitwise_right_shift(shifts).bitwise_and_(3).view(*blocks.shape[:2], 8, 64)
    return half_bytes(blocks) | tops.bitwise_left_shift_(4)
