"""Where the user was just now: places edited and visited in open documents. No clock, no text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lsp_server.documents import split_lines
from lsp_server.secrets import without_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KEPT = 24
NEAR = 12
"""Lines within which two places are one."""
_KEY = 128
"""Lines of a private key, at most."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A line in an open document."""

    document: str
    line: int
    edited: bool


class Recent:
    """The last places, newest first; edits above a place move it."""

    def __init__(self) -> None:
        self._spots: list[Spot] = []
        self._edited: set[str] = set()

    @property
    def spots(self) -> list[Spot]:
        """Those edited before those that were only visited, each newest first."""
        return sorted(self._spots, key=lambda spot: not spot.edited)

    def visited(self, document: str, line: int) -> None:
        """The caret stood there."""
        near = [spot for spot in self._spots if _near(spot, document, line)]
        self._put(Spot(document, line, any(spot.edited for spot in near)))

    def edited(self, document: str, first: int, last: int, lines: int) -> None:
        """Lines from `first` to `last` became `lines` lines."""
        self._edited.add(document)
        shift = lines - (last - first + 1)
        if shift:
            self._spots = [
                replace(spot, line=max(spot.line + shift, first))
                if spot.document == document and spot.line > last
                else spot
                for spot in self._spots
            ]
        self._put(Spot(document, first + lines - 1, edited=True))

    def take_edited(self, but: str = "") -> set[str]:
        """Documents edited since this was last asked; one may be left for later."""
        edited = self._edited - {but}
        self._edited -= edited
        return edited

    def edited_still(self, documents: Iterable[str]) -> None:
        """Return these at the next question again."""
        self._edited.update(documents)

    def forget(self, document: str) -> None:
        """The document was closed."""
        self._spots = [spot for spot in self._spots if spot.document != document]
        self._edited.discard(document)

    def _put(self, new: Spot) -> None:
        others = [spot for spot in self._spots if not _near(spot, new.document, new.line)]
        self._spots = [new, *others][:KEPT]


def _near(spot: Spot, document: str, line: int) -> bool:
    return spot.document == document and abs(spot.line - line) <= NEAR


def text_around(lines: Sequence[str], line: int) -> tuple[int, str]:
    r"""The lines around a place and the index of the first; blank ones at the ends are left out.

    Private keys in them are redacted.

    >>> text_around(["\n", "a\n", "b\n"], 2)
    (1, 'a\nb')
    """
    first = max(line - NEAR // 2, 0)
    above = max(first - _KEY, 0)
    known = without_keys("".join(lines[above : line + NEAR // 2]))
    shown = split_lines(known)[first - above :]
    while shown and not shown[0].strip():
        first, shown = first + 1, shown[1:]
    return first, "".join(shown).rstrip()
