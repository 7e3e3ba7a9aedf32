"""Cutting a document to a number of tokens, at places that stay put while one types.

A window that slid with every line would begin the prompt with other tokens each time, and nothing
of the KV cache could be used again. Work is bounded by the room, not by the document: characters
bound what is encoded. `size` counts the tokens of a text and is asked for the same texts again
and again, so it should remember.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_CHARS_PER_TOKEN = 6
"""More than code has on average."""
_GRIDS = (64, 16, 4, 1)
"""A window begins at a multiple of so many lines: the coarsest one that fills half the room."""


def tail(text: str, room: int, size: Callable[[str], int]) -> str:
    """The end of `text`, of at most `room` tokens.

    It begins at a line start, and while lines are added it drops them in blocks. Only where the
    last line alone is too long, it begins inside that line, and drops blocks of characters.
    """
    if room <= 0:
        return ""
    lines = _line_starts(text, max(0, len(text) - room * _CHARS_PER_TOKEN))
    for grid in _GRIDS:
        window = _longest_tail(text, [at for line, at in lines if line % grid == 0], room, size)
        half = 2 * len(window) >= room * _CHARS_PER_TOKEN or 2 * size(window) >= room
        if half or len(window) == len(text):
            return window
    return window or _longest_tail(text, _inside_last_line(text, room), room, size)


def head(text: str, room: int, size: Callable[[str], int]) -> str:
    """The beginning of `text`, of at most `room` tokens: whole lines if at least one fits."""
    if room <= 0:
        return ""
    near = text[: room * _CHARS_PER_TOKEN]
    ends = [at for _, at in _line_starts(near, 0)[1:]]
    if near == text or near.endswith("\n"):
        ends.append(len(near))
    return _longest_head(text, ends, room, size) or _longest_head(
        text, list(range(0, len(near), _step(room))), room, size
    )


def last_lines(text: str, room: int, size: Callable[[str], int]) -> str:
    """As many as fit, each whole: the rest of a comment would be read as code."""
    while text and size(text) > room:
        text = text.partition("\n")[2]
    return text


def _step(room: int) -> int:
    """Characters between places inside a line; so many fit, at four tokens each."""
    return max(1, room // 4)


def _line_starts(text: str, near: int) -> list[tuple[int, int]]:
    """Number and place of each line that begins at `near` or behind it, up to the last one."""
    line, at = text.count("\n", 0, near), near
    if near > 0 and text[near - 1] != "\n":
        line, at = line + 1, text.find("\n", near) + 1 or len(text)
    starts = []
    while at < len(text):
        starts.append((line, at))
        line, at = line + 1, text.find("\n", at) + 1 or len(text)
    return starts


def _inside_last_line(text: str, room: int) -> list[int]:
    """Places in the last line, at multiples of a step from its beginning."""
    step, line = _step(room), text.rfind("\n", 0, -1) + 1
    near = max(0, len(text) - line - room * _CHARS_PER_TOKEN)
    return list(range(line + -(-near // step) * step, len(text), step))


def _longest_tail(text: str, starts: list[int], room: int, size: Callable[[str], int]) -> str:
    """The text from the first of the ascending `starts` that fits; empty when none does."""
    found = bisect_left(starts, True, key=lambda at: size(text[at:]) <= room)
    return text[starts[found] :] if found < len(starts) else ""


def _longest_head(text: str, ends: list[int], room: int, size: Callable[[str], int]) -> str:
    """The text up to the last of the ascending `ends` that fits; empty when none does."""
    found = bisect_left(ends, True, key=lambda at: size(text[:at]) > room)
    return text[: ends[found - 1]] if found else ""
