"""A change of a file on disk, shown as a diff."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def diff(path: str, before: str | None, after: str) -> str:
    """Return a change as `git diff` shows it; `git apply` and `patch -p1` take it.

    Both texts have the line ends that they have on disk; without `before`, the file is new.
    """
    names = "/dev/null" if before is None else f"a/{path}", f"b/{path}"
    return "".join(_ended(difflib.unified_diff(_lines(before or ""), _lines(after), *names)))


def _lines(text: str) -> list[str]:
    """Return the lines with their ends; the last one has none where the text ends without."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + lines[-1:] * bool(lines[-1])


def _ended(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
