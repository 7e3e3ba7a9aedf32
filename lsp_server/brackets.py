"""Brackets that stand open before the caret, and the closers that may still be written."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from lsp_server.lexing import PROSE, after_string, has_more_lines, open_quote, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lsp_server.context import Site

PAIRS = {"(": ")", "[": "]", "{": "}"}
CLOSERS = frozenset(PAIRS.values())
_CLOSING = " \t)]}>\"'`;,:"
"""What an editor's auto-closing may have put after the caret."""

_GLOB = (
    r"(?:\"[^\"\n]*\"|'[^'\n]*'|\\.|\[[^\]\n]*\]|[?*+@!]\([^()\n]*\)"
    r"|[^\s()\[\]{}\"'|;&<>\\])+"
)
CASE_PATTERN = rf"{_GLOB}(?:[ \t]*\|[ \t]*{_GLOB})*[ \t]*"
"""The pattern of a branch in a shell's `case`, before the `)` that ends it."""
_CASE_BRANCH = re.compile(rf"(?:.*\bcase\b.*\sin\s)?[ \t]*{CASE_PATTERN}")
_CASE = re.compile(r"\bcase\b")
_LONGEST_BRANCH = 400
"""Characters of a line up to the end of such a pattern, or from the `;;` before it."""

_TAB_STOP = 4
_NEAR = 64
"""Open brackets that are compared with the closer on a line below, the innermost first."""


class Bracket(NamedTuple):
    """One bracket that has no partner in its text."""

    char: str
    offset: int


def indent(line: str) -> int:
    r"""Columns of leading white space, tab stops every four.

    >>> indent("  x"), indent("\tx")
    (2, 4)
    """
    return len(line[: len(line) - len(line.lstrip())].expandtabs(_TAB_STOP))


class Balance:
    """Brackets without a partner in a text that grows; what is settled is not read again.

    Strings and comments are skipped, as far as the text goes; prose has no brackets at all. A
    closer goes with the innermost opener of its kind; openers left inside are forgotten, for they
    are mostly prose.
    """

    def __init__(self, language: str) -> None:
        self._language, self._tokens = language, tokens(language)
        self.text, self._read = "", 0
        self.closers: list[Bracket] = []
        """Closers without an opener."""
        self.openers: list[Bracket] = []
        """Openers without a closer."""
        self._depths: dict[str, list[int]] = {closer: [] for closer in CLOSERS}
        """Indices of the openers that each closer may end, in their order."""
        self._last_case = self._searched = 0
        """End of the last `case` found in a shell script, and of the text searched for one."""
        self.open_text = False
        """True if the text ends inside a string or comment that goes on in the next line."""

    def feed(self, text: str) -> None:
        """Take the text so far, which begins with what was fed before."""
        self.text, self.open_text = text, False
        if self._language in PROSE:
            return
        for found in self._tokens.finditer(text, self._read):
            if found.end() == len(text) and found[0] not in PAIRS and found[0] not in CLOSERS:
                self._read = found.start()  # it may go on
                self.open_text = has_more_lines(found[0])
                return
            self._take(found[0], found.start())
            self._read = found.end()

    def _take(self, char: str, offset: int) -> None:
        if char in PAIRS:
            self._depths[PAIRS[char]].append(len(self.openers))
            self.openers.append(Bracket(char, offset))
        elif char in CLOSERS:
            depth = self._depths[char][-1] if self._depths[char] else None
            start = None if depth is None else self.openers[depth].offset
            if self._language == "shellscript" and self._ends_pattern(start, offset):
                return
            if depth is None:
                self.closers.append(Bracket(char, offset))
            else:
                self._close(depth)

    def _close(self, depth: int) -> None:
        """Drop the openers from index `depth` on: one that is closed, and those inside it."""
        del self.openers[depth:]
        for depths in self._depths.values():
            while depths and depths[-1] >= depth:
                depths.pop()

    def _ends_pattern(self, start: int | None, offset: int) -> bool:
        """Return whether a closer ends the pattern of a `case`, and not what opens at `start`."""
        if self.text[offset] != ")" or not _is_branch(self.text, offset):
            return False
        for found in _CASE.finditer(self.text, self._searched, offset):
            self._last_case = found.end()
        self._searched = max(offset - len("case"), self._searched)
        return start is None or self._last_case > start


def is_closing(tail: str) -> bool:
    """Whether no more follows the caret on its line than an editor closes by itself."""
    return not tail.strip(_CLOSING)


def loose(text: str, language: str) -> tuple[list[Bracket], list[Bracket]]:
    """Closers and openers without a partner, outside of strings and comments; see `Balance`.

    >>> [[b.char for b in side] for side in loose("a) + f(b, [c]) + {", "")]
    [[')'], ['{']]
    """
    balance = Balance(language)
    balance.feed(text)
    return balance.closers, balance.openers


def wanted_closers(site: Site) -> list[str]:
    """Closers that the text before the caret lacks and the text after it does not bring.

    Innermost first. Closers on the rest of the caret's line go with the outer brackets of that
    line. The first one on a line below goes with the innermost bracket, unless it is indented less
    than that bracket's line: then it belongs further out.
    """
    _, openers = loose(site.prefix, site.language)
    closers, _ = loose(after_string(site.suffix, open_quote(site)), site.language)
    inner_first = [PAIRS[opener.char] for opener in reversed(openers)]
    if on_line := sum(closer.offset < len(site.tail) for closer in closers):
        opened = len(loose(site.head, site.language)[1])
        return inner_first[: max(opened - on_line, 0)]
    if not closers:
        return inner_first
    depth_below = _indent_at(site.suffix, closers[0].offset)
    for depth, opener in enumerate(islice(reversed(openers), _NEAR)):
        of_kind = closers[0].char == PAIRS[opener.char]
        if of_kind and depth_below >= _indent_at(site.prefix, opener.offset):
            return inner_first[:depth]
    return inner_first


def open_brace(site: Site) -> str:
    r"""Return the line, up to it, of the brace that the cursor stands in; "" in none.

    >>> open_brace(Site("int f() {\n  g();\n", "\n}")), open_brace(Site("f(", ")"))
    ('int f() {', '')
    """
    openers = loose(site.prefix, site.language)[1]
    if not openers or openers[-1].char != "{":
        return ""
    return site.prefix[: openers[-1].offset + 1].rpartition("\n")[2]


def _indent_at(text: str, offset: int) -> int:
    """Return the indentation of the line at an offset, in columns."""
    return indent(text[text.rfind("\n", 0, offset) + 1 : offset + 1])


def first_surplus(closers: Iterable[Bracket], wanted: Sequence[str]) -> int | None:
    """Offset of the first closer that is not the next of the wanted ones."""
    for number, closer in enumerate(closers):
        if number >= len(wanted) or wanted[number] != closer.char:
            return closer.offset
    return None


def _is_branch(text: str, offset: int) -> bool:
    """Return whether a line is up to `offset` the pattern of a branch in a shell's `case`."""
    line = text[max(offset - _LONGEST_BRANCH, 0) : offset].rpartition("\n")[2]
    _, end, last = line.rpartition(";;")
    if not end and len(line) == _LONGEST_BRANCH:
        return False
    return any(_CASE_BRANCH.fullmatch(part) for part in (line, last))
