"""The files of the demo, each with the place where a person would wait for a suggestion."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import resources

_CARET = "‸"
_FILES = (
    ("Python", "python", "calendar.py"),
    ("C++", "cpp", "words.cpp"),
    ("Java", "java", "Order.java"),
    ("PHP", "php", "Cart.php"),
    ("TypeScript", "typescript", "timing.ts"),
    ("C#", "csharp", "Readings.cs"),
    ("Bash", "shellscript", "backup.sh"),
)


@dataclass(frozen=True)
class Sample:
    """One file and its caret. Samples are ASCII, so a column is the same in every encoding."""

    language: str
    language_id: str
    """As the Language Server Protocol names it."""
    file: str
    text: str
    offset: int
    """Where the caret is, in characters from the start."""

    @cached_property
    def line(self) -> int:
        """Line of the caret, from 0."""
        return self.text.count("\n", 0, self.offset)

    @cached_property
    def column(self) -> int:
        """Column of the caret, from 0."""
        return self.offset - self.at(self.line, 0)

    def at(self, line: int, column: int) -> int:
        """Characters before a line and column, both from 0."""
        lines = self.text.splitlines(keepends=True)
        return sum(map(len, lines[:line])) + column


def load() -> list[Sample]:
    """Every sample, in the order in which the demo shows them."""
    folder = resources.files(__package__) / "samples"
    return [_sample(*names, (folder / f"{names[2]}.sample").read_text("utf-8")) for names in _FILES]


def _sample(language: str, language_id: str, file: str, marked: str) -> Sample:
    before, after = marked.split(_CARET)
    return Sample(language, language_id, file, before + after, len(before))
