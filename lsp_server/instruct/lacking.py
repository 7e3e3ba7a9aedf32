"""Imports for names of a tested Python file that its tests use and do not bind. Pure."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from lsp_server.instruct.imports import needed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def lacking(tests: Sequence[str], tested: Sequence[str], module: str) -> list[str]:
    """Import lines that tests need besides their own: small models forget some.

    What the tested file imports is imported as it does that, and the rest from `module`, the file
    itself. Nothing where one of them does not parse.
    """
    code, file = _parsed(tests), _parsed(tested)
    if not module or code is None or file is None:
        return []
    missing = _used(code) - set(_bound(code))
    absolute = [line for line in tested if not line.startswith("from .")]
    shared = needed(absolute, sorted(missing), tests, "python")
    there = set(_bound(_parsed(shared) or ast.Module([], [])))
    own = [name for name in dict.fromkeys(_bound_at_margin(file)) if name in missing - there]
    return [*shared, f"from {module} import {', '.join(own)}"] if own else shared


def _parsed(lines: Sequence[str]) -> ast.Module | None:
    try:
        return ast.parse("\n".join(lines))
    except (SyntaxError, ValueError):
        return None


def _used(code: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(code) if isinstance(node, ast.Name)}


def _bound(code: ast.AST) -> Iterator[str]:
    """Names that anything in some code binds, in any scope."""
    for node in ast.walk(code):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _bound_at_margin(file: ast.Module) -> Iterator[str]:
    """Names that others can import from a file."""
    for statement in file.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        else:
            yield from _bound(statement)
