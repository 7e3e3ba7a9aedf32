"""How much of a text goes into a prompt. There is no tokenizer here, so tokens are estimated."""

from __future__ import annotations

import math
import re

_BYTES_PER_TOKEN = 3
"""Less than any of our models needs for code (Qwen's about 3.4, Code Llama's 3.1)."""
_TICKS = re.compile("`{3,}")
CUT = "[…]"
"""Where something was left out."""


def tokens(text: str) -> int:
    """At most about so many, for any model."""
    return math.ceil(len(text.encode("utf-8", "replace")) / _BYTES_PER_TOKEN)


def around(lines: list[str], first: int, last: int, room: int) -> tuple[int, int]:
    """The lines around some that fit `room` tokens, as (first, last); never less than those."""
    room -= sum(tokens(line + "\n") for line in lines[first : last + 1])
    top, bottom = first, last
    while room > 0 and (top > 0 or bottom + 1 < len(lines)):
        above = top > 0 and (first - top <= bottom - last or bottom + 1 == len(lines))
        index = top - 1 if above else bottom + 1
        room -= tokens(lines[index] + "\n")
        if room >= 0:
            top, bottom = (index, bottom) if above else (top, index)
    return top, bottom


def head(text: str, room: int) -> str:
    """The beginning of a text in whole lines, marked where it was cut."""
    kept: list[str] = []
    for line in text.split("\n"):
        room -= tokens(line + "\n")
        if room < 0:
            return "\n".join([*kept, CUT])
        kept.append(line)
    return "\n".join(kept)


def ends(text: str, room: int) -> str:
    """The beginning and the end of a text, whose middle may go."""
    if tokens(text) <= room:
        return text
    lines = text.split("\n")
    back = "\n".join(reversed(head("\n".join(reversed(lines)), room * 3 // 4).split("\n")))
    return f"{head(text, room // 4).removesuffix(CUT)}{back}"


def fenced(code: str, language: str = "") -> str:
    """A code block that no text within can end."""
    longest = max((len(ticks) for ticks in _TICKS.findall(code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{code}\n{fence}"


def numbered(lines: list[str], first: int) -> str:
    """Lines with their numbers, counted from 1; `first` is the index of the first one."""
    width = len(str(first + len(lines)))
    return "\n".join(f"{first + n:>{width}} | {line}" for n, line in enumerate(lines, start=1))
