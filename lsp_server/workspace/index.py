"""The workspace's files in the store, kept in step with the disk and with open documents."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

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
    ) -> None:
        """For the files under `roots`; `report` gets (files done, in all)."""
        self.store = Store()
        self._roots, self._exclude, self._report = roots, exclude, report
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
        found: dict[Key, Entry] = {}
        for entry in self._walk():
            found[entry.root, entry.path] = entry
            yield
        for gone in self._known.keys() - found.keys():
            if gone not in self._live or caretignored(*gone):
                self._drop(gone)
            yield
        yield from self._take([entry for key, entry in found.items() if self._differs(key, entry)])
        now = time.monotonic()
        self._due = now + max(RESCAN_S, RESCAN_SHARE * (now - began))

    def open(self, root: str, path: str, text: str) -> None:
        """Take the text of an open document for its file's."""
        self._live.add((root, path))
        self._put((root, path), "", text)

    def close(self, root: str, path: str) -> None:
        """The file's text is the disk's again."""
        if (root, path) in self._live:
            self._live.remove((root, path))
            self._known[root, path] = "", 0  # so the next look at the disk reads it
            self._due = 0.0

    def _walk(self) -> Iterator[Entry]:
        count = 0
        for root in self._roots:
            for entry in walk(root, self._exclude):
                count += 1
                if count > MAX_FILES:
                    return
                yield entry

    def _differs(self, key: Key, entry: Entry) -> bool:
        return key not in self._live and self._known.get(key, ("", 0))[0] != entry.stamp

    def _take(self, entries: list[Entry]) -> Iterator[None]:
        size = sum(characters for _, characters in self._known.values())
        for done, entry in enumerate(entries):
            if done % _TELL_EVERY == 0:
                self._report(done, len(entries))
            key = entry.root, entry.path
            if size < MAX_CHARACTERS and key not in self._live:
                text = entry.read() or ""
                size += len(text)
                self._put(key, entry.stamp, text)
            yield
        if entries:
            self._report(len(entries), len(entries))

    def _put(self, key: Key, stamp: str, text: str) -> None:
        self._known[key] = stamp, len(text)
        self.store.put(*key, language_of(key[1]), text)

    def _drop(self, key: Key) -> None:
        del self._known[key]
        self._live.discard(key)
        self.store.drop(*key)
