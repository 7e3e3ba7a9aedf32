"""How far a completion should reach: within the line, to its end, or over a block."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from lsp_server.brackets import indent, loose, wanted_closers

if TYPE_CHECKING:
    from lsp_server.context import Site
    from lsp_server.settings import Multiline

_CLOSING = " \t)]}>\"'`;,:"
"""What an editor's auto-closing may have put after the caret."""
_OPENER = re.compile(r"(?:[:{(\[]|\b(?:then|do|else))\s*$")
_TRIPLE = ('"""', "'''")
_DOCSTRING_START = re.compile(r"""[rRuU]?("{3}|'{3})""")
_COMMENTS = ("#", "//", "/*", "*", "--")
END_WORDS = ("end", "fi", "done", "esac")


@dataclass(frozen=True, slots=True)
class Shape:
    """What the completion at one caret should look like."""

    kind: Literal["inline", "line", "block"]
    """inline: text follows on the caret's line, so stay in it; line: one line; block: a body."""
    floor: int = 0
    """For a block: a line indented by fewer columns lies outside of it."""
    ends: Literal["dedent", "bracket", "word"] = "dedent"
    """For a block: what closes it."""
    closed: bool = False
    """For a block: that stands after the caret already."""
    wanted: tuple[str, ...] = field(default=(), compare=False)
    """See `brackets.wanted_closers`."""


def shape_of(site: Site, multiline: Multiline) -> Shape:
    """Decide from the text around the caret.

    A block is wanted where the caret's line opens one, or stands empty in one just opened, and the
    lines below do not hold its body already. With "always", a block is wanted everywhere but
    inside of a line.
    """
    return replace(_shape(site, multiline), wanted=tuple(wanted_closers(site)))


def _shape(site: Site, multiline: Multiline) -> Shape:
    if site.tail.strip(_CLOSING):
        return Shape("inline")
    if multiline == "never":
        return Shape("line")
    opener = site.head if site.head.strip() else code_above(site)
    opens = opens_block(opener, site.language)
    if opens and not (multiline == "auto" and _has_body(site, opener)):
        return _block(site, opener)
    return Shape("block", indent(opener)) if multiline == "always" else Shape("line")


def code_above(site: Site) -> str:
    r"""The nearest line above that is neither blank nor a comment nor in a docstring, or "".

    >>> code_above(Site("def f():\n    # Why.\n\n    ", "", "python"))
    'def f():'
    """
    quote = ""
    for line in reversed(site.prefix.split("\n")[:-1]):
        text = line.strip()
        found = _DOCSTRING_START.match(text)
        if quote:
            quote = "" if found and found[1] == quote else quote
        elif text.endswith(_TRIPLE):
            quote = "" if found and len(text) > len(found[0]) else text[-3:]
        elif text and not text.startswith(_COMMENTS):
            return line
    return ""


def opens_block(line: str, language: str) -> bool:
    """Whether the next line is expected to be indented deeper.

    >>> [opens_block(text, "python") for text in ("if x:", "def f(a:", "f(", "x = 1")]
    [True, False, True, False]
    """
    if not _OPENER.search(line):
        return False
    return not (line.rstrip().endswith(":") and loose(line, language)[1])


def _block(site: Site, opener: str) -> Shape:
    floor, last = indent(opener) + 1, opener.rstrip()[-1]
    if last in "({[":
        return Shape("block", floor, "bracket", closed=not wanted_closers(site))
    if last == ":":
        return Shape("block", floor)
    closed = any(_is_end(line) and indent(line) == floor - 1 for line in site.below[:1])
    return Shape("block", floor, "word", closed)


def _is_end(line: str) -> bool:
    return line.strip(" \t;)").split(" ", 1)[0] in END_WORDS


def _has_body(site: Site, opener: str) -> bool:
    return any(indent(line) > indent(opener) for line in site.below[:1])
