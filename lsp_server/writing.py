"""A prediction while the model writes it. Requests come and go; it goes on for the newest one."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from lsp_server.predictions import Prediction, typed_between

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from engine.api import Piece
    from lsp_server.context import Site
    from lsp_server.draft import Draft


GRACE_S = 0.1
"""How long it goes on with nobody waiting: some editors cancel a request before they ask anew."""


class Writing:
    """Ends when it is whole, when something else is typed, or when nobody waits for it."""

    def __init__(
        self,
        document: str,
        draft: Draft,
        pieces: AsyncGenerator[Piece, None],
        remember: Callable[[Prediction], None],
    ) -> None:
        self.draft = draft
        self._document, self._remember = document, remember
        self._typed = ""
        self._waiting = 0
        self._task = asyncio.create_task(self._write(pieces))
        # An error that nobody waited for is nobody's concern.
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())

    def join(self, site: Site) -> bool:
        """Go on for a newer caret, if what was typed meanwhile is what is being written."""
        typed = typed_between(self.draft.site, site)
        if typed is None or self._task.done() or not self.draft.may_become(typed):
            return False
        self._typed = typed
        return True

    async def wait(self) -> Prediction | None:
        """The prediction; None if it turned out not to be what is typed, or too unsure.

        Raises:
            CaretError: the engine or its model failed.
        """
        self._waiting += 1
        try:
            await asyncio.wait([self._task])
            return self._task.result()
        finally:
            self._waiting -= 1
            asyncio.get_running_loop().call_later(GRACE_S, self.stop_unless_awaited)

    def stop_unless_awaited(self) -> None:
        """End it now if nobody waits for it."""
        if not self._waiting:
            self.stop()

    def stop(self) -> None:
        """End it now; what it had is not remembered."""
        self._task.cancel()

    async def _write(self, pieces: AsyncGenerator[Piece, None]) -> Prediction | None:
        start = time.monotonic()
        async with aclosing(pieces):
            async for piece in pieces:
                if self.draft.add(piece):
                    break
                if not self.draft.may_become(self._typed):
                    return None
        if self.draft.doubted:
            return None
        draft, seconds = self.draft, time.monotonic() - start
        tokens = tuple(draft.tokens)
        prediction = Prediction(
            self._document,
            draft.site,
            await asyncio.to_thread(draft.text),
            seconds,
            tokens,
            fills=draft.fills,
            usage=draft.usage,
        )
        self._remember(prediction)
        return prediction
