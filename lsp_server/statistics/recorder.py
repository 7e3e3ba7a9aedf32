"""Counts in memory, and writes to the file when there is time: nobody waits for the disk."""

from __future__ import annotations

import asyncio
import datetime
import logging
from collections import Counter
from typing import TYPE_CHECKING

from engine.errors import StatisticsUnavailable
from lsp_server.statistics.counts import Key, language_name
from lsp_server.statistics.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DELAY_S = 5.0
"""From a number to the file."""

_log = logging.getLogger(__name__)


class Recorder:
    """Numbers on their way to the file."""

    def __init__(self, tell: Callable[[str], None], folder: Path | None = None) -> None:
        """`tell` is for messages to the user; `folder` is as for `Store`."""
        self._tell = tell
        self._news: list[str] = []
        """Messages from the thread that writes."""
        self._store = Store(self._news.append, folder)
        self._pending: Counter[Key] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._enabled = False
        self._failed = False

    def enable(self, *, enabled: bool) -> None:
        """Count from now on, or no more: then what is not yet written is forgotten."""
        self._enabled = enabled
        if not enabled:
            self._pending.clear()

    def count(self, language: str, name: str, number: int = 1) -> None:
        """Add to one of today's numbers."""
        if not self._enabled:
            return
        today = datetime.date.today().isoformat()  # the user's own day, not that of Greenwich
        self._pending[Key(today, language_name(language), name)] += number
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DELAY_S, self._start)

    async def flush(self) -> None:
        """Write what there is; if that cannot be, it stays for the next time."""
        if self._timer:
            self._timer.cancel()
        self._start()
        if self._writing:
            await self._writing

    def _start(self) -> None:
        self._timer = None
        self._writing = asyncio.create_task(self._write(self._writing))

    async def _write(self, before: asyncio.Task[None] | None) -> None:
        if before:
            await before
        counts, self._pending = self._pending, Counter()
        if not counts:
            return
        try:
            await asyncio.to_thread(self._store.add, counts)
        except StatisticsUnavailable as error:
            self._pending.update(counts)
            if not self._failed:
                _log.warning("%s", error)
            self._failed = True
        while self._news:
            self._tell(self._news.pop(0))
