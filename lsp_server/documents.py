"""Open documents as lists of lines; a change edits a copy, whose lines are shared.

pygls keeps documents too, but splits lines with `str.splitlines`, which also breaks at form feeds
and U+2028 where LSP does not, and copies the whole text at every change.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Literal

from lsp_server.languages import language_id

if TYPE_CHECKING:
    from collections.abc import Sequence

Encoding = Literal["utf-8", "utf-16", "utf-32"]
_CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2)}
"""Codec of each encoding, and the number of bytes in one of its units."""
_PIECE = 4_096
"""Least number of characters in a piece of a long line; the most is twice that."""
_LINES = 50_000
"""Lines that are read in one step."""
_HALF = re.compile("[\ud800-\udfff]")
_HALVES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
"""Surrogate pair: some clients send the two halves of one character one after the other."""


def split_lines(text: str) -> list[str]:
    r"""Lines with their ends (`\n`, `\r\n` or `\r`, as LSP has it); the last one has none.

    >>> split_lines("a\r\nb\x0c\n")
    ['a\r\n', 'b\x0c\n', '']
    """
    rest, lines = io.StringIO(text, newline=""), list[str]()
    while some := list(islice(rest, _LINES)):  # not all at once, which would stop other threads
        lines += some
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
    head = text[: max(units, 0)]  # each character is a unit at least
    if encoding == "utf-32" or head.isascii():
        return len(head)
    codec, size = _CODECS[encoding]
    data = head.encode(codec, "surrogatepass")
    end = size * units
    while 0 < end < len(data) and _is_inside(data, end, size):
        end += size
    return len(data[:end].decode(codec, "surrogatepass"))


def column_to_units(line: str, column: int, encoding: Encoding) -> int:
    """The client's column of an index into `line`.

    >>> column_to_units("😀x", 1, "utf-16"), column_to_units("😀x", 1, "utf-8")
    (2, 4)
    """
    head = line[:column]
    if encoding == "utf-32" or head.isascii():
        return len(head)
    codec, size = _CODECS[encoding]
    return len(head.encode(codec, "surrogatepass")) // size


def _is_inside(data: bytes, offset: int, size: int) -> bool:
    """Return whether an offset into UTF-8 or UTF-16 lies inside of a character."""
    if size == 1:
        return data[offset] & 0xC0 == 0x80
    return data[offset + 1] & 0xFC == 0xDC and data[offset - 1] & 0xFC == 0xD8


def joined(text: str, *put_in: str) -> str:
    """Return a text in which halves of a character are one again, if such were put in."""
    if not any(map(_HALF.search, put_in or (text,))):
        return text
    return _HALVES.sub(
        lambda found: found[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le"), text
    )


class _Pieces:
    """One line in pieces, of which a change measures and copies only those that it touches."""

    def __init__(self, text: str, encoding: Encoding) -> None:
        self._encoding = encoding
        self._pieces, self._units = self._cut(text)

    @property
    def text(self) -> str:
        """The whole line."""
        return "".join(self._pieces)

    def edit(self, start: int, end: int, text: str) -> tuple[int, int]:
        """Put a text between two of the client's columns; return them as indices."""
        (first, before, column), (last, above, until) = map(self._find, sorted((start, end)))
        new = self._pieces[first][:column] + text + self._pieces[last][until:]
        self._pieces[first : last + 1], self._units[first : last + 1] = self._cut(new)
        return before + column, above + until

    def _cut(self, text: str) -> tuple[list[str], list[int]]:
        size = _PIECE if len(text) > 2 * _PIECE else max(len(text), 1)
        pieces = [text[at : at + size] for at in range(0, len(text), size)] or [""]
        return pieces, [column_to_units(piece, len(piece), self._encoding) for piece in pieces]

    def _find(self, units: int) -> tuple[int, int, int]:
        """Return the piece at a column, the characters before it, and the index in it."""
        before = number = 0
        while units > self._units[number] and number + 1 < len(self._pieces):
            units -= self._units[number]
            before += len(self._pieces[number])
            number += 1
        return number, before, units_to_column(self._pieces[number], units, self._encoding)


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
        """All paths of the document."""
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
        sent = language if isinstance(language, str) else ""  # lsprotocol takes any value there
        known = language_id(sent, path, lines[0])
        return cls(path, known, lines, len(text), "\0" in text, version, sent, others)

    def copy(self, version: int | None) -> Document:
        """Return a copy to edit, as running requests keep the document that they began with."""
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
        new = split_lines(joined(head + text + rest, text))
        if last + 1 < len(self.lines):
            new.pop()  # `rest` ends with a line end, after which the next line begins
        self.lines[first : last + 1] = new
        self.characters += sum(map(len, new)) - sum(map(len, old))

    def edit_line(
        self, row: int, changes: Sequence[tuple[int, int, str]], encoding: Encoding
    ) -> list[tuple[int, int]]:
        """Put texts, which have no line ends, in place of parts of one line; return those parts.

        Each is between two of the client's columns, as the changes before it have left the line.
        However long it is, many changes of a line cost little more than one.
        """
        old = self.lines[row]
        pieces = _Pieces(body(old), encoding)
        parts = [pieces.edit(*change) for change in changes]
        new = joined(pieces.text, *(text for _, _, text in changes)) + old[len(body(old)) :]
        self.lines[row] = new
        self.characters += len(new) - len(old)
        return parts

    def _clamp(self, position: tuple[int, int]) -> tuple[int, int]:
        line, column = position
        if line >= len(self.lines):
            return len(self.lines) - 1, len(self.lines[-1])
        return line, min(column, len(body(self.lines[line])))
