"""The lines of a file that import something, as its language writes them. Pure functions."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_IMPORT_LINES = 400
"""At the beginning of a file, in which imports are looked for."""
_IMPORT = r"import\b"
_PYTHON = r"import\b|from\s+\S+\s+import\b"
_REQUIRE = r"""require(?:_relative)?\s*[("']"""
_JAVASCRIPT = (
    rf"import\b(?!\s*[(.])|{_REQUIRE}|(?:const|let|var)\b.*\b{_REQUIRE}|"
    r"""export\b.*\bfrom\s*["']|\}\s*from\b"""
)
_CPP = r"[#@]?import\b|#\s*include\b|using\b"
_PHP = r"use\s+[\w\\]|(?:require|include)(?:_once)?\b"
_RUST = r"(?:pub(?:\([^)]*\))?\s+)?use\s|extern\s+crate\b"
_LUA = rf"(?:local\b.*|\w+\s*=\s*)?\b{_REQUIRE}"
_ANY = "|".join((_PYTHON, _JAVASCRIPT, _CPP, _PHP, _RUST, _LUA))
"""Where the language is another, or not known."""
_BEGIN = {
    "python": _PYTHON,
    "java": _IMPORT,
    "kotlin": _IMPORT,
    "scala": _IMPORT,
    "swift": _IMPORT,
    "go": _IMPORT,
    "proto": _IMPORT,
    "javascript": _JAVASCRIPT,
    "javascriptreact": _JAVASCRIPT,
    "typescript": _JAVASCRIPT,
    "typescriptreact": _JAVASCRIPT,
    "c": _CPP,
    "cpp": _CPP,
    "objective-c": _CPP,
    "csharp": r"(?:global\s+)?using\s+(?:static\s+)?[\w.]+\s*[;=]",
    "php": _PHP,
    "rust": _RUST,
    "shellscript": r"""source\s+[^\s=]|\.\s+[\w/"'$~.]""",
    "lua": _LUA,
    "ruby": r"""require(?:_relative)?\b|(?:auto)?load\s*\(?\s*[:"']""",
    "sql": r"(?!)",  # never
}
"""Language id to what an import begins with: `load(` is one in Ruby, and elsewhere any function."""


def importing_lines(lines: Sequence[str], language: str) -> Iterator[tuple[int, str]]:
    """Index and text of each, also of those that go over several lines by a bracket."""
    begins, open_bracket = _begin(language), False
    for number, line in enumerate(lines[:_IMPORT_LINES]):
        if open_bracket or begins.match(line):
            opens = line.count("(") + line.count("{") > line.count(")") + line.count("}")
            open_bracket = opens or (open_bracket and not re.search(r"[)}]", line))
            yield number, line


@cache
def _begin(language: str) -> re.Pattern[str]:
    return re.compile(rf"\s*(?:{_BEGIN.get(language, _ANY)})")
