"""Statements that bring names into a file, and those of an answer that are needed. Pure."""

from __future__ import annotations

import ast
import re
from itertools import takewhile
from typing import TYPE_CHECKING

from lsp_server.workspace.wanted import imported

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_IMPORT = re.compile(
    r"(?:from\s+\S+\s+import|import|use|using|#\s*include|require(?:_relative)?)\b"
    r"|(?:const|let|var|local)\b[^=]*=\s*require\b"
)
"""A line at the margin."""
_UNTOLD = ("#", "using")
"""Imports that do not tell which names they bring."""
_TOP = ("#", "//", "<?php", "package ", '"use strict"', "'use strict'")


def is_import(line: str) -> bool:
    """Whether an import begins on a line, at its margin."""
    return _IMPORT.match(line) is not None


def imports(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Index of the first line of each import, and of the one behind it."""
    end = 0
    for first, line in enumerate(lines):
        if first >= end and is_import(line):
            end = first + 1
            while end < len(lines) and _is_open(lines[first:end]):
                end += 1
            yield first, end


def without_imports(lines: Sequence[str]) -> list[str]:
    """What else there is."""
    rows = {row for first, end in imports(lines) for row in range(first, end)}
    return [line for row, line in enumerate(lines) if row not in rows]


def needed(
    answer: Sequence[str], code: Sequence[str], lines: Sequence[str], language: str
) -> list[str]:
    """Import lines of an answer that some code of it uses, and that a file with `lines` lacks.

    Models import at random: the file's own names, modules that nothing uses.
    """
    text = "\n".join(code)
    own = re.findall(r"^[ \t]*(?:async )?(?:def|class|func|function|fn) (\w+)", text, re.MULTILINE)
    used = set(re.findall(r"\w+", text)) - set(own)
    statements = [answer[first:end] for first, end in imports(answer)]
    if language == "python":
        used -= {name for first, end in imports(lines) for name in _bound(lines[first:end])}
        return [line for found in statements for line in _only(found, used)]
    there = {line.strip() for line in lines}
    return [
        line
        for found in statements
        if found[0].strip() not in there
        if found[0].startswith(_UNTOLD) or used & set(imported(found, language))
        for line in found
    ]


def with_imports(lines: list[str], new: list[str]) -> list[str]:
    """Behind the last import at the margin, else at the top, behind a comment or docstring."""
    if not new:
        return lines
    at = max((end for _, end in imports(lines)), default=0)
    if at:
        return [*lines[:at], *new, *lines[at:]]
    at = _preamble(lines)
    return [*lines[:at], *new, "", *lines[at:]]


def _only(statement: Sequence[str], names: set[str]) -> list[str]:
    """A Python import of these names alone."""
    node = _parsed(statement)
    wanted = [alias for alias in node.names if _binds(alias) in names] if node else []
    if node is None or not wanted:
        return []
    if len(wanted) == len(node.names):
        return list(statement)
    node.names = wanted
    return [ast.unparse(node)]


def _bound(statement: Sequence[str]) -> set[str]:
    """The names that a Python import binds."""
    node = _parsed(statement)
    return {_binds(alias) for alias in node.names} if node else set()


def _binds(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _parsed(statement: Sequence[str]) -> ast.Import | ast.ImportFrom | None:
    """None for what Python's own parser does not take as one import."""
    try:
        (node,) = ast.parse("\n".join(statement)).body
    except (SyntaxError, ValueError):
        return None
    return node if isinstance(node, ast.Import | ast.ImportFrom) else None


def _is_open(lines: Sequence[str]) -> bool:
    """Whether a bracket goes on behind the lines."""
    text = "".join(lines)
    return text.count("(") + text.count("{") > text.count(")") + text.count("}")


def _preamble(lines: Sequence[str]) -> int:
    """Lines at the top that must stay there: comments, a docstring, and blank ones behind them."""
    at = sum(1 for _ in takewhile(lambda line: line.startswith(_TOP), lines))
    if at < len(lines) and lines[at].startswith('"""'):
        ends = [n for n in range(at, len(lines)) if lines[n].rstrip().endswith('"""')]
        ends = [n for n in ends if n > at or lines[n].count('"""') > 1]
        at = ends[0] + 1 if ends else at
    while at and at < len(lines) and not lines[at].strip():
        at += 1
    return at
