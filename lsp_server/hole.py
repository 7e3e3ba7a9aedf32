"""The hole that a caret stands in, and where a text has filled it. Pure functions.

A model for infilling has read what follows the caret, and it says itself where its text joins that:
by a token of its own. Nobody sees that who ends its text at a line or a block. So where somebody
asks by hand and can wait for it, it is waited for; where the text then fits as a whole, there is no
better evidence that it is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsp_server.blocks import opens_block
from lsp_server.overlap import same_line
from lsp_server.repetition import cut_circles
from lsp_server.shape import code_above
from lsp_server.syntax import PARTS

if TYPE_CHECKING:
    from lsp_server.context import Site


def filling(text: str, site: Site, *, ended: bool) -> str:
    """What of a text fills the hole; "" where the text does not tell.

    Args:
        text: what the model wrote.
        site: the caret at which it is written.
        ended: the model ended it.
    """
    end = _behind(text, site)
    if end is not None:
        return text[:end]
    return text if ended and not _goes_round(text) else ""


def is_past(text: str, site: Site) -> bool:
    """Whether no more needs to be read: the hole ends, or the text goes round in circles."""
    return _behind(text, site) is not None or _goes_round(text)


def _behind(text: str, site: Site) -> int | None:
    r"""Where the first whole line begins that lies behind the hole, or None.

    It is the line below the caret once more, or one at the margin where the caret stands in a block
    and nothing at the margin follows.

    >>> _behind("a\n    b()\nc", Site("    ", "\n    b()\n"))
    2
    >>> _behind("a\n\ndef g():\n", Site("def f():\n    ", ""))
    3
    """
    below = site.below[0] if site.below else ""
    inside = _is_in_block(site) and (not below or below[0].isspace())
    start = text.find("\n") + 1
    for line in text.split("\n")[1:-1]:
        if (below and same_line(line, below)) or (inside and _is_at_margin(line)):
            return start
        start += len(line) + 1
    return None


def _is_in_block(site: Site) -> bool:
    line = site.head if site.head.strip() else code_above(site)
    return line[:1].isspace() or opens_block(line, site.language)


def _is_at_margin(line: str) -> bool:
    """Not so closers and other parts of a block, comments, and directives of a preprocessor."""
    return bool(line) and not line[0].isspace() and line[0] != "#" and not PARTS.match(line)


def _goes_round(text: str) -> bool:
    return cut_circles(text) != text
