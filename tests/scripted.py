"""An engine that follows a script, for tests of what is made of its answers."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from lsp_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from engine.api import CompletionRequest, Piece
    from lsp_server.completion import Completer, Query


class Script:
    """Writes the same pieces each time."""

    def __init__(self, *pieces: Piece) -> None:
        self.pieces = pieces
        self.requests: list[CompletionRequest] = []
        self.waits: list[bool] = []
        self.closed = 0

    async def complete(
        self, request: CompletionRequest, *, wait: bool
    ) -> AsyncGenerator[Piece, None]:
        self.requests.append(request)
        self.waits.append(wait)
        try:
            for piece in self.pieces:
                await asyncio.sleep(0)
                yield piece
        finally:
            self.closed += 1


class Gated(Script):
    """Waits before its first piece."""

    def __init__(self, *pieces: Piece) -> None:
        super().__init__(*pieces)
        self.gate = asyncio.Event()

    async def complete(
        self, request: CompletionRequest, *, wait: bool
    ) -> AsyncGenerator[Piece, None]:
        pieces = super().complete(request, wait=wait)
        async with aclosing(pieces):
            async for piece in pieces:
                await self.gate.wait()
                yield piece


async def asked(
    completer: Completer, query: Query, settings: Settings | None = None
) -> asyncio.Task[list[str]]:
    """A query that has come as far as it can."""
    task = asyncio.create_task(completer.suggest(query, settings or Settings()))
    for _ in range(10):
        await asyncio.sleep(0)
    return task
