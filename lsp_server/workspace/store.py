"""The index: definitions by name, and pieces of text by BM25, in an SQLite database in memory.

SQLite's FTS5 ranks by BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009),
takes single files in and out, and comes with Python.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lsp_server.policy import printable
from lsp_server.secrets import without_keys
from lsp_server.workspace.chunks import chunks, excerpt
from lsp_server.workspace.definitions import definitions
from lsp_server.workspace.found import Found
from lsp_server.workspace.members import members
from lsp_server.workspace.ranking import AWAITED, of_module, scored, stem_of, telling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lsp_server.workspace.wanted import Wanted

DEFINITIONS, PIECES = 24, 6
"""Found for one caret, at most."""
AMBIGUOUS = 6
"""A name with more definitions counts only where one of them is imported, or near."""
_MANY = 64
"""Definitions of one name that are looked at."""
MENTIONED = 0.3
"""Weight of a name that stands near the caret, not in the imports only."""
_SHARED = 2
"""Words that a piece must have of those searched for: one alone says little."""
COMMON = 50
"""A word in so many pieces is not searched for: it tells little, and costs much."""
SEARCH_MS = 10
"""After so long a search is broken off and finds nothing."""
_STEPS = 1_000
"""SQLite's instructions between two looks at the clock."""
_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA temp_store = MEMORY;
CREATE TABLE file (id INTEGER PRIMARY KEY, root TEXT, path TEXT, stem TEXT, language TEXT,
                   UNIQUE (root, path));
CREATE INDEX by_stem ON file (stem);
CREATE TABLE definition (name TEXT, owner TEXT, outside INTEGER, file INTEGER, line INTEGER,
                         text TEXT, kind TEXT, gives TEXT, brief TEXT);
CREATE INDEX by_name ON definition (name, owner, kind);
CREATE INDEX by_owner ON definition (owner) WHERE outside;
CREATE INDEX definition_file ON definition (file);
CREATE TABLE piece (id INTEGER PRIMARY KEY, file INTEGER, line INTEGER);
CREATE INDEX piece_file ON piece (file);
CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = 'unicode61');
"""
_COLUMNS = "path, line, text, brief, owner, stem"
_ROWS = f"{_COLUMNS} FROM definition CROSS JOIN file ON file.id = definition.file"
_NAMED = f"""
SELECT {_ROWS} WHERE name = ?3 AND root = ?1 AND ?2 IN ('', language)
UNION ALL SELECT {_ROWS} WHERE owner = ?3 AND outside AND root = ?1 AND ?2 IN ('', language)
LIMIT {_MANY}
"""
_MODULE = """
SELECT path, brief, name FROM file CROSS JOIN definition ON definition.file = file.id
WHERE stem = ?3 AND owner = '' AND root = ?1 AND language = ?2 AND substr(name, 1, 1) != '_'
ORDER BY line LIMIT 24
"""
"""CROSS JOIN: SQLite takes the tables in this order, and so goes by the name's index."""
_PIECES = f"""
SELECT path, line, text, rank FROM words CROSS JOIN piece ON piece.id = words.rowid
CROSS JOIN file ON file.id = piece.file
WHERE words MATCH ? AND root = ? AND ? IN ('', language) AND path != ? ORDER BY rank LIMIT {PIECES}
"""
_HOLDING = f"SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT {COMMON})"
_ALIKE = {
    **dict.fromkeys(["typescriptreact", "javascript", "javascriptreact"], "typescript"),
    **dict.fromkeys(["c", "objective-c"], "cpp"),
}
"""Languages that use one another's definitions."""


class Store:
    """Files and what stands in them."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        self._db.executescript(_SCHEMA)
        self._deadline = 0.0
        self._db.set_progress_handler(self._late, _STEPS)

    def put(self, root: str, path: str, language: str, text: str) -> None:
        """Take a file in, in place of what was known of it."""
        self.drop(root, path)
        text = without_keys(text)
        root, found, pieces = printable(root), definitions(text, language), chunks(text)
        row = (root, path, stem_of(path), _ALIKE.get(language, language))
        added = self._db.execute(
            "INSERT INTO file (root, path, stem, language) VALUES (?, ?, ?, ?)", row
        )
        file = added.lastrowid
        self._db.executemany(
            "INSERT INTO definition VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (d.name, d.owner, d.outside, file, d.line, d.text, d.kind, d.gives, d.brief)
                for d in found
            ),
        )
        for line, piece in pieces:
            values = self._db.execute("INSERT INTO piece (file, line) VALUES (?, ?)", (file, line))
            row_id = values.lastrowid
            self._db.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (row_id, piece))

    def drop(self, root: str, path: str) -> None:
        """Forget a file, if it is known."""
        at = printable(root), path
        found = self._db.execute("SELECT id FROM file WHERE root = ? AND path = ?", at)
        for (file,) in found.fetchall():
            self._db.execute(
                "DELETE FROM words WHERE rowid IN (SELECT id FROM piece WHERE file = ?)", (file,)
            )
            self._db.execute("DELETE FROM piece WHERE file = ?", (file,))
            self._db.execute("DELETE FROM definition WHERE file = ?", (file,))
            self._db.execute("DELETE FROM file WHERE id = ?", (file,))

    def find(self, root: str, about: Wanted) -> Iterator[list[Found]]:
        """Definitions, then pieces, each the best first; the end when it takes too long."""
        root = printable(root)
        with self._in_time():
            yield self.definitions(root, about)
            yield self.pieces(root, about)

    def members(self, root: str, about: Wanted) -> list[Found]:
        """What the object before the caret has, and how what is called there is called.

        At most one of each, and nothing when it takes too long.
        """
        with self._in_time():
            return members(self._db, printable(root), _like(about), about)
        return []

    def definitions(self, root: str, about: Wanted) -> list[Found]:
        """Of the names near the caret, and of modules among them that the file imports."""
        best: dict[tuple[str, int], Found] = {}
        for name, weight in about.names.items():
            for found in self._named(root, name, weight, about):
                known = best.get((found.path, found.line))
                if known is None or known.score < found.score:
                    best[found.path, found.line] = found
        ranked = sorted(best.values(), key=lambda found: -found.score)
        return telling(ranked[:DEFINITIONS], about)

    def pieces(self, root: str, about: Wanted) -> list[Found]:
        """Text that shares the caret's rarer words."""
        words = self._rare(about.words)
        if not words:
            return []
        rows = self._db.execute(_PIECES, (" OR ".join(words), root, _like(about), about.path))
        plain = [word.strip('"').lower() for word in words]
        cut = ((path, *excerpt(text, plain), line, -rank) for path, line, text, rank in rows)
        return [
            Found(path, line + first, text, score, "piece")
            for path, first, text, shared, line, score in cut
            if shared >= min(_SHARED, len(words))
        ]

    def _named(self, root: str, name: str, weight: float, about: Wanted) -> Iterator[Found]:
        rows = self._db.execute(_NAMED, (root, _like(about), name)).fetchall()
        rows = [row for row in rows if len(rows) <= AMBIGUOUS or row[5] in about.imports]
        yield from scored(rows, weight + AWAITED * (name in about.awaited), name, about)
        if name in about.taken and weight >= MENTIONED:
            module = self._db.execute(_MODULE, (root, _like(about), name)).fetchall()
            # a file that has the name of its one class is no more than that
            if len({row[0] for row in module}) == 1 and name not in {row[2] for row in module}:
                yield of_module(module, weight, about)

    def _rare(self, words: Iterable[str]) -> list[str]:
        """Those in few pieces: they tell most, and cost least."""
        quoted = [f'"{word}"' for word in words]
        return [
            word for word in quoted if self._db.execute(_HOLDING, (word,)).fetchone()[0] < COMMON
        ]

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        """Break off what takes too long."""
        self._deadline = time.monotonic() + SEARCH_MS / 1000
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
        finally:
            self._deadline = 0.0

    def _late(self) -> bool:
        return bool(self._deadline) and time.monotonic() > self._deadline


def _like(about: Wanted) -> str:
    return _ALIKE.get(about.language, about.language)
