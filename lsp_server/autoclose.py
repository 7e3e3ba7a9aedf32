"""Brackets and quotes that an editor closes while a suggestion is typed. Pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsp_server.brackets import PAIRS, loose

if TYPE_CHECKING:
    from lsp_server.context import Site

_QUOTES = "\"'`"
_PAIRS = {**PAIRS, **{quote: quote for quote in _QUOTES}}
_MOST = 4
"""Closers that are put in at once."""


def closers_put_in(then: Site, now: Site) -> str:
    """What stands behind the later caret and before all that stood behind the earlier one.

    >>> closers_put_in(Site("f", ";"), Site("f(", ");"))
    ')'
    """
    size = len(now.suffix) - len(then.suffix)
    put = now.suffix[: max(size, 0)]
    both = len(put) <= _MOST and put + then.suffix == now.suffix
    return put if both else ""


def closers_of(typed: str) -> str:
    """What an editor may put behind the caret for what was typed, innermost first.

    >>> closers_of("f(a, ['"), closers_of("f(a)")
    ("'])", '')
    """
    left: list[str] = []
    for char in typed:
        if left and char == left[-1]:
            left.pop()
        elif char in _PAIRS and not (left and left[-1] in _QUOTES):
            left.append(_PAIRS[char])
    return "".join(reversed(left))


def before_closers(text: str, closers: str, site: Site) -> str:
    """The text up to where it closes what stands closed behind the caret; "" if it never does.

    >>> before_closers("a, (b))[0]", ")", Site("f(", ")")), before_closers("a", "", Site("f(", ""))
    ('a, (b)', 'a')
    """
    if not closers:
        return text
    if closers[0] in _QUOTES:
        return text.partition(closers[0])[0] if closers[0] in text else ""
    strays = loose(text, site.language)[0]
    return text[: strays[0].offset] if strays and strays[0].char == closers[0] else ""
