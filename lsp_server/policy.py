"""Where Caret keeps quiet: paused, secret, binary or huge. Pure functions."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from lsp_server.exclusion import exclusion_of, real_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lsp_server.documents import Document
    from lsp_server.settings import Settings

MAX_CHARACTERS = 5_000_000
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def refusal(document: Document, settings: Settings, roots: Iterable[str] = ()) -> str | None:
    """Return why nothing may be completed in this document, or None if it may."""
    if not settings.completion.enable:
        return "caret.completion.enable is off"
    return withheld(document, settings, roots)


def withheld(document: Document, settings: Settings, roots: Iterable[str] = ()) -> str | None:
    """Return why no model may read this document, or None if one may."""
    if pattern := excluding(document.names, settings.privacy.exclude, roots):
        return f"caret.privacy.exclude has {pattern}"
    if document.binary:
        return "the file is binary"
    if document.characters > MAX_CHARACTERS:
        return f"the file has more than {MAX_CHARACTERS // 1_000_000} million characters"
    return None


def excluding(
    names: str | Iterable[str], patterns: Iterable[str], roots: Iterable[str] = ()
) -> str | None:
    """Return the pattern that excludes a file by its path, or by one of several.

    >>> excluding("/home/me/.ssh/config", ["*.pem", "**/.ssh/**"])
    '**/.ssh/**'
    """
    exclusion = exclusion_of(tuple(patterns), tuple(roots))
    paths = [names] if isinstance(names, str) else names
    return next(filter(None, map(exclusion.pattern_for, paths)), None)


def path_of(uri: str) -> str:
    """Return the path in a URI; for a document that is no file, what its URI has in its place.

    Bytes that are not UTF-8 are as `os.fsdecode` has them.

    >>> path_of("file:///a/b%20c.py"), path_of("untitled:Untitled-1")
    ('/a/b c.py', 'Untitled-1')
    """
    try:
        return unquote(urlsplit(uri).path, errors="surrogateescape")
    except ValueError:  # not a URI at all
        return uri


def names_of(uri: str, roots: Sequence[str]) -> tuple[str, ...]:
    """Return the paths of a document: first the one in the workspace, then its others.

    Where the workspace is opened by a link and the document by its real path, or the other way,
    the path is put together as the folder is written. The last is where all links lead to.
    """
    path = path_of(uri)
    # an editor that does not escape `#` means it as a part of the name; `::` goes into an archive
    written = unquote(uri.partition("://")[2], errors="surrogateescape").replace("::", "/")
    names = placed(path, roots), path, written, real_path(path)
    return tuple(dict.fromkeys(filter(None, names))) or ("",)


def placed(path: str, roots: Sequence[str]) -> str:
    """Return a path as it is written from the workspace folder that holds it, if one does."""
    for inside, folders in zip((path, real_path(path)), _folders(tuple(roots)), strict=True):
        whole = PurePosixPath(inside)
        if folder := next((str(at) for at in whole.parents if str(at) in folders), None):
            return str(PurePosixPath(folders[folder], whole.relative_to(folder)))
    return path


@lru_cache(maxsize=4)
def _folders(roots: tuple[str, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the folders of the workspace as they are written, and by their real paths.

    Each is with the first one of the same real path. A workspace may have thousands.
    """
    real = {root: real_path(root) for root in map(str, map(PurePosixPath, roots))}
    first = {at: root for root, at in reversed(real.items())}
    return {root: first[at] for root, at in real.items()}, first


def relative_path(path: str, roots: Iterable[str]) -> str:
    """Return the path as the workspace folder that holds it would write it, else the file's name.

    >>> relative_path("/w/src/a.py", ["/w"]), relative_path("/x/a.py", ["/w"])
    ('src/a.py', 'a.py')
    """
    for root in sorted(roots, key=len, reverse=True):
        if PurePosixPath(path).is_relative_to(root):
            return printable(PurePosixPath(path).relative_to(root).as_posix())
    return printable(PurePosixPath(path).name)


def printable(path: str) -> str:
    r"""Return a path that can be shown, sent and stored: with a mark for each other character.

    >>> printable("caf\udce9.py")
    'caf\ufffd.py'
    """
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", path)
