"""Files that `caret.privacy.exclude` keeps from every model: its patterns, and a path compared."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lsp_server.gitignore import Pattern, Patterns, ancestors, literal, pattern_of
from lsp_server.wildmatch import BadPattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HOME = re.compile(r"(?:~|\$HOME|\$\{HOME\}|\$\{env:HOME\}|\$\{userHome\}|%USERPROFILE%)(?=/|$)")
_HERE = re.compile(r"(?:\$\{workspaceFolder\}|\.)(?=/)")
_DRIVE = re.compile(r"/?[A-Za-z]:/")
_UNKNOWN = re.compile(r"\$\{|^~|://|^\$[A-Z_]+/|^%\w+%")
"""Placeholders and variables that are not resolved, other users' home folders, and URLs."""
_BRACES = re.compile(r"(?<![\\$])\{([^{},]*,[^{}]*)\}")
_MOST = 256
"""Patterns that one with braces may stand for."""
_WILD = re.compile(r"[*?\[\\]")
_COPIES = frozenset({"bak", "backup", "old", "orig", "rej", "save", "tmp", "swp", "swo", "swn"})
"""Endings that editors and people give to copies of a file."""
_NUMBER = re.compile(r"~?[\d_-]*~?")
"""Endings of copies that are numbers or dates."""
_DESKTOP = re.compile(
    r"^copy of |[ _-]+copy(?: ?\(?\d+\)?)?(?=\.|$)| ?\((?:\w+ )?(?:copy(?: \d+)?|\d+)\)(?=\.|$)",
    re.IGNORECASE,
)
"""Marks that file managers and browsers put into the name of a copy."""


_REMEMBERED = 512
_PREPARED = 16
"""Folders whose patterns are read before they are asked about."""


class Exclusion:
    """The patterns, read once for the folders of a workspace.

    A pattern counts as in a `.gitignore` at the top of each folder: the last one that matches
    decides, and `!` brings back nothing that is in an excluded folder. A pattern that can be
    understood in two ways counts in both. For a file outside of the workspace, any folder that it
    is in may be the one from which a pattern goes on. A copy is excluded with its original.
    """

    def __init__(self, patterns: Iterable[str], folders: Iterable[str] = ()) -> None:
        """Read the patterns; `folders` are the paths of the workspace's folders."""
        given = [folder.rstrip("/") for folder in folders]
        self._folders = tuple(dict.fromkeys(map(_normal, [*given, *map(real_path, given)])))
        self.problems: list[str] = []
        """For each pattern that can match nothing, the reason."""
        self._known: dict[str, str | None] = {}
        """Patterns by path, for documents are asked about at each key."""
        self._written = [_normal(pattern).strip() for pattern in patterns]
        self._outside = self._read(None)
        self._inside: dict[str, Patterns] = {}
        """The patterns of each folder that was asked about: a workspace may have thousands."""

    def prepare(self) -> None:
        """Do now what the first question in each folder would else have to wait for.

        It takes a second or more for thousands of patterns, so it is done on a thread.
        """
        for patterns in [self._outside, *map(self._within, self._folders[:_PREPARED])]:
            patterns.compile()

    def pattern_for(self, path: str) -> str | None:
        """Return the pattern that excludes a file, or a folder that it is in.

        >>> Exclusion(["config/**"], ["/w"]).pattern_for("/w/config/a.yml")
        'config/**'
        """
        try:
            return self._known[path]
        except KeyError:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()  # another thread may be here too
            found = self._known[path] = self._first(path)
            return found

    def _first(self, path: str) -> str | None:
        for each, patterns in self._readings(path):
            for folder in ancestors(each):
                if (found := patterns.last_match(folder, folder=True)) and found.excludes:
                    return found.text
            if (found := patterns.last_match(each, folder=False)) and found.excludes:
                return found.text
        return None

    def excludes(self, path: str, *, folder: bool) -> bool:
        """Return whether a path itself is excluded, regardless of the folders that it is in."""
        found = (patterns.last_match(at, folder=folder) for at, patterns in self._readings(path))
        return any(each is not None and each.excludes for each in found)

    def _readings(self, path: str) -> Iterator[tuple[str, Patterns]]:
        """Yield each spelling of a path, with the patterns of each folder that holds it."""
        for each in _spellings(path):
            held = [at for at in self._folders if each.startswith(f"{at}/")]
            for patterns in [*map(self._within, held)] or [self._outside]:
                yield each.removeprefix("/"), patterns

    def _within(self, folder: str) -> Patterns:
        if folder not in self._inside:  # another thread may read them too, with the same result
            self._inside[folder] = self._read(folder)
        return self._inside[folder]

    def _read(self, folder: str | None) -> Patterns:
        read: list[Pattern] = []
        for text in self._written:
            patterns, problems = _understood(text, folder)
            read += patterns
            if not patterns and folder is None:
                self.problems.append(f"{text!r} can never match: {problems[0]}")
        return Patterns(read, ignore_case=True)


@lru_cache(maxsize=8)
def exclusion_of(patterns: tuple[str, ...], folders: tuple[str, ...] = ()) -> Exclusion:
    """Return the exclusion of these patterns in these folders; the last ones used are kept."""
    return Exclusion(patterns, folders)


def real_path(path: str) -> str:
    """Return an absolute path with its symbolic links resolved; any other one as it is."""
    try:
        return os.path.realpath(path) if path.startswith("/") else path
    except (OSError, ValueError):
        return path


def _normal(path: str) -> str:
    return unicodedata.normalize("NFC", path)


def _spellings(path: str) -> Iterator[str]:
    """Yield a path, with slashes for backslashes, and the one of which it may be a copy."""
    for each in dict.fromkeys([_normal(path), _normal(path.replace("\\", "/"))]):
        yield each
        folder, slash, name = each.rpartition("/")
        yield from (f"{folder}{slash}{original}" for original in _originals(name))


def _originals(name: str) -> list[str]:
    """Return names of which this may be a copy: `.key.pem.swp` is one of `key.pem`."""
    original = _DESKTOP.sub("", name.strip("#~").removeprefix(".#"))
    while (parts := original.rpartition("."))[0] and (
        parts[2].lower() in _COPIES or _NUMBER.fullmatch(parts[2])
    ):
        original = parts[0].rstrip("~")
    return [] if original == name else [original, original.removeprefix(".")]


def _understood(text: str, folder: str | None) -> tuple[list[Pattern], list[str]]:
    """Return the meanings of a pattern, in a folder or outside of all, and its problems."""
    bang = "!" if text.startswith("!") else ""
    body = text.removeprefix("!")
    read: dict[str, Pattern] = {}
    problems = []
    written = [*_alternatives(body), *_alternatives(body.replace("\\", "/"))]
    if len(written) > _MOST:
        return [], [f"its braces stand for more than {_MOST} patterns"]
    for spelling in dict.fromkeys(written):
        try:
            for whole in _whole(spelling, folder):
                for each in (whole, _resolved(whole)):
                    pattern = pattern_of(f"{bang}{each}", ignore_case=True)
                    read[each] = replace(pattern, text=text)
        except BadPattern as error:
            problems.append(str(error))
    return list(read.values()), problems


def _alternatives(body: str) -> list[str]:
    """Return a pattern and those that its braces stand for, as editors have it and git does not.

    >>> _alternatives("*.{pem,key}")
    ['*.{pem,key}', '*.pem', '*.key']
    """
    found = [body]
    for each in found:
        if (braces := _BRACES.search(each)) and len(found) <= _MOST:
            before, after = each[: braces.start()], each[braces.end() :]
            found += [f"{before}{part.strip()}{after}" for part in braces[1].split(",")]
    return found


def _whole(body: str, folder: str | None) -> Iterator[str]:
    """Yield the pattern in forms that begin at the top of the file system."""
    if found := _HOME.match(body):
        yield f"{_home()}{body[found.end() :]}"
        return
    body = _HERE.sub("", body, count=1) if _HERE.match(body) else body
    if not body.strip("/"):
        raise BadPattern("it names nothing")
    if _UNKNOWN.search(body):
        raise BadPattern("no variable but the home folder's, no `~name` and no URL is known here")
    if body.startswith("//"):  # a Windows share: its host is not in a path
        body = f"/{body.lstrip('/').partition('/')[2]}"
    if _DRIVE.match(body) or body.startswith("/"):
        yield body
    if _DRIVE.match(body):
        return
    if body.startswith("**/"):
        yield body
        return
    start = "**" if folder is None else literal(folder)
    named = "/" not in body.removesuffix("/")
    inner = "/**/" if named and folder is not None else "/"
    yield f"{start}{inner}{body.removeprefix('/')}"


def _home() -> str:
    try:
        return literal(Path.home().as_posix())
    except RuntimeError:
        raise BadPattern("there is no home folder") from None


def _resolved(pattern: str) -> str:
    """Resolve the links in the start of a pattern, up to its first wildcard."""
    parts = pattern.split("/")
    plain = next((at for at, part in enumerate(parts) if _WILD.search(part)), len(parts))
    if plain < 2 or not pattern.startswith("/"):
        return pattern
    start = "/".join(parts[:plain])
    real = real_path(start)
    return pattern if real == os.path.normpath(start) else "/".join([literal(real), *parts[plain:]])
