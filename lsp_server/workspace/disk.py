"""Files read with care: regular ones only, and no more of them than is wanted."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a FIFO would be waited for
    | getattr(os, "O_BINARY", 0)
)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def read_regular(file: str | Path, most: int, *, follow: bool = False) -> bytes | None:
    """Return what is in a regular file of at most so many bytes; None for any other.

    `follow` takes a symbolic link for the file that it leads to.

    Raises:
        OSError: it is there, and cannot be read.
    """
    try:
        descriptor = os.open(file, _FLAGS | (0 if follow else _NO_LINK))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    with os.fdopen(descriptor, "rb") as opened:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > most:
            return None
        data = opened.read(most + 1)  # it may have grown
    return data if len(data) <= most else None


def inside(root: str, path: str) -> bool:
    """Return false where a symbolic link, or `..`, leads out of the folder on the way to a file."""
    at = Path(root)
    for part in path.split("/"):
        at /= part
        if part == ".." or at.is_symlink():
            return False
    return True
