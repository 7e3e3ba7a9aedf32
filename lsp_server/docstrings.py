"""Python's strings with several lines, which are docstrings mostly. Pure functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsp_server.context import Site

_TRIPLE = re.compile(r'"{3}' + "|'{3}")
_TOP_LEVEL = re.compile(r"^(?:def|class|async|@|import|from)\b", re.MULTILINE)


def open_before(site: Site) -> str:
    """The quotes of the one that the caret stands in, or ""."""
    if site.language != "python":
        return ""
    found = _TOP_LEVEL.search(site.prefix) if site.first_line else None
    return open_after(site.prefix[found.start() if found else 0 :], "")


def open_after(text: str, quotes: str) -> str:
    """The quotes of the one that a text leaves open, or "".

    Args:
        text: Python, or what follows open `quotes`.
        quotes: Those of the string that the text begins in, or "".
    """
    for found in _TRIPLE.finditer(text):
        if not quotes:
            quotes = found[0]
        elif quotes == found[0]:
            quotes = ""
    return quotes
