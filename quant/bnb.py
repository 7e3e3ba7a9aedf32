"""bitsandbytes, imported when one of its formats is first used: that takes seconds.

Its operators are torch's own after the import: `torch.ops.bitsandbytes`.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

import torch


@functools.cache
def bitsandbytes() -> Any:  # noqa: ANN401 - a module without types
    """The module; quietly, for it warns of a kernel from a hub that it does not need."""
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    import bitsandbytes as module

    return module


def has_cpu_kernel() -> bool:
    """Whether this processor runs bitsandbytes' own 4-bit matmul, which takes AVX512-BF16.

    torch is asked, as it knows without the import.
    """
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))
