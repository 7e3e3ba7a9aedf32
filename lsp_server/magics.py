"""IPython's magics: cells in another language than the notebook's, and lines that are no Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsp_server.languages import IDS, language_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lsp_server.documents import Document

_CELL = re.compile(r"\s*%%(?P<name>[\w:.]+)[ \t]*(?P<rest>[^\r\n]*)")
_DATABRICKS = re.compile(r"\s*%(?P<name>sql|sh|md|r|scala)(?P<rest>)\s*\Z")
"""Begins a cell in another language in Databricks, where it stands alone on the first line."""
_LINE = re.compile(r"\s*(?:[%!?]|[\w.%*]+\?{1,2}\s*$|[\w.]+\s*=\s*[%!])")
"""A magic, a command of the shell, or a question for help."""
_PYTHON = frozenset(
    [
        *("capture", "debug", "prun", "px", "time", "timeit", "python", "python2", "python3"),
        *("pypy", "cython", "memit", "mprun", "mypy", "scalene", "snakeviz", "pyinstrument"),
    ]
)
"""Magics over a cell whose text is Python still."""
_OTHERS = {"svg": "xml", "system": "shellscript", "sx": "shellscript"}


def language_of_cell(cell: Document) -> str:
    """Return the language id of a cell's text, which its first line may change; "" if unknown."""
    if cell.language != "python":
        return cell.language
    first = next((line for line in cell.lines if line.strip()), "")
    found = _CELL.match(first) or _DATABRICKS.match(first)
    if found is None or found["name"].lower() in _PYTHON:
        return "python"
    name, rest = found["name"].lower(), found["rest"].split()
    if name == "script" and rest:
        return language_id("", "", f"#!{rest[0]}")
    if name in ("writefile", "file"):
        return language_id("", rest[-1]) if rest else ""
    known = _OTHERS.get(name) or language_id(name)
    return known if known in IDS else ""


def without_magics(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a cell with magics as comments: no language knows them."""
    for line in lines:
        yield f"# {line}" if _LINE.match(line) else line
