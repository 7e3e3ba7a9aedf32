"""Files and folders that the index cannot read: counted, and logged once until they change."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MOST_LOGGED = 200
"""Most lines that are logged about one look at the disk."""

_log = logging.getLogger(__name__)


class Faults:
    """Keeps the faults of the current look at the disk and of the previous one."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """`tell` gets what a person should know."""
        self._tell = tell
        self._before: dict[str, str] = {}
        self._now: dict[str, str] = {}
        self._broken: set[str] = set()
        self._known: set[str] = set()

    @property
    def count(self) -> int:
        """Number of files and folders that are left out."""
        return len(self._now) + len(self._broken)

    def begin(self) -> None:
        """Begin another look at the disk."""
        self._before, self._now = self._now, {}

    def left_out(self, path: str, error: BaseException) -> None:
        """Take note of what cannot be looked at; it is logged unless that was so before."""
        reason = f"{type(error).__name__}: {error}"
        known = reason in (self._before.get(path), self._now.get(path))
        if not known and len(self._now) < _MOST_LOGGED:
            _log.warning("%r is left out: %s", path, reason)
        self._now[path] = reason

    def broken(self, path: str, error: BaseException) -> None:
        """Take note of a file that cannot be taken in; it is not tried again until it changes."""
        _log.warning("%r is left out: %s: %s", path, type(error).__name__, error)
        self._broken.add(path)

    def mended(self, path: str) -> None:
        """Forget the fault of a file that changed or is gone."""
        self._broken.discard(path)

    def told(self, problems: Iterable[str]) -> None:
        """Tell the user once of each problem in a file that keeps something private."""
        for problem in problems:
            if problem not in self._known:
                self._known.add(problem)
                self._tell(problem)
