"""What surrounds the caret, cut to a window that stays put while one types. Pure functions.

The engine cuts its token-exact window out of this one; here the point is to send no more than it
can use, and to move the edges only in blocks: an edge that slid with every line would change the
beginning of the prompt, and with it every cached key and value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsp_server.documents import line_end

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.api import Snippet

PREFIX_CHARS = 16_000
SUFFIX_CHARS = 8_000
"""For the lines below, and for the rest of the caret's line."""
PREFIX_GRID = 64
"""The window's first line is a multiple of this."""
SUFFIX_GRID = 16
"""The line after the window's last one is a multiple of this."""
_CHARS_PER_TOKEN = 4
CHAR_GRID = 4_096
"""Step of an edge that must fall inside a very long line."""

_BOM = "\ufeff"
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORD = re.compile(r"(?<![\w$])[\w$]*+\Z")


@dataclass(frozen=True, slots=True)
class Site:
    r"""A caret and the text around it, with `\n` line ends."""

    prefix: str
    """Text before the caret, the caret's line included."""
    suffix: str
    """Text after the caret."""
    language: str = ""
    """LSP language id, such as `python`; empty when the editor does not say."""
    path: str = ""
    """As its repository would write it."""
    eol: str = "\n"
    """The document's own line end."""
    first_line: int = 0
    """Of the window, as an index into the document's lines."""
    goes_on: bool = False
    """There are lines below the window."""
    context: tuple[Snippet, ...] = ()
    """Text of other places that the model gets to read first."""
    hint: str = ""
    """Lines about what stands at the caret, that it reads last."""

    @property
    def line(self) -> int:
        """Index of the caret's line in the document."""
        return self.first_line + self.prefix.count("\n")

    @property
    def head(self) -> str:
        """The caret's line up to the caret."""
        return self.prefix[self.prefix.rfind("\n") + 1 :]

    @property
    def white(self) -> str:
        """What the caret's line begins with, up to the caret."""
        return self.head[: len(self.head) - len(self.head.lstrip())]

    @property
    def tail(self) -> str:
        """The caret's line after the caret."""
        return self.suffix.partition("\n")[0]

    @property
    def word(self) -> str:
        """The part of an identifier that stands before the caret."""
        found = _WORD.search(self.head)
        return found[0] if found else ""

    @property
    def above(self) -> str:
        """The nearest line above that is not blank, or ""."""
        lines = self.prefix.split("\n")[:-1]
        return next((line for line in reversed(lines) if line.strip()), "")

    @property
    def below(self) -> list[str]:
        """Lines under the caret's one that are not blank."""
        return [line for line in self.suffix.split("\n")[1:] if line.strip()]


def site_at(
    lines: Sequence[str],
    line: int,
    column: int,
    *,
    language: str = "",
    path: str = "",
    window: int = 0,
) -> Site:
    """The site of a caret.

    Args:
        lines: the document's lines with their line ends.
        line: index of the caret's line; must exist.
        column: index into that line, not past its end.
        language: LSP language id.
        path: of the file.
        window: tokens that the prompt may have, where they are more than usual.
    """
    behind = max(SUFFIX_CHARS, window * _CHARS_PER_TOKEN // 2)
    front = max(PREFIX_CHARS, window * _CHARS_PER_TOKEN)
    first = _first_line(lines, line, front)
    last = _last_line(lines, line, behind)
    head = lines[line][:column]
    before = f"{_plain(''.join(lines[first:line]))}{head}".removeprefix(_BOM)
    tail = lines[line][column : column + behind]
    return Site(
        prefix=_whole(_cut_front(before, front)),
        suffix=_whole(_plain(tail + "".join(lines[line + 1 : last]))),
        language=language,
        path=path,
        eol=line_end(lines, line),
        first_line=first,
        goes_on=last < len(lines),
    )


def _first_line(lines: Sequence[str], line: int, room: int) -> int:
    """The lowest grid line from which the text before `line` still fits."""
    first = line - line % PREFIX_GRID
    room -= _size(lines[first:line])
    while first and (room := room - _size(lines[first - PREFIX_GRID : first])) >= 0:
        first -= PREFIX_GRID
    return first


def _last_line(lines: Sequence[str], line: int, room: int) -> int:
    """One past the last line of the window: on the grid, unless not even one step fits."""
    last = fits = line + 1
    while fits < len(lines) and (room := room - _size(lines[fits : fits + 1])) >= 0:
        fits += 1
        if fits % SUFFIX_GRID == 0:
            last = fits
    return fits if fits == len(lines) or last == line + 1 else last


def _cut_front(text: str, room: int) -> str:
    """Text with lines so long that no line edge could bound it, cut on a grid of characters.

    One step of the grid is let pass, so that typing in a full window does not move its edge.
    """
    excess = max(len(text) - room, 0)
    return text[excess // CHAR_GRID * CHAR_GRID :]


def _size(lines: Sequence[str]) -> int:
    r"""Return the length of lines with `\n` line ends."""
    text = "".join(lines)
    return len(text) - text.count("\r\n")


def _plain(text: str) -> str:
    r"""Return a text with `\n` line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _whole(text: str) -> str:
    """Return a text without lone surrogates, which no encoding can carry to the engine."""
    return _SURROGATE.sub("\ufffd", text.removeprefix(_BOM))
