"""Where Caret keeps quiet: paused, secret, binary or huge. Pure functions."""

from __future__ import annotations

import fnmatch
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lsp_server.documents import Document
    from lsp_server.settings import Settings

MAX_CHARACTERS = 5_000_000


def refusal(document: Document, settings: Settings) -> str | None:
    """Why nothing may be completed in this document, or None if it may."""
    if not settings.completion.enable:
        return "caret.completion.enable is off"
    return withheld(document, settings)


def withheld(document: Document, settings: Settings) -> str | None:
    """Why no model may read this document, or None if one may."""
    if pattern := excluding(document.path, settings.privacy.exclude):
        return f"caret.privacy.exclude has {pattern}"
    if document.binary:
        return "the file is binary"
    if document.characters > MAX_CHARACTERS:
        return f"the file has more than {MAX_CHARACTERS // 1_000_000} million characters"
    return None


def excluding(path: str, patterns: Iterable[str]) -> str | None:
    """The first glob that matches; without a `/` in it, the file's name is matched.

    >>> excluding("/home/me/.ssh/config", ["*.pem", "**/.ssh/**"])
    '**/.ssh/**'
    """
    whole = path.lower()
    name = whole.rpartition("/")[2]
    for pattern in patterns:
        if fnmatch.fnmatchcase(whole if "/" in pattern else name, pattern.lower()):
            return pattern
    return None


def path_of(uri: str) -> str:
    """The path in a URI; for a document that is no file, what its URI has in its place.

    >>> path_of("file:///a/b%20c.py"), path_of("untitled:Untitled-1")
    ('/a/b c.py', 'Untitled-1')
    """
    try:
        return unquote(urlsplit(uri).path)
    except ValueError:  # not a URI at all
        return uri


def relative_path(path: str, roots: Iterable[str]) -> str:
    """The path as the workspace folder that holds it would write it, else the file's name.

    >>> relative_path("/w/src/a.py", ["/w"]), relative_path("/x/a.py", ["/w"])
    ('src/a.py', 'a.py')
    """
    for root in sorted(roots, key=len, reverse=True):
        if PurePosixPath(path).is_relative_to(root):
            return PurePosixPath(path).relative_to(root).as_posix()
    return PurePosixPath(path).name
