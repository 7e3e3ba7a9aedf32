"""A file cut into pieces of a few lines, for search. Pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsp_server.documents import body, split_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

LINES = 24
"""At most, in one piece."""
_LEAST = 8
"""A piece ends before a line at the margin once it has so many."""

SHOWN = 10
"""Lines of a piece that are shown."""


def chunks(text: str) -> list[tuple[int, str]]:
    """Pieces and the indices of their first lines; blank lines around them are left out.

    They end where something new begins at the margin, or when they are full.
    """
    lines = [body(line) for line in split_lines(text)]
    edges = [0]
    for index, line in enumerate(lines):
        long = index - edges[-1]
        begins = line[:1].strip() not in ("", "}", ")", "]") and not lines[index - 1].strip()
        if long >= LINES or (long >= _LEAST and begins):
            edges.append(index)
    pieces = ((at, lines[at:end]) for at, end in zip(edges, [*edges[1:], len(lines)], strict=True))
    return [_stripped(at, piece) for at, piece in pieces if any(line.strip() for line in piece)]


def excerpt(text: str, words: Sequence[str]) -> tuple[int, str, int]:
    r"""The lines that have most of the words: index of the first, text, how many words.

    >>> excerpt("a\n" * 20 + "b c\n" + "a\n" * 20, ["b", "c", "d"])[2]
    2
    """
    lines = text.split("\n")
    held = [{word for word in words if word in line.lower()} for line in lines]
    starts = range(max(len(lines) - SHOWN, 0) + 1)
    first = max(starts, key=lambda at: len(set().union(*held[at : at + SHOWN])))
    shown = lines[first : first + SHOWN]
    shared = set[str]().union(*held[first : first + SHOWN])
    return first, "\n".join(shown), len(shared)


def _stripped(at: int, lines: list[str]) -> tuple[int, str]:
    full = [index for index, line in enumerate(lines) if line.strip()]
    return at + full[0], "\n".join(lines[full[0] : full[-1] + 1])
