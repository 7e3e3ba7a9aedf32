"""Newest wins: work for a document ends when newer work for it begins."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Hashable

T = TypeVar("T")


class NewestWins:
    """At most one running task for each key."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[Any]] = {}

    async def run(self, key: Hashable, work: Coroutine[Any, Any, T]) -> T | None:
        """The work's result; None as soon as it is superseded. Cancelling this cancels the work."""
        self.cancel(key)
        task: asyncio.Task[T] = asyncio.create_task(work)
        self._tasks[key] = task
        try:
            result = await task
            # It may have ended in the same step of the loop in which newer work began.
            return result if self._tasks.get(key) is task else None
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if caller and caller.cancelling():
                raise
            return None
        finally:
            if self._tasks.get(key) is task:
                del self._tasks[key]

    def cancel(self, key: Hashable) -> None:
        """End the running work of a key, if any."""
        if task := self._tasks.pop(key, None):
            task.cancel()

    def cancel_all(self) -> None:
        """End all running work: settings or folders changed."""
        for key in list(self._tasks):
            self.cancel(key)
