"""8-bit weights with a scale for 32, as in GGUF's Q8_0.

A weight is scale · (number - 128) with a number of 1..255 and a float16 scale: 8.5 bits a weight.
A block has 544 bytes: the 8 vectors, then 16 scales.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from quant.packed import RoundedLinear, factors, in_order

if TYPE_CHECKING:
    from torch import Tensor

_NUMBERS, _ZERO = 512, 128


class Int8Linear(RoundedLinear):
    """8.5 bits a weight."""

    kind, block = 8, 544

    @classmethod
    def weights(cls, blocks: Tensor) -> Tensor:
        """Number and scale."""
        numbers = blocks[:, :, :_NUMBERS].view(*blocks.shape[:2], 8, 64)
        return in_order(numbers).float().sub_(_ZERO).mul_(factors(blocks, _NUMBERS, 1)[0])
