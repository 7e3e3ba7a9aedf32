"""Which of what was found goes into the prompt, and in which order. Pure functions."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING

from engine.api import Snippet
from lsp_server.secrets import redacted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lsp_server.workspace.found import Found

SHARES = {"definition": 0.5, "recent": 0.75, "piece": 1.0}
"""Of the room: up to there it is filled by one kind after the other; then with what is left."""
STAY = 1.5
"""What is in the prompt already counts so much more: a change must be worth its evaluation."""
KNOWN = 0.7
"""A text of which this share of lines stands in the prompt anyway is left out."""
_TITLE = 16
"""Characters that a path's line costs beside the path."""


def choose(found: Iterable[Found], before: Sequence[Found], shown: str, room: int) -> list[Found]:
    """The best of each kind that fit `room` characters, without what is `shown` anyway.

    Of definitions first as many as may be in a line or so; then the best of these at length.
    Those that were chosen `before` keep their order and stand first, so that the prompt begins as
    it did; what is new stands behind them.
    """
    stay = {_key(item) for item in before}
    ranked = sorted(found, key=lambda item: -item.score * (STAY if _key(item) in stay else 1))
    chosen = _Chosen(shown)
    for item in ranked:
        if item.brief and not chosen.shows(item):
            chosen.add(replace(item, text=item.brief), room * SHARES["definition"])
    for kinds, share in (*(((kind,), share) for kind, share in SHARES.items()), (SHARES, 1.0)):
        for item in ranked:
            if item.kind in kinds:
                chosen.add(item, room * share)
    return _in_place(chosen.items, before)


class _Chosen:
    """What is chosen so far."""

    def __init__(self, shown: str) -> None:
        self.items: list[Found] = []
        self._shown = _lines(shown)

    def add(self, item: Found, room: float) -> None:
        """Take it too, unless it is known or too much; it takes the place of its own parts."""
        rest = [other for other in self.items if not _is_part(other, item)]
        if sum(map(_size, [*rest, item])) <= room and not self._known(item, rest):
            self.items = [*rest, item]

    def shows(self, item: Found) -> bool:
        """Whether the window does already."""
        return _share(item, self._shown) >= KNOWN

    def _known(self, item: Found, chosen: Sequence[Found]) -> bool:
        """Whether most of its lines stand in the prompt anyway."""
        seen = self._shown.union(*(_lines(other.text) for other in chosen))
        shared = _share(item, seen) >= KNOWN
        return shared or any(_overlap(item, other) for other in chosen)


def _in_place(chosen: Iterable[Found], before: Sequence[Found]) -> list[Found]:
    """What was there `before` first, in its order; of several with one key, one after the other."""
    places: dict[tuple[str, str], deque[int]] = {}
    for place, item in enumerate(before):
        places.setdefault(_key(item), deque()).append(place)
    placed = [
        (places[key].popleft() if places.get(key := _key(item)) else len(before), item)
        for item in chosen
    ]
    return [item for _, item in sorted(placed, key=itemgetter(0))]


def snippets(chosen: Iterable[Found]) -> tuple[Snippet, ...]:
    """One for each file, where its first text stands; its texts in the file's order.

    Credentials in them are redacted.
    """
    files: dict[str, list[Found]] = {}
    for item in chosen:
        files.setdefault(item.path, []).append(item)
    return tuple(Snippet(path, _joined(items)) for path, items in files.items())


def _joined(items: Iterable[Found]) -> str:
    in_order = sorted(items, key=attrgetter("line"))
    return redacted("\n".join(item.text for item in in_order))


def _key(item: Found) -> tuple[str, str]:
    """The same for a text that was edited below its first line, or moved."""
    return item.path, item.text.partition("\n")[0]


def _size(item: Found) -> int:
    return len(item.text) + len(item.path) + _TITLE


def _lines(text: str) -> set[str]:
    return {line.strip() for line in text.split("\n") if line.strip()}


def _share(item: Found, seen: set[str]) -> float:
    """Of its lines, those that are seen."""
    lines = _lines(item.text)
    return len(lines & seen) / len(lines) if lines else 1.0


def _is_part(part: Found, whole: Found) -> bool:
    """Whether it is a shorter form, or a member, of a definition."""
    both = {part.kind, whole.kind} == {"definition"} and part.path == whole.path
    return both and len(part.text) < len(whole.text) and part.text in whole.text


def _overlap(one: Found, other: Found) -> bool:
    first, second = sorted((one, other), key=lambda item: item.line)
    return first.path == second.path and second.line <= first.line + first.text.count("\n")
