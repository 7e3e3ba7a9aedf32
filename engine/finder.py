"""Where the engine is, for a client that lives longer than the engine does. Imports no torch."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

from engine import launch, lockfile
from engine.errors import CaretError, EngineLost, EngineUnavailable
from engine.paths import log_dir

if TYPE_CHECKING:
    from engine.launch import LaunchOptions
    from engine.lockfile import Address

_LONGEST_PAUSE_S = 30.0


class Finder:
    """Knows where the engine is, looks for it when it does not, and paces its restarts.

    The first engine after a loss is started at once; each further loss in a row doubles the
    pause before the next, so that one that dies at every request is not started at every key.
    """

    def __init__(self, options: LaunchOptions) -> None:
        self._options = options
        self._search: asyncio.Task[Address | CaretError] | None = None
        self._losses = 0
        self._last_lost: int | None = None
        self._not_before = 0.0

    async def find(self) -> Address:
        """Where the engine is; one search serves all who wait, and outlives those who give up.

        An engine that left may have a stranger at its port, who must not be sent anybody's code:
        what was found counts as long as it is also what is published.
        """
        if self._search is None or self._is_over(self._search):
            self._check_pause()
            self._search = asyncio.create_task(self._connect())
        found = await asyncio.shield(self._search)
        if isinstance(found, CaretError):
            raise found
        return found

    def forget(self) -> None:
        """Search anew when next asked."""
        if self._search is not None and self._search.done():
            self._search = None

    def lost(self, port: int | None) -> EngineLost:
        """Note that the engine at `port` died while it worked; the error to raise for it."""
        if port != self._last_lost:  # several requests may have died with it
            self._last_lost = port
            self._note_failure()
        return EngineLost(
            "The engine ended while it answered, perhaps for lack of memory. The next request "
            f"starts it again; {log_dir() / 'engine.log'} may say more."
        )

    def worked(self) -> None:
        """Note that an answer came, whole or as much of it as was wanted."""
        self._losses = 0

    async def aclose(self) -> None:
        """Give up a search that is under way."""
        if self._search is not None:
            self._search.cancel()
            await asyncio.wait([self._search])

    @staticmethod
    def _is_over(search: asyncio.Task[Address | CaretError]) -> bool:
        """Whether a search has failed, or what it found is no more."""
        if not search.done():
            return False
        failed = search.cancelled() or search.exception() is not None
        return failed or search.result() != lockfile.read_address()

    async def _connect(self) -> Address | CaretError:
        try:
            return await launch.connect(self._options)
        except CaretError as error:  # returned: who asked may not be there any more to catch it
            self._note_failure()
            return error

    def _note_failure(self) -> None:
        pause = min(2.0 ** (self._losses - 1), _LONGEST_PAUSE_S) if self._losses else 0.0
        self._not_before = time.monotonic() + pause
        self._losses += 1

    def _check_pause(self) -> None:
        left = self._not_before - time.monotonic()
        if left > 0:
            raise EngineUnavailable(
                f"The engine failed {self._losses} times in a row; it is started again in "
                f"{math.ceil(left)} s. {log_dir() / 'engine.log'} may say why."
            )
