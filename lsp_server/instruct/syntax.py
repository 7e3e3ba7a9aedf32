"""What the grammar says about a text: the definition around a line, and whether it parses."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from tree_sitter import QueryCursor

from lsp_server.workspace.definitions import DEEPEST, whole
from lsp_server.workspace.grammars import grammar_of, parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

LARGEST = 256_000
"""Characters of a text that is looked at."""
_QUICK = 50_000
"""Characters of Python that its own parser reads at once: it stops all other threads meanwhile."""
_PIECE = 4_096
_TOLD = 3
"""Complaints that are repeated to the model."""


@dataclass(frozen=True, slots=True)
class Region:
    """Whole lines of a text."""

    first: int
    last: int
    """Index of the last line, which belongs to it."""
    name: str = ""
    """Of the definition that it is, or ""."""
    kind: str = "code"
    """function, class or code: how it is called to people."""
    body: int = -1
    """Index of the line on which the definition's body begins; -1 where there is none."""


@lru_cache(maxsize=8)
def regions(text: str, language: str) -> tuple[Region, ...]:
    """The functions and classes of a text, outer ones first; none in an unknown language."""
    language = grammar_of(language)
    if not language or len(text) > LARGEST:
        return ()
    data = text.encode("utf-8", "replace")
    found = {}
    cursor = QueryCursor(parser(language)[1])
    cursor.set_max_start_depth(DEEPEST)
    for _, captures in cursor.matches(_root(data, language)):
        for capture, kind in (("function", "function"), ("type", "class")):
            for node in captures.get(capture, ()):
                name = _text(captures["name"][0], data)
                found[node.start_byte] = _region(node, name, kind)
    return tuple(sorted(found.values(), key=lambda region: (region.first, -region.last)))


def enclosing(text: str, language: str, first: int, last: int) -> Region | None:
    """The innermost function or class that holds these lines, a function before a class."""
    around = [r for r in regions(text, language) if r.first <= first and last <= r.last]
    functions = [region for region in around if region.kind == "function"]
    return next(reversed(functions or around), None)


def holders(text: str, language: str, region: Region) -> list[Region]:
    """The functions and classes that hold a region, and are not it, outer ones first."""
    return [
        outer
        for outer in regions(text, language)
        if outer.first <= region.first and region.last <= outer.last
        if (outer.first, outer.last) != (region.first, region.last)
    ]


def owner(text: str, language: str, region: Region) -> str:
    """Name of the class that a definition of the text is a member of, or ""."""
    return _owners(text, language).get((region.first, region.last), "")


@lru_cache(maxsize=8)
def _owners(text: str, language: str) -> dict[tuple[int, int], str]:
    """The lines of each definition to the name of its class, or ""."""
    around: list[Region] = []
    found: dict[tuple[int, int], str] = {}
    for region in regions(text, language):
        rows = region.first, region.last
        while around and around[-1].last < region.last:
            around.pop()
        holder = next((r for r in reversed(around) if (r.first, r.last) != rows), None)
        found.setdefault(rows, holder.name if holder and holder.kind == "class" else "")
        around.append(region)
    return found


def paragraph(lines: list[str], first: int, last: int) -> Region:
    """The lines up to the next blank ones; what to rewrite where there is no definition."""
    first, last = min(first, len(lines) - 1), min(last, len(lines) - 1)
    while first and lines[first - 1].strip():
        first -= 1
    while last + 1 < len(lines) and lines[last + 1].strip():
        last += 1
    return Region(first, last)


def complaints(text: str, language: str) -> list[str]:
    """What does not parse, in words that a model can use; none in an unknown language."""
    language = grammar_of(language)
    if language == "python" and len(text) <= _QUICK:
        return _python_complaints(text)
    if not language:
        return []
    data = text.encode("utf-8", "replace")
    found = islice(_faults(_root(data, language)), _TOLD)
    return [_complaint(node, data) for node in found]


def breaks(before: str, after: str, language: str) -> list[str]:
    """What does not parse any more; nothing where the text did not parse before either."""
    return [] if complaints(before, language) else complaints(after, language)


def _root(data: bytes, language: str) -> Node:
    """Parse a text and return its root; other threads run meanwhile, since Python code reads it."""
    return parser(language)[0].parse(lambda at, _: data[at : at + _PIECE]).root_node


def _text(node: Node, data: bytes) -> str:
    return data[node.start_byte : node.end_byte].decode("utf-8", "replace")


def _region(node: Node, name: str, kind: str) -> Region:
    body = node.child_by_field_name("body")
    outer = whole(node)
    colon = next((child.end_point[0] for child in node.children if child.type == ":"), -1)
    line = body.start_point[0] if body else -1
    if line > colon >= 0:  # a comment may stand between Python's colon and its body
        line = colon + 1
    last, column = outer.end_point
    return Region(outer.start_point[0], last if column else last - 1, name, kind, line)


def _python_complaints(text: str) -> list[str]:
    """Python's own parser: it says what is wrong, and accepts no Python 2."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in somebody's strings
            ast.parse(text)
    except SyntaxError as error:
        return [f"line {error.lineno}: {error.msg}"]
    except (ValueError, RecursionError, MemoryError) as error:
        return [str(error)]
    return []


def _faults(node: Node) -> Iterator[Node]:
    if not node.has_error:
        return
    if node.is_error or node.is_missing:
        yield node
        return
    for child in node.children:
        yield from _faults(child)


def _complaint(node: Node, data: bytes) -> str:
    line = node.start_point[0] + 1
    if node.is_missing:
        return f"line {line}: {node.type} is missing"
    near = " ".join(_text(node, data).split())[:60]
    return f"line {line}: syntax error at `{near}`"
