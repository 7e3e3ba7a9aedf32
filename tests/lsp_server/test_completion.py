"""The way from a query to texts, with an engine that follows a script.

`test_server.py` goes the same way through real processes.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from engine.api import CompletionRequest, Piece, Usage
from engine.errors import EngineLost
from lsp_server.completion import Completer, Query
from lsp_server.context import Site
from lsp_server.settings import CompletionSettings, FimSettings, Settings
from tests.scripted import Gated, Script, asked

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


SITE = Site("x = ", "\n", "python", "src/a.py")


async def test_the_request() -> None:
    script = Script(Piece("1"), Piece(finish_reason="stop"))
    settings = Settings(FimSettings("m"), completion=CompletionSettings(max_tokens=9))
    assert await Completer(script).suggest(Query("file:///a.py", SITE), settings) == ["1"]
    (request,) = script.requests
    assert (request.model, request.prompt, request.suffix) == ("m", "x = ", "\n")
    assert (request.max_tokens, request.stop, request.path) == (9, (), "src/a.py")
    assert not request.one_line  # it may open a block
    assert request.document
    assert request.document.endswith("file:///a.py")
    assert (script.waits, script.closed) == ([False], 1)


async def test_inside_of_a_line_the_engine_stops_at_its_end() -> None:
    script = Script(Piece("1", finish_reason="stop"))
    await Completer(script).suggest(Query("a", Site("f(", "x)")), Settings())
    assert script.requests[0].stop == ("\n",)
    assert not script.requests[0].one_line


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
    assert [request.sampling.seed for request in script.requests] == [None, *range(1, 13)]
    nothing = Script(Piece("  ", finish_reason="stop"))
    assert await Completer(nothing).suggest(Query("a", SITE, choices=3), Settings()) == []
    assert len(nothing.requests) == 1


async def test_who_asks_again_gets_the_choices_found_before_and_more() -> None:
    class Slow(Script):
        """The second one comes when there is no time left."""

        async def complete(
            self, request: CompletionRequest, *, wait: bool
        ) -> AsyncGenerator[Piece, None]:
            del wait
            self.requests.append(request)
            if request.sampling.seed == 2:
                await asyncio.sleep(60)
            yield Piece(str(request.sampling.seed), finish_reason="stop")

    script, query = Slow(), Query("a", SITE, choices=4)
    completer = Completer(script)
    for expected in (["None", "1"], ["None", "1", "3", "4"], ["None", "1", "3", "4"]):
        assert await completer.suggest(query, Settings()) == expected
    assert [request.sampling.seed for request in script.requests] == [None, 1, 2, 3, 4]
    typed = replace(SITE, prefix=SITE.prefix + "N")
    assert await completer.suggest(replace(query, site=typed), Settings()) == ["one", "1"]
    completer.forget("a")
    assert await completer.suggest(query, Settings()) == ["None", "1"]


async def test_choices_that_differ_in_white_space_are_one() -> None:
    class Varied(Script):
        async def complete(
            self, request: CompletionRequest, *, wait: bool
        ) -> AsyncGenerator[Piece, None]:
            self.requests.append(request)
            texts = {None: "f(a, b)", 1: "f(a,b)", 2: "g(a)", 3: "g( a )", 4: "h(a)"}
            yield Piece(texts[request.sampling.seed], finish_reason="stop")

    script = Varied()
    texts = await Completer(script).suggest(Query("a", SITE, choices=3), Settings())
    assert texts == ["f(a, b)", "g(a)", "h(a)"]
    assert len(script.requests) == 5


async def test_nothing_is_asked_within_a_word_but_by_hand() -> None:
    site = Site("x = pri", "nt(y)\n", "python")
    script = Script(Piece("nt(a) + pri", finish_reason="stop"))
    assert await Completer(script).suggest(Query("a", site), Settings()) == []
    assert script.requests == []
    assert await Completer(script).suggest(Query("a", site, invoked=True), Settings()) != []


async def test_what_is_known_is_shown_where_nothing_would_be_asked() -> None:
    script = Script(Piece("return x;\n}", finish_reason="stop"))
    completer = Completer(script)
    begun = Site("int f() {\n  ", "\n\nint g;", "cpp")
    assert await completer.suggest(Query("a", begun), Settings()) == ["return x;\n}"]
    typed = Site("int f() {\n  return x;", "\n\nint g;", "cpp")
    assert await completer.suggest(Query("a", typed), Settings()) == ["\n}"]
    assert len(script.requests) == 1


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
    assert await completer.suggest(Query("a", SITE), settings) == ["1"]  # known already
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await completer.suggest(Query("b", SITE), settings)
    assert script.waits == [True]


async def test_a_query_by_hand_does_not_join_one_that_may_fail_for_want_of_a_model() -> None:
    script = Gated(Piece("1", finish_reason="stop"))
    completer = Completer(script)
    tasks = [await asked(completer, Query("a", SITE, invoked)) for invoked in (False, True)]
    script.gate.set()
    assert await asyncio.gather(*tasks) == [["1"], ["1"]]
    assert script.waits == [False, True]


async def test_the_error_of_a_joined_one_is_told() -> None:
    class Lost(Gated):
        async def complete(
            self, request: CompletionRequest, *, wait: bool
        ) -> AsyncGenerator[Piece, None]:
            async for piece in super().complete(request, wait=wait):
                yield piece
                raise EngineLost("gone")

    script = Lost(Piece("1"))
    completer = Completer(script)
    old = await asked(completer, Query("a", SITE))
    new = asyncio.create_task(completer.suggest(Query("a", SITE), Settings()))
    old.cancel()
    await asyncio.sleep(0)
    script.gate.set()
    with pytest.raises(EngineLost):
        await new
    assert len(script.requests) == 1


async def test_nobody_waits_so_it_is_stopped() -> None:
    script = Gated(Piece("1"))
    completer = Completer(script)
    task = await asked(completer, Query("a", SITE))
    task.cancel()
    async with asyncio.timeout(60):
        while not script.closed:
            await asyncio.sleep(0)


async def test_other_settings_other_predictions() -> None:
    script = Script(Piece("1", finish_reason="stop"))
    completer = Completer(script)
    for _ in range(2):
        await completer.suggest(Query("a", SITE), Settings())
    completer.forget()
    await completer.suggest(Query("a", SITE), Settings())
    assert len(script.requests) == 2
