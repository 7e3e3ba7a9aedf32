"""What a parser says of the text around a caret, with a suggestion and without.

Tree-sitter parses the window around the caret once; with text put in, it reads again only what that
touches. The file as a whole is never parsed: 50,000 lines would take a second.
"""

from __future__ import annotations

import ast
import re
import time
import warnings
from functools import cached_property
from typing import TYPE_CHECKING

from lsp_server import docstrings
from lsp_server.blocks import PARTS
from lsp_server.brackets import indent
from lsp_server.workspace.grammars import grammar_of, parse

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

    from lsp_server.context import Site

BEFORE, AFTER = 16_000, 8_000
"""Characters that are parsed, at most."""
_BROKEN = 3
"""With more errors than this, one more says nothing."""
_COUNTED = 16
"""Number of errors at which counting stops."""
PARSE_S, ALL_PARSES_S = 0.03, 0.06
"""Seconds of the processor's time for one parse, and for all at one cursor. Code takes a few
milliseconds; what is no code, such as a row of closing brackets, may take a parser a minute."""
_NAME = "x"
"""Stands for any text."""
_TOP_LEVEL = re.compile(r"^[A-Za-z_@#$]", re.MULTILINE)


class Syntax:
    """The window around one caret."""

    def __init__(self, site: Site) -> None:
        self._language = grammar_of(site.language)
        self._line = site.head, site.tail
        self._in_line = bool(site.tail.strip())
        self._in_docstring = bool(docstrings.open_before(site))
        self._before, self._after = _window(site)
        self._known: dict[str, int] = {}
        self._seconds_left = ALL_PARSES_S

    @property
    def source(self) -> bytes:
        """What is parsed: the window as it stands, in UTF-8."""
        return self._before + self._after

    def errors(self, text: str) -> int:
        """Places where the window with `text` at the caret does not fit the grammar.

        0 in languages that have no parser.
        """
        if not self._language:
            return 0
        if text not in self._known:
            self._known[text] = self._edited(len(self._before), 0, text.encode("utf-8", "replace"))
        return self._known[text]

    @cached_property
    def now(self) -> int:
        """Errors in the window as it stands, with what the user has begun."""
        if not self._language:
            return 0
        return self._errors(self._tree, self.source)

    @cached_property
    def allowed(self) -> int:
        """Errors that a whole suggestion may leave: those that are not its own.

        Where the user has yet to finish what stands around it, behind brackets that the editor has
        closed, before the rest of a line or in a string with several lines, that leaves some in any
        case.
        """
        if self._in_line or self._in_docstring:
            return max(self._around, min(self.now, self.errors(_NAME)))
        return self._around

    @cached_property
    def _around(self) -> int:
        """Errors that are not the caret's own.

        So many are left when the statement that is being written is taken away: the caret's line,
        and lines below that are indented deeper or close it; or when an empty line holds one.
        """
        if not self.now:
            return 0
        head, tail = self._line
        start = len(self._before) - len(head.encode())
        ends = (len(tail.encode()), *self._statement_ends())
        least = min(self.now, *(self._edited(start, end, b"") for end in sorted(set(ends))))
        if least and self._language == "python" and not (head + tail).strip():
            return min(least, self.errors("pass"))
        return least

    @property
    def is_known(self) -> bool:
        """Return whether the count of errors in this window tells anything.

        False without a grammar, where macros, say, make errors of everything, and once a parse has
        taken too long, even if the result was True before.
        """
        return self._around <= _BROKEN and bool(self._language)

    def is_whole(self, text: str) -> bool:
        """Whether `text` makes the window a whole, with no error anywhere."""
        return not self.errors(text) and bool(self._language)

    def is_worse(self, text: str) -> bool:
        """Whether `text` leaves errors that are the caret's own."""
        return self.is_known and self.errors(text) > self.allowed

    def _statement_ends(self) -> tuple[int, int]:
        """Bytes behind the caret up to the end of the lines that seem to belong to its own.

        Without a line that closes them, or begins another part of the statement, and with those.
        """
        deep = indent(self._line[0])
        lines = self._after.decode().split("\n")
        count = short = _body_end(lines, 1, deep)
        while count < len(lines) and indent(lines[count]) == deep and PARTS.match(lines[count]):
            count = _body_end(lines, count + 1, deep)
        return len("\n".join(lines[:short]).encode()), len("\n".join(lines[:count]).encode())

    @cached_property
    def _tree(self) -> Tree | None:
        return self._parse(self.source)

    def _edited(self, start: int, dropped: int, put: bytes) -> int:
        """Errors with the text from `start` to `dropped` behind the caret replaced."""
        old = self.source
        end = len(self._before) + dropped
        new = old[:start] + put + old[end:]
        if self._tree is None:
            return 0
        tree = self._tree.copy()
        tree.edit(
            start,
            end,
            start + len(put),
            _point(old, start),
            _point(old, end),
            _point(new, start + len(put)),
        )
        return self._errors(self._parse(new, tree), new)

    def _parse(self, source: bytes, old: Tree | None = None) -> Tree | None:
        """Parse a window; the language counts as unknown once that has taken too long."""
        if not self._language:
            return None
        start = time.thread_time()
        tree = parse(self._language, source, min(PARSE_S, self._seconds_left), old)
        self._seconds_left -= time.thread_time() - start
        self._language = self._language if tree else ""
        return tree

    def _errors(self, tree: Tree | None, source: bytes) -> int:
        """As tree-sitter counts; but it lets pass what Python does not, such as wrong depths."""
        if tree is None:
            return 0
        count = errors(tree.root_node)
        if count or self._language != "python" or _is_python(source):
            return count
        return int(not self._is_misplaced)

    @cached_property
    def _is_misplaced(self) -> bool:
        """Whether Python minds no more than the depth at which the caret's line begins.

        It does not where the window is whole as it stands, and an empty line has no depth yet: what
        is put in brings its own.
        """
        if not "".join(self._line).strip() or _is_python(self.source):
            return False
        head, tail = (part.encode("utf-8", "replace") for part in self._line)
        above = self._before[: len(self._before) - len(head)]
        white = head[: len(head) - len(head.lstrip())]
        probe = above + white + b"pass" + self._after[len(tail) :]
        tree = self._parse(probe)
        return tree is not None and not errors(tree.root_node) and not _is_python(probe)


def errors(root: Node) -> int:
    """Places where a tree does not fit its grammar; several closers may be missing at one.

    A text with many is not read to its end.
    """
    missing, wrong, rest = set(), 0, [root]
    while rest and wrong < _COUNTED:
        node = rest.pop()
        wrong += node.is_error
        if node.is_missing:
            missing.add(node.start_byte)
        if node.has_error:
            rest += node.children
    return wrong + len(missing)


def _is_python(source: bytes) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in strings and the like
        try:
            compile(source, "", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def _body_end(lines: list[str], start: int, deep: int) -> int:
    """Index of the first line from `start` on that is not indented deeper."""
    while start < len(lines) and (not lines[start].strip() or indent(lines[start]) > deep):
        start += 1
    return start


def _window(site: Site) -> tuple[bytes, bytes]:
    """Text before and after the caret; where it is cut, at a line that is not indented."""
    before, after = site.prefix[-BEFORE:], site.suffix[:AFTER]
    if site.first_line or len(before) < len(site.prefix):
        above = before[: len(before) - len(site.head)]
        found = _TOP_LEVEL.search(above, above.find("\n") + 1)
        before = before[found.start() if found else 0 :]
    if site.goes_on or len(after) < len(site.suffix):
        ends = [found.start() for found in _TOP_LEVEL.finditer(after, len(site.tail))]
        after = after[: ends[-1] if ends else len(after)]
    if site.language == "php" and "<?" not in before:
        before = "<?php\n" + before
    return before.encode("utf-8", "replace"), after.encode("utf-8", "replace")


def _point(text: bytes, offset: int) -> tuple[int, int]:
    return text.count(b"\n", 0, offset), offset - text.rfind(b"\n", 0, offset) - 1
