"""The file of statistics: one table of numbers in SQLite, to which several editors add."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, TypeVar

from filelock import FileLock

from engine.errors import FolderUnavailable, StatisticsUnavailable
from engine.paths import statistics_dir
from lsp_server.statistics.counts import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

T = TypeVar("T")

FILE = "statistics.db"
MAX_ROWS = 100_000
"""Of about 40 bytes; the oldest days go first. A day has some 50 for each language."""
_BUSY_S = 5.0
"""How long to wait for other editors, which write for milliseconds."""
_CREATE = """CREATE TABLE IF NOT EXISTS counts (
    day TEXT, language TEXT, name TEXT, value INTEGER NOT NULL, PRIMARY KEY (day, language, name)
) WITHOUT ROWID"""
_ADD = """INSERT INTO counts VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET value = value + excluded.value"""
_TRIM = """DELETE FROM counts
    WHERE day <= (SELECT day FROM counts ORDER BY day DESC LIMIT 1 OFFSET ?)"""


class Store:
    """Adds to the file and reads it. All methods wait for the disk, and for other editors.

    They raise StatisticsUnavailable where the file cannot be used; one that is no database is
    moved away first, which `tell` gets to know.
    """

    def __init__(self, tell: Callable[[str], None], folder: Path | None = None) -> None:
        """The file is in `folder`, by default Caret's own."""
        self._tell, self._folder = tell, folder

    def add(self, counts: Mapping[Key, int]) -> None:
        """Add to the numbers that are there."""
        rows = [(*key, value) for key, value in counts.items()]

        def work(file: sqlite3.Connection) -> None:
            file.executemany(_ADD, rows)
            file.execute(_TRIM, (MAX_ROWS,))

        self._do(work)

    def read(self, since: str = "") -> dict[Key, int]:
        """All numbers from a day on."""
        query = "SELECT day, language, name, value FROM counts WHERE day >= ? ORDER BY day"
        found = self._do(lambda file: file.execute(query, (since,)).fetchall())
        return {Key(*key): value for *key, value in found}

    def clear(self) -> None:
        """Forget all numbers."""
        with self._locked() as file:
            file.unlink(missing_ok=True)

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._locked() as file:
            try:
                return _transact(file, work)
            except sqlite3.OperationalError:
                raise  # no room, no permission: the file itself may be well
            except sqlite3.DatabaseError:
                damaged = file.replace(file.with_suffix(".damaged"))
                file.with_name(f"{FILE}-journal").unlink(missing_ok=True)
            self._tell(f"The file of statistics was damaged; it is {damaged} now. They begin anew.")
            return _transact(file, work)

    @contextmanager
    def _locked(self) -> Iterator[Path]:
        """The file, for nobody else: SQLite's own locks may keep one of several waiting forever."""
        try:
            folder = self._folder or statistics_dir()
            with FileLock(folder / "statistics.lock", timeout=_BUSY_S):
                yield folder / FILE
        except FolderUnavailable as error:
            raise StatisticsUnavailable(str(error)) from error
        except (OSError, sqlite3.Error) as error:
            raise StatisticsUnavailable(
                f"The statistics cannot be used: {error}. Is the disk full, or read-only?"
            ) from error


def _transact(file: Path, work: Callable[[sqlite3.Connection], T]) -> T:
    """Do all of it or nothing, in a file that has the table."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(_CREATE)
        return work(connection)
