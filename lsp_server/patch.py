"""A change of a file on disk, shown as a diff."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lsp_server.instruct.change import Change


def diff(change: Change) -> str:
    """Return the change as `git diff` shows it; `git apply` and `patch -p1` take it."""
    new = change.before is None
    before, after = _lines(change.before or ""), _lines(change.after)
    names = "/dev/null" if new else f"a/{change.path}", f"b/{change.path}"
    return "".join(_ended(difflib.unified_diff(before, after, *names)))


def _lines(text: str) -> list[str]:
    """Return the lines with their ends; the last one has none where the text ends without."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + lines[-1:] * bool(lines[-1])


def _ended(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
