"""The hole that a caret stands in, and where a text has filled it. Pure functions.

A model for infilling has read what follows the caret, and it says itself where its text joins that:
by a token of its own. Nobody sees that who ends its text at a line or a block. So where somebody
asks by hand and can wait for it, it is waited for; where the text then fits as a whole, there is no
better evidence that it is right.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from lsp_server.blocks import PARTS, opens_block
from lsp_server.overlap import repeats, same_line
from lsp_server.repetition import cut_circles
from lsp_server.shape import code_above

if TYPE_CHECKING:
    from lsp_server.context import Site

_DIRECTIVES = ("c", "cpp", "csharp")
"""Languages whose lines with # at the margin may stand in a block."""
_REACH = 16
"""Lines below the caret among which is looked for what a text writes again."""


def filling(text: str, site: Site, *, ended: bool) -> str:
    """What of a text fills the hole; "" where the text does not tell.

    Args:
        text: what the model wrote.
        site: the caret at which it is written.
        ended: the model ended it.
    """
    end = _behind(f"{text}\n" if ended else text, site)
    found = text if end is None else text[:end]
    told = end is not None or (ended and not _goes_round(text))
    return found if told and not _rewrites(found, site) else ""


def is_past(text: str, site: Site) -> bool:
    """Whether no more needs to be read: the hole ends, or the text has missed its end."""
    whole = text[: text.rfind("\n") + 1]
    return _behind(text, site) is not None or _goes_round(text) or _rewrites(whole, site)


def _behind(text: str, site: Site) -> int | None:
    r"""Where the first whole line begins that lies behind the hole, or None.

    It is the line below the caret once more, or one at the margin where the caret stands in a
    block.

    >>> _behind("a\n    b()\nc", Site("    ", "\n    b()\n"))
    2
    >>> _behind("a\n\ndef g():\n", Site("def f():\n    ", ""))
    3
    """
    below, inside = site.below[0] if site.below else "", _is_in_block(site)
    start, lines = text.find("\n") + 1, (site.head + text).split("\n")
    for number, line in enumerate(lines[1:-1], start=1):
        at_margin = inside and _is_at_margin(line, site.language)
        if at_margin or (below and repeats(lines, number, below, site)):
            return start
        start += len(line) + 1
    return None


def _rewrites(text: str, site: Site) -> bool:
    r"""Whether two lines in a row stand below the caret in a row: then it has missed the end.

    >>> _rewrites("a()\nb()\nc()", Site("", "\nd()\nb()\nc()\n"))
    True
    """
    written = [line for line in text.split("\n")[1:] if line.strip()]
    there = list(pairwise(site.below[:_REACH]))
    return any(
        same_line(one, above) and same_line(two, under)
        for one, two in pairwise(written)
        for above, under in there
    )


def _is_in_block(site: Site) -> bool:
    line = site.head if site.head.strip() else code_above(site)
    return line[:1].isspace() or opens_block(line, site.language)


def _is_at_margin(line: str, language: str) -> bool:
    """Not so closers and other parts of a block, and directives of a preprocessor."""
    directive = line.startswith("#") and language in _DIRECTIVES
    return bool(line) and not line[0].isspace() and not directive and not PARTS.match(line)


def _goes_round(text: str) -> bool:
    return cut_circles(text) != text
