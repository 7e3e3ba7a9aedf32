"""The way from a query to texts, with an engine that follows a script.

`test_server.py` goes the same way through real processes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from engine.api import CompletionRequest, Piece, Usage
from engine.errors import EngineLost
from lsp_server.completion import Completer, Query
from lsp_server.context import Site
from lsp_server.settings import CompletionSettings, FimSettings, Settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

SITE = Site("x = ", "\n", "python", "src/a.py")


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


async def test_the_request() -> None:
    script = Script(Piece("1"), Piece(finish_reason="stop"))
    settings = Settings(FimSettings("m"), completion=CompletionSettings(max_tokens=9))
    assert await Completer(script).suggest(Query("file:///a.py", SITE), settings) == ["1"]
    (request,) = script.requests
    assert (request.model, request.prompt, request.suffix) == ("m", "x = ", "\n")
    assert (request.max_tokens, request.stop, request.path) == (9, (), "src/a.py")
    assert request.document
    assert request.document.endswith("file:///a.py")
    assert (script.waits, script.closed) == ([False], 1)


async def test_inside_of_a_line_the_engine_stops_at_its_end() -> None:
    script = Script(Piece("1", finish_reason="stop"))
    await Completer(script).suggest(Query("a", Site("f(", "x)")), Settings())
    assert script.requests[0].stop == ("\n",)


async def test_the_stream_is_closed_when_the_line_is_whole() -> None:
    script = Script(Piece("1"), Piece("\nrest"), Piece("never read", finish_reason="stop"))
    completer = Completer(script)
    assert await completer.suggest(Query("a", SITE), Settings()) == ["1"]
    assert script.closed == 1
    assert completer.last_usage
    assert completer.last_usage.completion_tokens == 2


async def test_the_engines_own_count_is_kept() -> None:
    usage = Usage(prompt_tokens=5, cached_tokens=4, completion_tokens=1)
    script = Script(Piece("1"), Piece(finish_reason="stop", usage=usage))
    completer = Completer(script)
    await completer.suggest(Query("a", SITE), Settings())
    assert completer.last_usage == usage


@pytest.mark.parametrize("ending", [[], [Piece(finish_reason="stop")]])
async def test_streams_may_end_without_a_reason(ending: list[Piece]) -> None:
    script = Script(Piece("\n  a\n"), Piece("fi"), *ending)
    site = Site("if x; then", "", "shellscript")
    assert await Completer(script).suggest(Query("a", site), Settings()) == ["\n  a\nfi"]


async def test_cut_by_length_half_a_line_is_dropped() -> None:
    script = Script(Piece("\n    a\n    b ="), Piece(finish_reason="length"))
    site = Site("def f():", "", "python")
    assert await Completer(script).suggest(Query("a", site), Settings()) == ["\n    a"]


async def test_choices_are_distinct_and_none_is_empty() -> None:
    script = Script(Piece("1", finish_reason="stop"))
    assert await Completer(script).suggest(Query("a", SITE, choices=3), Settings()) == ["1"]
    assert [request.sampling.seed for request in script.requests] == [None, 1, 2]
    nothing = Script(Piece("  ", finish_reason="stop"))
    assert await Completer(nothing).suggest(Query("a", SITE, choices=3), Settings()) == []
    assert len(nothing.requests) == 1


async def test_an_error_in_another_choice_does_not_spoil_the_first() -> None:
    class Fragile(Script):
        async def complete(
            self, request: CompletionRequest, *, wait: bool
        ) -> AsyncGenerator[Piece, None]:
            if request.sampling.temperature:
                raise EngineLost("gone")
            async for piece in super().complete(request, wait=wait):
                yield piece

    script = Fragile(Piece("1", finish_reason="stop"))
    assert await Completer(script).suggest(Query("a", SITE, choices=3), Settings()) == ["1"]


async def test_only_automatic_queries_are_delayed() -> None:
    settings = Settings(completion=CompletionSettings(debounce_ms=5000))
    script = Script(Piece("1", finish_reason="stop"))
    completer = Completer(script)
    assert await completer.suggest(Query("a", SITE, invoked=True), settings) == ["1"]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await completer.suggest(Query("a", SITE), settings)
    assert script.waits == [True]
