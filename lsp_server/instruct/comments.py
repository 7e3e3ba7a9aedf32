"""The comment of a definition, taken from an answer that repeats the definition with it.

Only the comment is taken: whatever else the model changed is left behind. Pure functions.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from lsp_server.instruct.answers import indent, reindented
from lsp_server.instruct.syntax import regions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lsp_server.instruct.place import Place
    from lsp_server.instruct.syntax import Region

_COMMENT = re.compile(r"\s*(?://|/\*|\*|#(?!\s*(?:include|define|if|pragma|\[))|--)")
"""A line of a comment, in any of our languages but Python."""
_DOCSTRING = re.compile(r'[rRuU]?("""|\'\'\')')
_QUOTES = re.compile(r'[rRuU]?(?:"""|\'\'\')')


def commented(place: Place, region: Region, answer: str) -> list[str] | None:
    """The lines of the file with the comment of an answer; None if it has none."""
    if place.language == "python":
        return _with_docstring(place.lines, region, answer)
    return _with_comment(place, region, answer)


def documented(new: list[str], old: list[str], name: str) -> list[str]:
    """A Python definition with the docstring that it had, where its new version lacks it."""
    code, before = (reindented(lines, "") for lines in (new, old))
    found = [other for other in regions("\n".join(code), "python") if other.name == name]
    if not found or _docstring("\n".join(code), name):
        return new
    kept = _with_docstring(code, found[0], "\n".join(before))
    return reindented(kept, new[0]) if kept else new


def _with_docstring(lines: list[str], region: Region, answer: str) -> list[str] | None:
    found = _docstring(answer, region.name)
    body = _body(lines, region)
    if found is None or body is None:
        return None
    first, last = body
    found = reindented(_opened(found, lines), lines[first])
    return [*lines[:first], *found, *lines[last:]]


def _opened(docstring: list[str], lines: list[str]) -> list[str]:
    """With its first words behind the quotes, unless a docstring of the file has them below."""
    first, *rest = docstring
    alone = _QUOTES.fullmatch(first.strip())
    if not alone or not rest or any(_QUOTES.fullmatch(line.strip()) for line in _opening(lines)):
        return docstring
    return [first + rest[0].strip(), *rest[1:]]


def _opening(lines: list[str]) -> Iterator[str]:
    """The lines on which docstrings of definitions begin."""
    for region in regions("\n".join(lines), "python"):
        if region.first < region.body < len(lines):
            yield lines[region.body]


def _body(lines: list[str], region: Region) -> tuple[int, int] | None:
    """Where a Python definition's docstring begins and ends, or would; None if it has no line."""
    if region.body <= region.first:
        return None
    first = region.body
    opening = _DOCSTRING.match(lines[first].strip())
    if opening is None:
        return first, first
    for last in range(first, region.last + 1):
        rest = lines[last].strip().removeprefix(opening[0]) if last == first else lines[last]
        if opening[1] in rest:
            return first, last + 1
    return None


def _docstring(answer: str, name: str) -> list[str] | None:
    """The docstring of a definition in some Python, or of the text itself."""
    text = "\n".join(reindented(answer.split("\n"), ""))
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    named = [n for n in ast.walk(tree) if isinstance(n, defined) and n.name == name]
    for node in (*named, tree):
        if ast.get_docstring(node):
            first = node.body[0]
            rows = text.split("\n")[first.lineno - 1 : first.end_lineno]
            rows[0] = indent(rows[0]) + rows[0].strip()
            return rows
    return None


def _with_comment(place: Place, region: Region, answer: str) -> list[str] | None:
    lines = place.lines
    found = _above(answer, region.name, place.language)
    if not found:
        return None
    first = region.first
    while first and _COMMENT.match(lines[first - 1]):
        first -= 1
    comment = reindented(found, lines[region.first])
    return [*lines[:first], *comment, *lines[region.first :]]


def _above(answer: str, name: str, language: str) -> list[str]:
    """The lines of comment right above a definition in some code, or at its beginning."""
    rows = answer.split("\n")
    same = [region for region in regions(answer, language) if region.name == name]
    last = same[0].first if same else len(rows)
    first = last
    while first and _COMMENT.match(rows[first - 1]):
        first -= 1
    return rows[first:last]
