"""Open documents as lists of lines; a change edits a copy, whose lines are shared.

pygls keeps documents too, but splits lines with `str.splitlines`, which also breaks at form feeds
and U+2028 where LSP does not, and copies the whole text at every change.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from lsp_server.languages import language_id

if TYPE_CHECKING:
    from collections.abc import Sequence

Encoding = Literal["utf-8", "utf-16", "utf-32"]


def split_lines(text: str) -> list[str]:
    r"""Lines with their ends (`\n`, `\r\n` or `\r`, as LSP has it); the last one has none.

    >>> split_lines("a\r\nb\x0c\n")
    ['a\r\n', 'b\x0c\n', '']
    """
    lines = list(io.StringIO(text, newline=""))
    if not lines or lines[-1].endswith(("\n", "\r")):
        lines.append("")
    return lines


def body(line: str) -> str:
    """The line without its end."""
    return line.rstrip("\r\n")


def line_end(lines: Sequence[str], row: int) -> str:
    r"""Return the end of a line; where it has none that of the one before it, or of the first.

    >>> line_end(["a\r\n", "b"], 1), line_end(["a"], 0)
    ('\r\n', '\n')
    """
    for near in (lines[row], lines[max(row - 1, 0)], lines[0]):
        if end := near[len(body(near)) :]:
            return end
    return "\n"


def units_to_column(line: str, units: int, encoding: Encoding) -> int:
    r"""Index into `line` of a client's column; past the end it is the end, as LSP has it.

    >>> units_to_column("😀x\\n", 2, "utf-16"), units_to_column("😀x\\n", 4, "utf-8")
    (1, 1)
    """
    text = body(line)
    if encoding == "utf-32" or text.isascii():
        return min(units, len(text))
    for column, char in enumerate(text):
        if units <= 0:
            return column
        units -= _width(char, encoding)
    return len(text)


def column_to_units(line: str, column: int, encoding: Encoding) -> int:
    """The client's column of an index into `line`.

    >>> column_to_units("😀x", 1, "utf-16"), column_to_units("😀x", 1, "utf-8")
    (2, 4)
    """
    head = line[:column]
    return len(head) if head.isascii() else sum(_width(char, encoding) for char in head)


def _width(char: str, encoding: Encoding) -> int:
    if encoding == "utf-8":
        return len(char.encode("utf-8", "surrogatepass"))
    return 2 if encoding == "utf-16" and ord(char) > 0xFFFF else 1


@dataclass(slots=True)
class Document:
    """One open text document."""

    path: str
    language: str
    """Id by `languages.language_id`."""
    lines: list[str] = field(default_factory=lambda: [""])
    """Each with its line end; never empty, and only the last line has no end."""
    characters: int = 0
    """Length of the whole text."""
    binary: bool = False
    """It held a NUL when it was opened."""
    version: int | None = None
    """The client's number of this text."""
    sent_language: str = ""
    """The language's id as the client wrote it."""
    others: tuple[str, ...] = ()
    """Other paths of the same file: as the editor has it, and with its links resolved."""

    @property
    def names(self) -> tuple[str, ...]:
        """All its paths."""
        return (self.path, *self.others)

    @classmethod
    def open(
        cls,
        path: str,
        language: str,
        text: str,
        version: int | None = None,
        others: tuple[str, ...] = (),
    ) -> Document:
        """Return a document with this text; `language` is any editor's name of its language."""
        lines = split_lines(text)
        known = language_id(language, path, lines[0])
        return cls(path, known, lines, len(text), "\0" in text, version, language, others)

    def copy(self, version: int | None) -> Document:
        """A document to edit: requests keep the one that they began with."""
        return replace(self, lines=[*self.lines], version=version)

    def at(self, names: tuple[str, ...]) -> Document:
        """Return the same document at other paths."""
        return replace(self, path=names[0], others=names[1:])

    def replace(self, text: str) -> None:
        """Set the whole text."""
        self.lines, self.characters = split_lines(text), len(text)

    def edit(self, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        """Put `text` in place of what lies between two (line, column) indices.

        Positions past the end of the document mean its end.
        """
        (first, column), (last, until) = self._clamp(start), self._clamp(end)
        head, rest = self.lines[first][:column], self.lines[last][until:]
        if first and not column and self.lines[first - 1].endswith("\r"):
            first -= 1  # a "\n" put after a lone "\r" makes one line end of the two
            head = self.lines[first] + head
        old = self.lines[first : last + 1]
        new = split_lines(head + text + rest)
        if last + 1 < len(self.lines):
            new.pop()  # `rest` ends with a line end, after which the next line begins
        self.lines[first : last + 1] = new
        self.characters += sum(map(len, new)) - sum(map(len, old))

    def _clamp(self, position: tuple[int, int]) -> tuple[int, int]:
        line, column = position
        if line >= len(self.lines):
            return len(self.lines) - 1, len(self.lines[-1])
        return line, min(column, len(body(self.lines[line])))
