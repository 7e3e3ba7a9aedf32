"""What a suggestion repeats of the text around the caret. Pure functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsp_server.brackets import CLOSERS, Balance, indent, is_closing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lsp_server.context import Site

_SHORT = 3
"""An overlap of words shorter than this is chance."""
_LONG = 12
"""A line of as many letters says the same at any depth."""
_LONGEST = 1_000
"""Characters of the rest of a line that are looked for."""
_TELLING = 8
"""Signs of the rest of a line that are no chance when they come again in the middle of a text."""
_TRIED = 12
"""Overlaps that are looked at, the longest first."""
_LINES = 64
"""Lines above or below the caret that a text may write again."""
_MARKS = re.compile(r"(?<=\w)[^\S\n]+(?=\w)|\n|\S")
"""Letters, signs, line ends and the white space between two words: what an overlap has to have."""
_REPEATED_HEAD = 6
"""Letters of the caret's line that are no chance when they come again."""


def drop_tail_overlap(text: str, site: Site) -> str:
    """Drop an ending that the rest of the caret's line repeats, with any white space in it.

    >>> drop_tail_overlap('hello")', Site('print("', '")'))
    'hello'
    >>> drop_tail_overlap("max", Site("f(", "x)"))
    'max'
    >>> drop_tail_overlap(".close()", Site("reader", "se()"))
    '.clo'
    >>> drop_tail_overlap("1,  'b' : 2}", Site("{'a': ", ", 'b': 2}"))
    '1'
    """
    tail = site.tail.rstrip()
    again = _rest_again(text, site)
    if again is not None:
        return text[:again]
    sizes = tail_overlaps(text, site)[:_TRIED]
    leaving = _leave_open(text, sizes, site.language)
    size = next((size for size in sizes if _is_repeat(text, tail, size, next(leaving))), 0)
    return text[: len(text) - size]


def tail_overlaps(text: str, site: Site) -> list[int]:
    """Return the sizes of endings that the rest of the caret's line begins with, longest first.

    They may differ in white space, but for that between two words.
    """
    offsets, ending = _marks(text, max(len(text) - 2 * _LONGEST, 0))
    _, beginning = _marks(site.tail[:_LONGEST])
    return [
        len(text) - _end_before(text, offsets[-count], site)
        for count in range(min(len(beginning), len(ending)), 0, -1)
        if ending.endswith(beginning[:count])
    ]


def _rest_again(text: str, site: Site) -> int | None:
    """Return where the first line writes the whole rest of the caret's line, and then goes on."""
    if is_closing(site.tail):
        return None
    line, newline, _ = text.partition("\n")
    offsets, there = _marks(line[:_LONGEST])
    _, rest = _marks(site.tail[:_LONGEST])
    at = there.find(rest)
    goes_on = newline if there.endswith(rest) else len(rest) >= _TELLING
    return _end_before(text, offsets[at], site) if at >= 0 and goes_on else None


def _marks(text: str, start: int = 0) -> tuple[list[int], str]:
    """Return what counts of a text, with the offset of each."""
    found = list(_MARKS.finditer(text, start))
    signs = (each[0] if each[0] == "\n" or not each[0].isspace() else " " for each in found)
    return [each.start() for each in found], "".join(signs)


def _end_before(text: str, offset: int, site: Site) -> int:
    """Return where a text ends before what is at `offset`, to go on with the caret's line."""
    return len(text[:offset].rstrip(" \t")) if site.tail[:1].isspace() else offset


def _leave_open(text: str, sizes: Sequence[int], language: str) -> Iterator[bool]:
    """Yield for each ending, the longest first, whether dropping it leaves brackets open."""
    balance = Balance(language)
    left = []
    for size in [*sizes, 0]:
        balance.feed(text[: len(text) - size])
        left.append(len(balance.openers))
    return (count > left[-1] for count in left)


def _is_repeat(text: str, tail: str, size: int, leaves_open: bool) -> bool:
    """Whether an overlap is more than chance, and dropping it leaves no bracket open."""
    kept, dropped = text[: len(text) - size], text[len(text) - size :]
    all_of_it = squeezed(dropped) == squeezed(tail)
    telling = all_of_it or len(dropped.strip()) >= _SHORT or not _has_word(dropped)
    whole = all_of_it and size > _SHORT
    splits_word = _has_word(dropped[0]) and _has_word(kept[-1:]) and not whole
    if not telling or splits_word:
        return False
    return not (leaves_open and any(char in CLOSERS for char in dropped))


def drop_lines_below(text: str, site: Site) -> str:
    r"""Drop last lines that stand below the caret already, whatever white space is in them.

    >>> drop_lines_below("a()\n    return f(x,y)", Site("    ", "\n    return f(x, y)\n"))
    'a()'

    What the text itself puts deeper is other code, though the words are the same.

    >>> drop_lines_below("\n        return result", Site("    if a:", "\n    return result\n"))
    '\n        return result'
    """
    if site.tail.strip():
        return text
    lines = (site.head + text).split("\n")
    written = [number for number, line in enumerate(lines) if line.strip()]
    below = site.below[:_LINES]
    for count in range(min(len(written), len(below)), 0, -1):
        last = written[-count:]
        if all(repeats(lines, at, line, site) for at, line in zip(last, below, strict=False)):
            kept = "\n".join(lines[: last[0]])
            return kept[len(site.head) :]
    return text


def repeats(lines: Sequence[str], at: int, there: str, site: Site) -> bool:
    """Whether one of the lines is `there` again, and not the body of the line before it.

    Args:
        lines: what is written, with what stands before the caret on its line.
        at: index of the line.
        there: a line below the caret.
        site: the caret.
    """
    line = lines[at]
    if not same_line(line, there):
        return False
    above = (lines[number] for number in range(at - 1, -1, -1))
    before = next((line for line in above if line.strip()), site.above)
    return not indent(there) <= indent(before) < indent(line)


def repeats_above(text: str, site: Site) -> bool:
    r"""Whether it is, as a whole, what stands above the caret, or begins the caret's line anew.

    >>> repeats_above("b()\nc()", Site("a()\nb()\nc()\n", ""))
    True
    >>> repeats_above("total = sum(x)", Site("total = ", ""))
    True
    """
    if begins_anew(text, site):
        return True
    if site.tail.strip():
        return False
    lines = [line for line in (site.head + text).split("\n") if line.strip()]
    above = [line for line in site.prefix[: -len(site.head) or None].split("\n") if line.strip()]
    return len(lines) <= len(above) and all(map(same_line, lines, above[-len(lines) :]))


def begins_anew(text: str, site: Site) -> bool:
    """Whether it writes again what stands before the caret on its line."""
    head = squeezed(site.head)
    return len(head) >= _REPEATED_HEAD and squeezed(text).startswith(head)


def same_line(written: str, there: str) -> bool:
    """Whether two lines differ in white space only."""
    letters = squeezed(written)
    if letters != squeezed(there):
        return False
    return len(letters) >= _LONG or indent(written) == indent(there)


def squeezed(text: str) -> str:
    """Without white space."""
    return "".join(text.split())


def _has_word(text: str) -> bool:
    return any(char.isalnum() or char == "_" for char in text)
