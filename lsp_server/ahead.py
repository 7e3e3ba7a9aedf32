"""Reading ahead: where the caret rests, the model reads before anybody asks it to write.

Editors do not tell where the caret is. What they ask for there tells it: a completion, the
highlights of the word under it, and every edit.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from lsprotocol import types

REST_S = 0.25
"""How long nothing must happen first."""


class Ahead:
    """Reads at the last place that it was told of, when that has been a moment ago."""

    def __init__(self, read: Callable[[str, types.Position], Coroutine[None, None, None]]) -> None:
        """Read at a place of a document by `read`."""
        self._read = read
        self._place: tuple[str, types.Position] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._reading: asyncio.Task[None] | None = None

    def rest(self, document: str, position: types.Position) -> None:
        """The caret is here, as far as is known."""
        self.stop()
        self._place = document, position
        self._timer = asyncio.get_running_loop().call_later(REST_S, self.resume)

    def stop(self) -> None:
        """The model is needed, or something happens that is soon followed by `rest`."""
        if self._timer:
            self._timer.cancel()
        if self._reading:
            self._reading.cancel()

    def forget(self, document: str) -> None:
        """Read no more in a document that was closed."""
        if self._place and self._place[0] == document:
            self.stop()
            self._place = None

    def resume(self) -> None:
        """Read now, at the last place: the model is there at last."""
        self.stop()
        if self._place:
            self._reading = asyncio.create_task(self._read(*self._place))
