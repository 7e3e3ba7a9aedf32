r"""What a command is about: a document at one moment, a range in it, what was found wrong there.

Texts have `\n` line ends; lines and columns are indices.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

_WORD = re.compile(r"[\w$]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """A diagnostic of any tool."""

    first: int
    """Index of the first line."""
    last: int
    """Index of the last line."""
    message: str
    source: str = ""
    """Who says so, such as `pyflakes`."""

    def __str__(self) -> str:
        said = " ".join(self.message.split())
        return f"line {self.first + 1}: {said}" + (f" ({self.source})" if self.source else "")


@dataclass(frozen=True)
class Place:
    """A range of a document; with both ends equal, a caret."""

    path: str
    """As the workspace would write it."""
    language: str
    text: str
    start: tuple[int, int] = (0, 0)
    end: tuple[int, int] = (0, 0)
    """Line and column, past the last character."""
    root: str = ""
    """Folder that `path` is relative to; "" where there is none."""

    @cached_property
    def lines(self) -> list[str]:
        """Without line ends."""
        return self.text.split("\n")

    @property
    def empty(self) -> bool:
        """Nothing is selected."""
        return self.start == self.end

    @property
    def rows(self) -> tuple[int, int]:
        """The first and the last line selected; one on which the selection only ends is not."""
        (first, _), (last, column) = self.start, self.end
        return first, last - 1 if last > first and not column else last

    @property
    def word(self) -> str:
        """The name at the caret, or ""."""
        line, column = self.start
        found = _WORD.finditer(self.lines[line]) if line < len(self.lines) else iter(())
        return next((m[0] for m in found if m.start() <= column <= m.end()), "")

    @property
    def selected(self) -> str:
        """The text of the range."""
        (first, column), (last, until) = self.start, self.end
        rows = self.lines[first : last + 1]
        if not rows:
            return ""
        rows[-1] = rows[-1][:until]
        rows[0] = rows[0][column:]
        return "\n".join(rows)
