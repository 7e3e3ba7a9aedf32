"""Brackets and quotes that an editor closes while a suggestion is typed. Pure functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsp_server.brackets import PAIRS, loose
from lsp_server.lexing import PROSE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lsp_server.context import Site

_TEXTS = {quote: quote for quote in ('"""', "'''", '"', "'", "`")} | {"/*": "*/", "/**": "*/"}
"""Strings and comments: brackets inside of them are text."""
_PAIRS = {**PAIRS, **_TEXTS, "${": "}"}
_TOKEN = re.compile(r"\"{3}|'{3}|/\*\*?(?!/)|\*/|\$\{|[\s\S]")
_WHITE = re.compile(r"[ \t]*\n?[ \t]*")
"""Before a closer, where the editor puts it on a line of its own, or a space before it."""


def closers_put_in(typed: str, suffix: str) -> Iterator[str]:
    r"""What of the text behind the caret an editor may have put there for what was typed.

    Nothing, or closers with white space before each of them.

    >>> list(closers_put_in("f({\n  ", "\n});"))
    ['', '\n}', '\n})']
    """
    size = 0
    yield ""
    for closer in closers_of(typed):
        found = _WHITE.match(suffix, size)
        size = found.end() if found else size
        if not suffix.startswith(closer, size):
            return
        size += len(closer)
        yield suffix[:size]


def closers_of(typed: str) -> list[str]:
    """What closes all that was typed, innermost first.

    >>> closers_of("f(a, ['"), closers_of("f(a)"), closers_of("`a ${")
    (["'", ']', ')'], [], ['}', '`'])
    """
    left: list[str] = []
    for token in _TOKEN.findall(typed):
        inner = left[-1] if left else ""
        is_text = inner in _TEXTS.values() and (inner, token) != ("`", "${")
        if token == inner:
            left.pop()
        elif token in _PAIRS and not is_text:
            left.append(_PAIRS[token])
    return left[::-1]


def before_closers(text: str, put: str, site: Site) -> str:
    r"""The text up to where it closes what stands closed behind the caret; "" if it never does.

    >>> before_closers("a, (b))[0]", ")", Site("f(", ")")), before_closers("a", "", Site("f(", ""))
    ('a, (b)', 'a')
    >>> before_closers("  a\n}", "\n}", Site("{\n", "\n}"))
    '  a'
    """
    if not put:
        return text
    end = _end(text, _TOKEN.findall(put.lstrip())[0], site.language)
    return text[:end].rstrip() if put[0].isspace() else text[:end]


def _end(text: str, closer: str, language: str) -> int:
    """Where a closer stands that has no opener in the text; 0 without one."""
    if closer in _TEXTS.values() or language in PROSE:
        return max(text.find(closer), 0)
    strays = loose(text, language)[0]
    return strays[0].offset if strays and strays[0].char == closer else 0
