"""Where a model begins to go round in circles. Pure functions."""

from __future__ import annotations

import re

TIMES = 3
"""As often must lines come in a row to be a circle."""
_PERIOD = 4
"""Lines of the longest circle."""
LOOK_BACK = _PERIOD * TIMES
"""Lines that show any circle."""
_TELLING = re.compile(r"\w.*\w")
_EDGE = re.compile(r"(?:end|fi|done|esac)\b[)\]},;]*|</?[\w.-]+>")
"""Lines that only open or close a block: blocks in one another begin or end with several."""
_IN_LINE = re.compile(r"(\S.{1,39}?)\1{5,}(.{0,39})\Z")
"""The same characters six times in a row, and what may be the beginning of a seventh."""
_RUN = 60
"""Characters of which fewer are no circle, but `0, 0, 0, 0, 0, 0` and the like."""
_REACH = 320
"""Characters that are looked at."""


def circle(lines: list[str]) -> int:
    """How many of the last lines only repeat those before them: 0 for none.

    >>> circle(["a = 1", "go()", "go()", "go()"]), circle(["a1", "b2", "a1", "b2", "a1", "b2"])
    (2, 4)
    >>> circle(["}", "}", "}"]), circle(["end", "end", "end"]), circle(["go()", "go()"])
    (0, 0, 0)
    """
    for period in range(1, _PERIOD + 1):
        last = lines[-period * TIMES :]
        once = last[:period]
        if last == once * TIMES and any(map(_is_telling, once)):
            return period * (TIMES - 1)
    return 0


def _is_telling(line: str) -> bool:
    return bool(_TELLING.search(line)) and not _EDGE.fullmatch(line)


def cut_circles(text: str) -> str:
    r"""The text up to where it begins to repeat itself.

    >>> cut_circles("a = 1\ngo()\ngo()\n  go()\nb = 1")
    'a = 1\ngo()'
    """
    lines = text.split("\n")
    stripped = [line.strip() for line in lines]
    for number, line in enumerate(lines):
        again = stutter(line)
        if again is not None:
            return "\n".join([*lines[:number], line[:again]])
        repeated = circle(stripped[max(number + 1 - LOOK_BACK, 0) : number + 1])
        if repeated:
            return "\n".join(lines[: number + 1 - repeated])
    return text


def stutter(line: str) -> int | None:
    """Offset in a line from which it only repeats itself, or None.

    >>> stutter("x = [" + "0, 1, " * 12), stutter("abc" * 3), stutter("# " + "-" * 70)
    (11, None, None)

    A run that ends in something else has been ended by who wrote it.

    >>> stutter("x = [" + "0, 1, " * 12 + "2]")
    """
    cut = max(len(line) - _REACH, 0)
    found = _IN_LINE.search(line, cut)
    if found is None or len(set(found[1])) < 2 or not re.search(r"\w", found[1]):
        return None
    if not found[1].startswith(found[2]) or len(found[0]) < _RUN:
        return None
    start, size = found.start(), len(found[1])
    while line.endswith(found[1], 0, start):
        start -= size
    return start + size
