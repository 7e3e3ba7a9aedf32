"""Caret's engine and llama-server beside each other, each at rest while the other is timed."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from bench.llama_server import llama_server
from bench.ours import at_rest, running_engine
from bench.texts import Texts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from bench.llama_server import LlamaServer
    from bench.ours import Engine
    from bench.run import Run

T = TypeVar("T")
_WARM_UP = 64
"""Tokens that each side reads before it is timed."""


class Pair:
    """Both, with the model in memory and warm."""

    def __init__(self, run: Run, engine: Engine, server: LlamaServer | None) -> None:
        self.run, self.engine, self.server = run, engine, server
        self.texts = Texts(run.model.path)
        self._turn = 0

    async def both(
        self,
        ours: Callable[[Engine], Awaitable[T]],
        peer: Callable[[LlamaServer], Awaitable[T]],
    ) -> tuple[T, T | None]:
        """What each gives; they take turns in being first."""
        self._turn += 1
        if self.server is None:
            return await ours(self.engine), None
        if self._turn % 2:
            await self._rest()
            first = await ours(self.engine)
            await self._rest()
            return first, await peer(self.server)
        await self._rest()
        second = await peer(self.server)
        await self._rest()
        return await ours(self.engine), second

    async def _rest(self) -> None:
        await at_rest(self.engine.process)
        if self.server is not None:
            await at_rest(self.server.process)

    async def warm_up(self) -> None:
        """Read a little on each side."""
        text = self.texts.take(_WARM_UP)
        name = self.run.model.name
        await self.both(
            lambda engine: engine.write(name, text, max_tokens=2),
            lambda server: server.write(text, max_tokens=2),
        )


@asynccontextmanager
async def open_pair(run: Run) -> AsyncIterator[Pair]:
    """Start both and warm them up; in a home of our own."""
    async with AsyncExitStack() as stack:
        run.say("Caret loads the model")
        engine = await stack.enter_async_context(running_engine())
        await engine.load(run.model.name, run.say)
        server = None
        if run.peer:
            run.say("llama.cpp loads the model")
            server = await stack.enter_async_context(llama_server(run.peer, run.model.path))
        pair = Pair(run, engine, server)
        await pair.warm_up()
        yield pair


def known(values: Sequence[T | None]) -> list[T]:
    """All of them, or none where a side was not measured."""
    found = [value for value in values if value is not None]
    return found if len(found) == len(values) else []
