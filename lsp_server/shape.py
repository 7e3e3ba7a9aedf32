"""How far a completion should reach: within the line, to its end, or over a block."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from lsp_server.blocks import (
    first_word,
    floor_under,
    holds_members,
    is_branch,
    needs_after,
    opened_by_word,
    opening_bracket,
    opens_block,
    with_heading,
    words,
)
from lsp_server.brackets import indent, is_closing, wanted_closers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lsp_server.context import Site
    from lsp_server.settings import Multiline

_TRIPLE = ('"""', "'''")
_DOCSTRING_START = re.compile(r"""[rRuU]?("{3}|'{3})""")
_COMMENTS = ("#", "//", "/*", "*", "--")


@dataclass(frozen=True, slots=True)
class Shape:
    """What the completion at one caret should look like."""

    kind: Literal["inline", "line", "block"]
    """inline: text follows on the caret's line, so stay in it; line: one line; block: a body."""
    floor: int = 0
    """For a block: a line indented by fewer columns lies outside of it."""
    ends: Literal["dedent", "bracket", "word", "branch"] = "dedent"
    """For a block: what closes it."""
    closed: bool = False
    """For a block: that stands after the caret already."""
    needs: tuple[str, ...] = ()
    """For a block: words of which one must begin another block after it."""
    grows: bool = field(default=False, compare=False)
    """For a line: where it opens a bracket or a block, go on to the end of that."""
    wanted: tuple[str, ...] = field(default=(), compare=False)
    """See `brackets.wanted_closers`."""
    fills: bool = field(default=False, compare=False)
    """First of all as far as the model goes by itself, where that fits: see `hole`."""


def shape_of(site: Site, multiline: Multiline, *, fills: bool = False) -> Shape:
    """Decide from the text around the caret.

    A block is wanted where the caret's line opens one, or stands empty in one just opened, and the
    lines below do not hold its body already. With "always", a block is wanted everywhere but
    inside of a line. `fills` is as in `Shape`.
    """
    wanted = tuple(wanted_closers(site))
    shape = _shape(site, multiline, wanted)
    return replace(shape, wanted=wanted, grows=multiline != "never", fills=fills)


def grown(line: str, site: Site, *, own_brackets: bool) -> Shape | None:
    """The block that the model opens by a whole line; None where the line stands for itself.

    Args:
        line: the line, with what stands before the caret.
        site: the caret at which it is written.
        own_brackets: it leaves brackets open that the model wrote.
    """
    if _has_body(site, line):
        return None
    if own_brackets:
        return Shape("block", floor_under(line), "bracket", needs=needs_after(line))
    if opens_block(line, site.language):
        return _block(site, line, closed=False)
    return None


def _shape(site: Site, multiline: Multiline, wanted: tuple[str, ...]) -> Shape:
    if not is_closing(site.tail):
        return Shape("inline")
    if multiline == "never":
        return Shape("line")
    above = _code_lines(site)
    line = site.head if site.head.strip() else next(above, "")
    opener = with_heading(line, next(above, ""))
    opens = opens_block(opener, site.language)
    filled = multiline == "auto" and not site.tail.strip() and _has_body(site, opener)
    if opens and not filled:
        block = _block(site, opener, closed=not wanted)
        whole = block.closed or block.ends == "dedent"
        members = multiline == "auto" and whole and holds_members(opener)
        return Shape("line") if members else block
    return Shape("block", indent(opener)) if multiline == "always" else Shape("line")


def code_above(site: Site) -> str:
    r"""The nearest line above that is neither blank nor a comment nor in a docstring, or "".

    >>> code_above(Site("def f():\n    # Why.\n\n    ", "", "python"))
    'def f():'
    """
    return next(_code_lines(site), "")


def _code_lines(site: Site) -> Iterator[str]:
    """Those above that are neither blank nor comments nor in docstrings, the nearest first."""
    quote = ""
    for line in reversed(site.prefix.split("\n")[:-1]):
        text = line.strip()
        found = _DOCSTRING_START.match(text)
        if quote:
            quote = "" if found and found[1] == quote else quote
        elif text.endswith(_TRIPLE):
            quote = "" if found and len(text) > len(found[0]) else text[-3:]
        elif text and not text.startswith(_COMMENTS):
            yield line


def _block(site: Site, opener: str, *, closed: bool) -> Shape:
    """`closed`: the text after the caret closes all brackets."""
    floor, needs = floor_under(opener), needs_after(opener)
    last = opening_bracket(opener)
    if last == ":":
        return Shape("block", floor, needs=needs)
    if last:
        return Shape("block", floor, "bracket", closed, needs)
    assert opened_by_word(opener, site.language)
    below = site.below[:1]
    if is_branch(opener, site.language):
        return Shape("block", floor, "branch")
    known = words(site.language)
    ended = known and any(
        first_word(line) in (*known.ends, *known.parts) and indent(line) == indent(opener)
        for line in below
    )
    return Shape("block", floor, "word", bool(ended))


def _has_body(site: Site, opener: str) -> bool:
    return any(indent(line) > indent(opener) for line in site.below[:1])
