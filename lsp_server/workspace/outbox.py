"""Messages that wait to be sent: of those with one key only the newest, so there are never many."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    Message = Mapping[str, object]


class Outbox:
    """The queue between those who send and a pipe that may be full."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, Message] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        """Return the number of waiting messages."""
        return len(self._waiting)

    def put(self, key: Hashable, message: Message) -> None:
        """Send a message in its turn, in place of one with the same key that still waits."""
        self._waiting[key] = message
        self._filled.set()

    def drop(self, key: Hashable) -> None:
        """Drop the message with this key, if it still waits."""
        self._waiting.pop(key, None)

    def restart(self, first: Message) -> None:
        """Put `first` before all others, for a new reader."""
        self.drop(None)
        self._waiting = {None: first, **self._waiting}
        self._filled.set()

    async def take(self) -> Message:
        """Wait for the next message, and take it out."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return self._waiting.pop(next(iter(self._waiting)))
