"""A file on its way: resumable, hashed while it arrives, never half under its final name."""

from __future__ import annotations

import hashlib
import io
import os
from typing import TYPE_CHECKING

from engine.errors import ModelDamaged

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

CHUNK = 1 << 20


def partial_path(target: Path) -> Path:
    """Where the beginning of `target` is kept between attempts."""
    return target.with_name(target.name + ".partial")


class Partial:
    """The beginning of `target` in NAME.partial, until `finish` moves it into place.

    Its length is all its state: whichever source wrote it, and however its writer ended, it is
    the first `length` bytes of the file, and the next attempt goes on from there.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = partial_path(target)
        self.length = self.found(target)
        self._digest = hashlib.sha256()
        self._file: io.FileIO | None = None

    @staticmethod
    def found(target: Path) -> int:
        """Bytes of `target` that earlier attempts left."""
        path = partial_path(target)
        return path.stat().st_size if path.is_file() else 0

    def __enter__(self) -> Partial:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def keep(self, length: int) -> None:
        """Cut to the first `length` bytes and hash them; call it before the first `append`."""
        self._close()
        self.path.touch()
        self._file = io.FileIO(self.path, "r+")
        self._file.truncate(length)
        self._digest = hashlib.sha256()
        while chunk := self._file.read(CHUNK):
            self._digest.update(chunk)
        self.length = length

    def append(self, data: bytes) -> None:
        """Write more of the file; on a full disk (OSError) what did fit is kept."""
        assert self._file is not None, "keep() first"
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._digest.update(data)
        self.length += len(data)

    def finish(self, sha256: str | None) -> str:
        """Move the file to its final name if it is what `sha256` promises; return its SHA-256.

        Raises:
            ModelDamaged: It is not; the partial file is gone, for none of it can be trusted.
        """
        assert self._file is not None, "keep() first"
        os.fsync(self._file.fileno())
        self._close()
        digest = self._digest.hexdigest()
        if sha256 not in (None, digest):
            self.path.unlink()
            raise ModelDamaged(
                f"What was downloaded as {self.target.name} is not the published file (SHA-256 "
                f"{digest[:12]}…, not {sha256[:12]}…). It is deleted; pull again."
            )
        self.path.replace(self.target)
        return digest

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
