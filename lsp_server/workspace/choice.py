"""Which of what was found goes into the prompt, and in which order. Pure functions."""

from __future__ import annotations

from collections import deque
from operator import itemgetter
from typing import TYPE_CHECKING

from engine.api import Snippet

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

    Those that were chosen `before` keep their order and stand first, so that the prompt begins as
    it did; what is new stands behind them.
    """
    stay = {_key(item) for item in before}
    ranked = sorted(found, key=lambda item: -item.score * (STAY if _key(item) in stay else 1))
    chosen: list[Found] = []
    seen = _lines(shown)
    for kinds, share in (*(((kind,), share) for kind, share in SHARES.items()), (SHARES, 1.0)):
        for item in ranked:
            fits = sum(map(_size, [*chosen, item])) <= room * share
            if item.kind in kinds and fits and not _known(item, seen, chosen):
                chosen.append(item)
                seen |= _lines(item.text)
    return _in_place(chosen, before)


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
    """One for each file, where its first text stands; its texts in the file's order."""
    files: dict[str, list[Found]] = {}
    for item in chosen:
        files.setdefault(item.path, []).append(item)
    return tuple(
        Snippet(path, "\n".join(item.text for item in sorted(items, key=lambda item: item.line)))
        for path, items in files.items()
    )


def _key(item: Found) -> tuple[str, str]:
    """The same for a text that was edited below its first line, or moved."""
    return item.path, item.text.partition("\n")[0]


def _size(item: Found) -> int:
    return len(item.text) + len(item.path) + _TITLE


def _lines(text: str) -> set[str]:
    return {line.strip() for line in text.split("\n") if line.strip()}


def _known(item: Found, seen: set[str], chosen: Sequence[Found]) -> bool:
    lines = _lines(item.text)
    shared = len(lines & seen) >= KNOWN * len(lines)
    return shared or any(_overlap(item, other) for other in chosen)


def _overlap(one: Found, other: Found) -> bool:
    first, second = sorted((one, other), key=lambda item: item.line)
    return first.path == second.path and second.line <= first.line + first.text.count("\n")
