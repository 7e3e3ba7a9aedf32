"""Where a completion ends, decided while it streams. Pure functions over the text so far."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsp_server.brackets import first_surplus, indent, strays
from lsp_server.shape import END_WORDS, Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lsp_server.context import Site

_LEADING_LINES = 1
"""Line ends that a one-line completion may begin with: the caret's line may be complete."""
_CLOSERS = {
    "bracket": re.compile(r"\s*[)\]}]+[)\]};,]*"),
    "word": re.compile(rf"\s*(?:{'|'.join(END_WORDS)})\b[;)]*"),
}


def end_of(text: str, site: Site, shape: Shape, *, final: bool) -> int | None:
    """Length of the whole completion, or None while it has to go on.

    Args:
        text: what the model wrote so far.
        site: where it is to be inserted.
        shape: what it should look like.
        final: the model has ended, so the last line is complete.
    """
    if shape.kind == "block":
        end = _block_end(text, site, shape, final=final)
    else:
        end = _line_end(text, leading=_LEADING_LINES if shape.kind == "line" else 0)
    surplus = first_surplus(strays(text, site), shape.wanted)
    ends = [offset for offset in (end, surplus) if offset is not None]
    return min(ends, default=len(text) if final else None)


def _line_end(text: str, leading: int) -> int | None:
    """The first line end after something was written; too many before that: nothing at all."""
    start = len(text) - len(text.lstrip())
    if text.count("\n", 0, start) > leading:
        return 0
    end = text.find("\n", start)
    return None if end < 0 else end


def _block_end(text: str, site: Site, shape: Shape, *, final: bool) -> int | None:
    """The first line outside of the block, the block's own closer, or text that follows anyway."""
    below = site.below[0].rstrip() if site.below else None
    for number, (start, line, complete) in enumerate(_lines(text, final=final)):
        if number and line.strip() and indent(line) < shape.floor:
            return _dedent_end(start, line, shape, complete=complete)
        if not complete:
            return None
        if number and line.rstrip() == below:
            return start
        if shape.ends == "bracket" and strays(text[: start + len(line)], site):
            return start + len(line)
    return None


def _dedent_end(start: int, line: str, shape: Shape, *, complete: bool) -> int | None:
    """Before the line, or after the closers that it begins with when they are still missing."""
    if shape.closed or shape.ends == "dedent":
        return start
    found = _CLOSERS[shape.ends].match(line)
    if found and (complete or found.end() < len(line)):
        return start + found.end()
    return None if not complete and _may_close(line, shape) else start


def _may_close(line: str, shape: Shape) -> bool:
    """Whether the beginning of a line may still turn out to be, or to go on with, closers."""
    if shape.ends == "bracket":
        return _CLOSERS["bracket"].fullmatch(line) is not None
    return any(word.startswith(line.strip(" \t;)")) for word in END_WORDS)


def _lines(text: str, *, final: bool) -> Iterator[tuple[int, str, bool]]:
    """(offset, line without its end, whether it is complete)."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield start, text[start:end], True
        start = end + 1
    yield start, text[start:], final
