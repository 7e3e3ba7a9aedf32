"""Processors and memory that this process may use: a container may have less than there is.

Linux has two forms of control groups. In both a process is in a group, which lies in others; each
may have limits, and all of them hold. A group's memory includes files that the kernel remembers
and gives up when need be: they are free. Imports no torch.
"""

from __future__ import annotations

import ctypes
import math
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path("/")
_NONE = 1 << 60
"""Bytes; the first form has such numbers where there is no limit."""
_M_MMAP_THRESHOLD = -3  # a parameter of glibc's mallopt(3)
_LARGE = 2 << 20  # bytes; glibc gives a freed block of this size back to the system


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of memory."""

    total: int
    available: int
    limited: bool = False
    """A control group leaves less than the machine has."""


def processors(root: Path = _ROOT) -> int:
    """Return how many threads can compute at once: processors of our affinity and quota."""
    usable = _affinity()
    quota = min(_quotas(root), default=math.inf)
    return max(1, min(usable, math.floor(quota) if math.isfinite(quota) else usable))


def memory(root: Path = _ROOT) -> Memory:
    """Return what of the machine's memory this process may use."""
    facts = psutil.virtual_memory()
    limits = [(limit, limit - used) for limit, used in _memory_groups(root)]
    total = min([facts.total, *(limit for limit, _ in limits)])
    available = min([facts.available, *(left for _, left in limits)])
    limited = total < facts.total or available < facts.available
    return Memory(total, max(available, 0), limited)


def return_large_blocks() -> None:
    """Give memory of over 2 MB back to the system as soon as it is freed, where malloc is glibc's.

    Left to itself, glibc raises this size up to 32 MB once such a block is freed. The KV caches
    that come and go would then share its heap with small objects that stay, and it would grow.
    """
    with suppress(AttributeError, OSError, TypeError):  # another malloc: musl, macOS, Windows
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE)


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return psutil.cpu_count() or 1


def _quotas(root: Path) -> Iterator[float]:
    """Give the quotas of our groups, in processors."""
    for group in _groups(root, ""):
        quota, period = (*_words(group / "cpu.max"), "", "")[:2]
        if quota.isdigit() and period.isdigit() and int(period):
            yield int(quota) / int(period)
    for group in _groups(root, "cpu"):
        allowed, length = (_number(group / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
        if allowed and length and allowed > 0:
            yield allowed / length


def _memory_groups(root: Path) -> Iterator[tuple[int, int]]:
    """Give (limit, used) of our groups."""
    for group in _groups(root, ""):
        for limit in (_number(group / "memory.max"), _number(group / "memory.high")):
            if limit is not None:
                yield limit, _used(group, "memory.current", "inactive_file")
    for group in _groups(root, "memory"):
        limit = _number(group / "memory.limit_in_bytes")
        if limit is not None and limit < _NONE:
            yield limit, _used(group, "memory.usage_in_bytes", "total_inactive_file")


def _used(group: Path, usage: str, forgettable: str) -> int:
    """Return what cannot be given up of a group's memory."""
    words = _words(group / "memory.stat")
    files = dict(zip(words[::2], words[1::2], strict=False)).get(forgettable, "0")
    return max((_number(group / usage) or 0) - int(files), 0)


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Give the folders of our group and of those around it; "" names the second form."""
    for line in _lines(root / "proc/self/cgroup"):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller not in controllers.split(","):
            continue
        inner = PurePosixPath(path.lstrip("/"))
        for group in (inner, *inner.parents):
            if ".." not in group.parts:  # of another container: we see its groups from their top
                yield _mount(root, controllers) / group


def _mount(root: Path, controllers: str) -> Path:
    """Return the folder of a hierarchy of groups."""
    top = root / "sys/fs/cgroup"
    names = [controllers, *controllers.split(",")] if controllers else ["unified"]
    return next((top / name for name in names if (top / name).is_dir()), top)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except (OSError, ValueError):
        return []


def _words(file: Path) -> list[str]:
    return " ".join(_lines(file)).split()


def _number(file: Path) -> int | None:
    """Return a whole number; None where there is no such file, or "max" in it."""
    words = _words(file)
    try:
        return int(words[0]) if words else None
    except ValueError:
        return None
