"""Room on the disk: asked for before a download, and missed in the middle of one."""

from __future__ import annotations

import errno
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.filesize import decimal

from engine.errors import DiskFull, FetchError
from engine.paths import models_dir

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_ENTRY = {errno.EACCES, errno.EPERM, errno.EROFS}


def require_room(folder: Path, needed: int) -> None:
    """Check that `needed` more bytes fit into `folder`.

    Raises:
        DiskFull: They do not.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFull(
            f"No room in {folder}: the download needs {decimal(needed)}, {decimal(free)} are "
            "free. Make room there, or set CARET_HOME to a folder on a larger disk."
        )


@contextmanager
def disk_errors_are_said() -> Iterator[None]:
    """Turn what the operating system says of a disk into errors that say what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DiskFull(
                f"The disk became full while downloading into {models_dir()}. What has arrived is "
                "kept: make room and pull again to go on from there."
            ) from error
        place = error.filename or models_dir()
        advice = (
            "Change its permissions" if error.errno in _NO_ENTRY else "Remove what is in the way"
        )
        raise FetchError(
            f"{place} cannot be written: {error.strerror}. {advice}, or set CARET_HOME to a folder "
            "of your own."
        ) from error
