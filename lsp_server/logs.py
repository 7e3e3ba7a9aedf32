"""Files in the log folder."""

from __future__ import annotations

from dataclasses import dataclass
from traceback import format_tb
from typing import IO, TYPE_CHECKING

from engine.paths import log_dir

if TYPE_CHECKING:
    from pathlib import Path

_MOST_BYTES = 1 << 20
_TAIL_BYTES = 4_096
_LINE = 300
"""Characters of a line that is shown."""


def rotated(file: Path) -> Path:
    """Return the file, moved aside if it has grown large; several servers write to it."""
    if file.exists() and file.stat().st_size > _MOST_BYTES:
        file.replace(file.with_suffix(".old"))
    return file


@dataclass(slots=True)
class Log:
    """Log file of a child process, which writes to it directly."""

    stream: IO[bytes] | None = None
    """None where there is no log folder."""
    start: int = 0
    """Size of the file when it was opened; what the child writes comes after."""

    @classmethod
    def open(cls, name: str) -> Log:
        """Open a log in the log folder, if there is one."""
        try:
            stream = rotated(log_dir() / name).open("ab")
            return cls(stream, stream.seek(0, 2))
        except (OSError, RuntimeError):  # there is no home folder, or it cannot be written
            return cls()

    def close(self) -> None:
        """Leave the file to the child."""
        if self.stream:
            self.stream.close()

    def last_line(self) -> str:
        """Return the last line that was written since, in brackets, or ""."""
        if self.stream is None:
            return ""
        try:
            with open(self.stream.name, "rb") as file:  # noqa: PTH123 - a stream's name
                size = file.seek(0, 2)
                file.seek(max(self.start, size - _TAIL_BYTES))
                lines = file.read().decode("utf-8", "replace").strip().splitlines()
        except OSError:
            return ""
        return f" ({lines[-1].strip()[:_LINE]})" if lines else ""


def fault(error: Exception) -> str:
    """Return what an unforeseen error is and where it arose; its message may quote a document."""
    return f"{type(error).__name__}\n{''.join(format_tb(error.__traceback__))}"
