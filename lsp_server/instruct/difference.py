"""Finds the equal lines of two texts, in nearly linear time. Pure functions.

difflib's own way is quadratic in lines that repeat, of which every file has many: it is only asked
for what lies between lines that stand once in either text.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SMALL = 2_500
"""Most pairs of lines that are left to difflib."""
_DEPTH = 12
"""Most levels of division at unique lines; a large part that is left then counts as changed."""
Part = tuple[int, int, int, int]
"""Start and end of a part in the old lines, then in the new ones."""


def matches(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int]]:
    """Return runs of equal lines as (index in `old`, index in `new`, length), in their order."""
    runs: list[tuple[int, int, int]] = []
    for at, to, size in _matched(old, new, (0, len(old), 0, len(new)), _DEPTH):
        if runs and (at, to) == (runs[-1][0] + runs[-1][2], runs[-1][1] + runs[-1][2]):
            runs[-1] = *runs[-1][:2], runs[-1][2] + size
        elif size:
            runs.append((at, to, size))
    return runs


def changes(old: Sequence[str], new: Sequence[str]) -> Iterator[Part]:
    """Yield the parts between the runs of `matches`, in their order."""
    at = to = 0
    for first, start, size in [*matches(old, new), (len(old), len(new), 0)]:
        if (at, to) != (first, start):
            yield at, first, to, start
        at, to = first + size, start + size


def _matched(
    old: Sequence[str], new: Sequence[str], part: Part, depth: int
) -> Iterator[tuple[int, int, int]]:
    first, last, start, end = part
    head = 0
    while first + head < last and start + head < end and old[first + head] == new[start + head]:
        head += 1
    yield first, start, head
    first, start, tail = first + head, start + head, 0
    while tail < min(last - first, end - start) and old[last - tail - 1] == new[end - tail - 1]:
        tail += 1
    last, end = last - tail, end - tail
    if (last - first) * (end - start) <= _SMALL:
        matcher = SequenceMatcher(None, old[first:last], new[start:end], autojunk=False)
        for at, to, size in matcher.get_matching_blocks():
            yield first + at, start + to, size
    elif depth:
        for at, to in [*_anchors(old, new, (first, last, start, end)), (last, end)]:
            yield from _matched(old, new, (first, at, start, to), depth - 1)
            first, start = at, to
    yield last, end, tail


def _anchors(old: Sequence[str], new: Sequence[str], part: Part) -> list[tuple[int, int]]:
    """Return lines that stand once in both, as many as are in the same order in both."""
    first, last, start, end = part
    once = {line for line, count in Counter(old[first:last]).items() if count == 1}
    there = {line for line, count in Counter(new[start:end]).items() if count == 1}
    places = {line: index for index, line in enumerate(new[start:end], start) if line in there}
    pairs = [
        (index, places[line])
        for index, line in enumerate(old[first:last], first)
        if line in once and line in places
    ]
    return _rising(pairs)


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest part of the pairs whose second numbers rise, as their first ones do."""
    tops: list[int] = []
    chain: list[int] = []
    before: list[int] = []
    for index, (_, to) in enumerate(pairs):
        place = bisect(tops, to)
        before.append(chain[place - 1] if place else -1)
        tops[place : place + 1] = [to]
        chain[place : place + 1] = [index]
    found, at = [], chain[-1] if chain else -1
    while at >= 0:
        found.append(pairs[at])
        at = before[at]
    return found[::-1]
