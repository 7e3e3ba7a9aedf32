"""A change of a file on disk: shown as a diff, and written where the file is still the same."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from engine.errors import RequestError
from lsp_server.documents import body, split_lines

if TYPE_CHECKING:
    from pathlib import Path

    from lsp_server.instruct.change import Change


def diff(change: Change) -> str:
    """As `git diff` shows it; `git apply` and `patch -p1` take it."""
    new = change.before is None
    before, after = (change.before or "").splitlines(), change.after.splitlines()
    names = "/dev/null" if new else f"a/{change.path}", f"b/{change.path}"
    return "\n".join(difflib.unified_diff(before, after, *names, lineterm="")) + "\n"


def write(change: Change, root: Path) -> None:
    """Write the file below `root`, with the line ends that it has.

    Raises:
        RequestError: it is not what it was any more, or cannot be written.
    """
    file = root / change.path
    try:
        now = file.read_bytes().decode() if file.exists() else None
        eol = "\n"
        if now:
            first = split_lines(now)[0]
            eol = first[len(body(first)) :] or eol
        plain = now and now.replace("\r\n", "\n").replace("\r", "\n")
        if plain != change.before:
            raise RequestError(f"{file} changed meanwhile, so nothing was written. Run it again.")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(change.after.replace("\n", eol).encode())
    except OSError as error:
        raise RequestError(f"{file} cannot be written: {error.strerror}.") from None
