"""The workspace's files in the store, kept in step with the disk and with open documents."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lsp_server.exclusion import exclusion_of, real_path
from lsp_server.workspace.faults import Faults
from lsp_server.workspace.ignore import caretignored
from lsp_server.workspace.store import Store
from lsp_server.workspace.walk import Entry, language_of, walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_FILES = 20_000
MAX_CHARACTERS = 50_000_000
"""Of all files together, which take about 130 MB; files after that are left out."""
RESCAN_S = 10.0
"""The disk is looked at again no sooner than this after the last time,"""
RESCAN_SHARE = 20
"""nor sooner than so many times as long as that took."""
_TELL_EVERY = 100
"""Files between two reports of progress."""

Key = tuple[str, str]
"""A root, and the path of a file in it."""


class Index:
    """Updates itself when told to, in small steps; `store` answers questions meanwhile."""

    def __init__(
        self,
        roots: tuple[str, ...],
        exclude: tuple[str, ...],
        report: Callable[[int, int], None],
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Begin empty; `report` gets (files done, in all), `tell` what a user should know."""
        self.store = Store()
        self._roots, self._report = roots, report
        self._exclusion = exclusion_of(exclude, roots)
        self.faults = Faults(tell)
        self._known: dict[Key, tuple[str, int]] = {}
        """Stamp and characters of each file."""
        self._live: set[Key] = set()
        """Files whose text comes from the editor."""
        self._due = 0.0

    @property
    def files(self) -> int:
        """How many are known."""
        return len(self._known)

    @property
    def due(self) -> bool:
        """Whether it is time to look at the disk again."""
        return time.monotonic() >= self._due

    def update(self) -> Iterator[None]:
        """Take in what was written since the last time; a step costs at most one file."""
        began = time.monotonic()
        try:
            yield from self._updated()
        finally:
            now = time.monotonic()
            self._due = now + max(RESCAN_S, RESCAN_SHARE * (now - began))

    def open(self, root: str, path: str, text: str) -> None:
        """Take the text of an open document for its file's."""
        key = root, path
        if root not in self._roots or self._private(*key):
            self._drop(key)
            return
        self._live.add(key)
        self._known[key] = "", len(text)
        self.store.put(*key, language_of(path), text)

    def close(self, root: str, path: str) -> None:
        """The file's text is the disk's again."""
        if (root, path) in self._live:
            self._live.remove((root, path))
            self._known[root, path] = "", 0  # so the next look at the disk reads it
            self._due = 0.0

    def _updated(self) -> Iterator[None]:
        found: dict[Key, Entry] = {}
        self.faults.begin()
        for entry in self._walk():
            if entry is not None:
                found[entry.root, entry.path] = entry
            yield
        for gone in self._known.keys() - found.keys():
            if gone not in self._live or self._private(*gone):
                self._drop(gone)
            yield
        yield from self._take(list(found.items()))

    def _walk(self) -> Iterator[Entry | None]:
        count = 0
        for root in self._roots:
            for entry in walk(root, self._exclusion, self.faults):
                count += entry is not None
                if count > MAX_FILES:
                    return
                yield entry

    def _differs(self, key: Key, entry: Entry) -> bool:
        return key not in self._live and self._known.get(key, ("", 0))[0] != entry.stamp

    def _take(self, found: list[tuple[Key, Entry]]) -> Iterator[None]:
        entries = [entry for key, entry in found if self._differs(key, entry)]
        size = sum(characters for _, characters in self._known.values())
        for done, entry in enumerate(entries):
            if done % _TELL_EVERY == 0:
                self._report(done, len(entries))
            key = entry.root, entry.path
            if size < MAX_CHARACTERS and key not in self._live:
                size += self._read(key, entry)
            yield
        if entries:
            self._report(len(entries), len(entries))

    def _read(self, key: Key, entry: Entry) -> int:
        """Index a file and return the number of its characters; its errors are only recorded."""
        self.faults.mended(f"{entry.root}/{entry.path}")
        self._known[key] = entry.stamp, 0
        try:
            text = entry.read() or ""
            self.store.put(*key, language_of(entry.path), text)
        except Exception as error:  # a file, or what reads it, may be wrong in any way
            self.faults.broken(f"{entry.root}/{entry.path}", error)
            self.store.drop(*key)
            return 0
        self._known[key] = entry.stamp, len(text)
        return len(text)

    def _private(self, root: str, path: str) -> bool:
        """Return whether the user excludes a file; for open files, git's rules do not count."""
        names = f"{root}/{path}", real_path(f"{root}/{path}")
        excluded = any(map(self._exclusion.pattern_for, names))
        return excluded or caretignored(root, path)

    def _drop(self, key: Key) -> None:
        self._known.pop(key, None)
        self._live.discard(key)
        self.faults.mended("/".join(key))
        self.store.drop(*key)
