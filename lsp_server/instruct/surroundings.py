"""What of a file is shown beside the code in question: all, or what that code uses. Pure."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from lsp_server.instruct.budget import CUT, tokens
from lsp_server.instruct.imports import imports
from lsp_server.instruct.syntax import holders, regions
from lsp_server.workspace.wanted import names_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lsp_server.instruct.place import Place
    from lsp_server.instruct.syntax import Region

Rows = tuple[int, int]
"""The first, and the one behind the last."""
_NEAR = 12
"""Lines above and below that are shown before any others that the code does not name."""
_ASSIGNED = re.compile(r"[\w ]*?(\w+)\s*(?::[^=]+)?=(?!=)")
"""A constant at the margin."""
_LONGEST = 200
"""Characters of a line up to the sign that assigns."""


def surroundings(place: Place, region: Region, mark: str, room: int) -> str:
    """The file with `mark` in place of a region; "" where there is nothing else.

    What does not fit `room` tokens is left out, and where it was is marked.
    """
    lines = place.lines
    room -= tokens(mark)
    shown: set[int] = set()
    for first, end in _telling(place, region):
        rows = {row for row in range(first, end) if not region.first <= row <= region.last} - shown
        cost = tokens(CUT) + sum(tokens(lines[row] + "\n") for row in rows)
        if cost <= room:
            room -= cost
            shown |= rows
    if not any(lines[row].strip() for row in shown):
        return ""
    return "\n".join(_drawn(lines, shown, region, mark)).strip("\n")


def _drawn(lines: list[str], shown: set[int], region: Region, mark: str) -> Iterator[str]:
    """The lines in their order, with a mark for each gap."""
    gap = False
    for row, line in enumerate(lines):
        if row == region.first:
            yield mark
        if row in shown:
            yield line
        elif not region.first <= row <= region.last and not gap and line.strip():
            yield CUT
        gap = row not in shown


def _telling(place: Place, region: Region) -> Iterator[Rows]:
    """Parts of a file, those first that tell most about a region; each line at last."""
    text, language, lines = place.text, place.language, place.lines
    used = set(chain(*map(names_in, lines[region.first : region.last + 1])))
    defined = regions(text, language)
    named = [other for other in defined if other.name in used and other.kind == "function"]
    yield from imports(lines)
    yield from map(_head, holders(text, language, region))
    yield from _constants(lines, used)
    yield from ((other.first, other.last + 1) for other in named)
    yield from map(_head, (other for other in defined if other.name in used))
    yield max(region.first - _NEAR, 0), min(region.last + _NEAR + 1, len(lines))
    yield from map(_head, defined)
    for row in sorted(range(len(lines)), key=lambda row: _distance(row, region)):
        yield row, row + 1


def _head(region: Region) -> Rows:
    """How a definition is called and used."""
    return region.first, max(region.body, region.first + 1)


def _constants(lines: list[str], used: set[str]) -> Iterator[Rows]:
    for row, line in enumerate(lines):
        found = _ASSIGNED.match(line[:_LONGEST])
        if found and found[1] in used:
            yield row, row + 1


def _distance(row: int, region: Region) -> int:
    return max(region.first - row, row - region.last)
