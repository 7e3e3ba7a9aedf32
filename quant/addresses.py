"""Addresses of tensors for our C, which reads and writes there without asking.

No other module takes the address of a tensor. `assert` would not do: PYTHONOPTIMIZE removes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def address(tensor: Tensor, dtype: torch.dtype, *shape: int) -> int:
    """Return the address of `tensor`, once it is known to be what the C code takes it for.

    Raises:
        ValueError: It has another number format or shape, gaps, or lies on another device.
    """
    if (tensor.dtype, tuple(tensor.shape), tensor.device.type) != (dtype, shape, "cpu"):
        found = f"{tensor.dtype} {[*tensor.shape]} on {tensor.device}"
        raise ValueError(f"a tensor is {found}, and {dtype} {[*shape]} on the CPU is wanted")
    if not tensor.is_contiguous() or tensor.data_ptr() % dtype.itemsize:
        raise ValueError(
            f"a tensor of shape {[*shape]} does not lie in one piece of aligned memory"
        )
    return tensor.data_ptr()


def optional_address(tensor: Tensor | None, dtype: torch.dtype, *shape: int) -> int:
    """Return the address as `address` does; 0 where there is no tensor."""
    return 0 if tensor is None else address(tensor, dtype, *shape)
