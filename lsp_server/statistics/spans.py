"""A piece of a document that moves with the edits around it. Pure functions over lines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from lsp_server.documents import split_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

Place = tuple[int, int]
"""Line and index in the line, from 0."""
Fate = Literal["kept", "changed", "gone"]


@dataclass(frozen=True)
class Edit:
    """`text` in place of what lay between two places."""

    start: Place
    end: Place
    text: str

    @cached_property
    def after(self) -> Place:
        """Where the text ends."""
        *above, last = split_lines(self.text)
        line, column = self.start
        return line + len(above), len(last) if above else column + len(last)


@dataclass(slots=True)
class Span:
    """What lies between two places; text that is put in at its end belongs to it."""

    start: Place
    end: Place

    def edited(self, edit: Edit) -> None:
        """Move with an edit."""
        if self.start > edit.start:
            self.start = _moved(self.start, edit, within=edit.start)
        if self.end >= edit.start:
            self.end = _moved(self.end, edit, within=edit.after)

    def text(self, lines: Sequence[str]) -> str:
        """Its text; lines have their ends."""
        (first, column), (last, until) = self.start, self.end
        if first == last:
            return "".join(lines[first : last + 1])[column:until]
        inside = "".join(lines[first:last])[column:]
        return inside + "".join(lines[last : last + 1])[:until]


def _moved(place: Place, edit: Edit, within: Place) -> Place:
    """Where a place behind the start of an edit gets to; to `within`, if it was replaced."""
    if place < edit.end:
        return within
    line, column = edit.after
    lines, columns = place[0] - edit.end[0], place[1] - edit.end[1]
    return (line + lines, place[1]) if lines else (line, column + columns)


def fate_of(text: str, now: str) -> Fate:
    r"""What became of a text, given what stands in its place; white space does not count.

    >>> fate_of("f(a)\ng(b)", "f( a )\n  g(b) # so"), fate_of("f()\ng()", "g()"), fate_of("f", "")
    ('kept', 'changed', 'gone')
    """
    lines = [line for line in map(_squeezed, text.splitlines()) if line]
    rest, standing = _squeezed(now), 0
    for line in lines:
        _, found, after = rest.partition(line)
        if found:
            rest, standing = after, standing + 1
    return "gone" if not standing else "kept" if standing == len(lines) else "changed"


def _squeezed(text: str) -> str:
    return "".join(text.split())
