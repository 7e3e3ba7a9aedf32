"""Where a model begins to go round in circles. Pure functions."""

from __future__ import annotations

import re

TIMES = 3
"""As often must lines come in a row to be a circle."""
_PERIOD = 4
"""Lines of the longest circle."""
_TELLING = re.compile(r"\w{2}")
_IN_LINE = re.compile(r"(\S.{1,39}?)\1{5,}.{0,40}\Z")
"""The same characters six times in a row, up to what may be the beginning of a seventh."""
_LOOK_BACK = 320


def circle(lines: list[str]) -> int | None:
    """Index of the line from which the last lines only repeat those before them, or None.

    >>> circle(["a = 1", "go()", "go()", "go()"]), circle(["a1", "b2", "a1", "b2", "a1", "b2"])
    (2, 2)
    >>> circle(["}", "}", "}"]), circle(["go()", "go()"])
    (None, None)
    """
    for period in range(1, _PERIOD + 1):
        last = lines[-period * TIMES :]
        once = last[:period]
        if last == once * TIMES and any(_TELLING.search(line) for line in once):
            return len(lines) - period * (TIMES - 1)
    return None


def stutter(line: str) -> int | None:
    """Offset in a line from which it only repeats itself, or None.

    >>> stutter("x = [" + "0, 1, " * 9), stutter("abc" * 3), stutter("# " + "-" * 70)
    (11, None, None)
    """
    cut = max(len(line) - _LOOK_BACK, 0)
    found = _IN_LINE.search(line, cut)
    if found is None or len(set(found[1])) < 2 or not re.search(r"\w", found[1]):
        return None
    return found.start() + len(found[1])
