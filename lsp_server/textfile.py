"""A text file on disk: read as UTF-8, and written so that all but the changed lines stays."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import RequestError
from lsp_server.documents import body, line_end, split_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsp_server.instruct.change import Change, LineEdit

MAX_BYTES = 16_000_000
"""Larger files are not read."""
_BOM = "\ufeff"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")
"""Begin a text in UTF-16."""


def read_text(file: Path) -> str:
    """Return the text of a file with its line ends, without a byte order mark.

    Raises:
        RequestError: it cannot be read, or is not text in UTF-8.
    """
    return _read(file).removeprefix(_BOM)


def absolute(file: Path) -> Path:
    """Return the absolute path of a file as it is written; where it has `..`, links are followed.

    The file's own name stays, as it may say that a file is private where its target's does not.
    """
    path = file.absolute()
    return path.parent.resolve() / path.name if ".." in path.parts else path


def texts_of(change: Change, root: Path) -> tuple[str | None, str]:
    """Return the text of a changed file on disk, and what it is to become, byte for byte.

    Raises:
        RequestError: The file has changed meanwhile, or cannot be read.
    """
    file = _inside(root, change.path)
    now = _read(file) if file.exists() else None
    if _plain(now) != change.before:
        raise _changed(file)
    return now, _bytes_of(change, now).decode()


def write_change(change: Change, root: Path) -> None:
    """Write a changed file below `root`; bytes outside of the changed lines stay as they are.

    The file is replaced as a whole, so that a full disk leaves the old one. A link stays a link.

    Raises:
        RequestError: The file has changed meanwhile, or cannot be written.
    """
    file = _inside(root, change.path)
    try:
        now, after = texts_of(change, root)
        if now is None:
            file.parent.mkdir(parents=True, exist_ok=True)
        elif not os.access(file, os.W_OK):
            raise RequestError(f"{file} cannot be written: it is read-only.")
        _replace(file, after.encode(), now)
    except OSError as error:
        raise RequestError(f"{file} cannot be written: {error.strerror}.") from None


def _read(file: Path) -> str:
    try:
        status = file.stat()
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            raise RequestError(f"{file} cannot be read: it is not a regular file.")
        data = file.read_bytes() if status.st_size <= MAX_BYTES else None
    except OSError as error:
        raise RequestError(f"{file} cannot be read: {error.strerror}.") from None
    if data is None:
        raise RequestError(
            f"{file} is too large: Caret reads files up to {MAX_BYTES // 1_000_000} MB."
        )
    try:
        return data.decode()
    except UnicodeDecodeError:
        encoding = " but in UTF-16" if data.startswith(_WIDE_BOMS) else ""
        raise RequestError(
            f"{file} is not text in UTF-8{encoding}. Convert it, for example with iconv, and try "
            "again."
        ) from None


def _plain(text: str | None) -> str | None:
    r"""Return a text as models read it: `\n` line ends, no byte order mark."""
    if text is None:
        return None
    return text.removeprefix(_BOM).replace("\r\n", "\n").replace("\r", "\n")


def _changed(file: Path) -> RequestError:
    return RequestError(f"{file} changed meanwhile, so nothing was written. Run it again.")


def _inside(root: Path, path: str) -> Path:
    """Return a file below `root` with its links followed."""
    file = Path(os.path.realpath(root / path))
    if not file.is_relative_to(os.path.realpath(root)):
        raise RequestError(f"{root / path} leads out of {root}, so nothing was written.")
    return file


def _bytes_of(change: Change, now: str | None) -> bytes:
    if now is None:
        return change.after.encode()
    mark = _BOM if now.startswith(_BOM) else ""
    rows = split_lines(now.removeprefix(_BOM))
    text = _spliced([*rows], change.edits)
    if _plain(text) != change.after:  # a lone carriage return got a line feed behind it
        text = change.after.replace("\n", line_end(rows, 0))
    return (mark + text).encode()


def _spliced(rows: list[str], edits: Sequence[LineEdit]) -> str:
    """Return lines, which have their ends, with edits: new lines end as those that they replace."""
    for edit in reversed(edits):
        end = line_end(rows, min(edit.first, len(rows) - 1))
        rows[edit.first : edit.last] = [line + end for line in edit.lines]
    ended = [row if row != body(row) else row + line_end(rows, at) for at, row in enumerate(rows)]
    return "".join([*ended[:-1], body(ended[-1])])


def _replace(file: Path, data: bytes, before: str | None) -> None:
    """Put a new file in place of one that still holds `before`."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name[:64]}.", dir=file.parent)
    written = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        _take_mode(written, file)
        if (_read(file) if file.exists() else None) != before:
            raise _changed(file)
        written.replace(file)
    except BaseException:
        written.unlink(missing_ok=True)
        raise


def _take_mode(written: Path, file: Path) -> None:
    """Give a new file the permissions and the owner of the old one, or those of any new file."""
    if not file.exists():
        mask = os.umask(0)
        os.umask(mask)
        written.chmod(0o666 & ~mask)
        return
    shutil.copymode(file, written)
    status = file.stat()
    if hasattr(os, "chown") and status.st_uid != written.stat().st_uid:
        with suppress(OSError):
            os.chown(written, status.st_uid, status.st_gid)
