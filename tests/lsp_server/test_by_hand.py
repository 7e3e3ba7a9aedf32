"""What somebody gets who asks for a completion by hand, from an engine that follows a script.

`tests/engine/test_runtime.py` asks a real model the same way.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from engine.api import CompletionRequest, Piece
from lsp_server.completion import Completer, Query
from lsp_server.context import Site
from lsp_server.settings import Settings
from tests.scripted import Gated, Script, asked

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from engine.api import FinishReason

HOLE = Site("def f(a):\n    if a", "\n    return c\n", "python")


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        # the model says where it ends
        ([":\n        b()\n", "    c = 1", "<end>"], ":\n        b()\n    c = 1"),
        # or the line below comes
        ([":\n        b()\n", "    c = 1\n", "    return c\n", "never read"], None),
        # it does not end, or does not fit: what is shown while one types
        ([":\n        b()\n    c = 1\n", "    d ="], ":\n        b()"),
        ([":\n        b()\n    c = (1", "<end>"], ":\n        b()"),
    ],
)
async def test_by_hand_a_hole_is_filled(pieces: list[str], text: str | None) -> None:
    *texts, last = pieces
    reason: FinishReason = "stop" if last == "<end>" else "length"
    rest = "" if last == "<end>" else last
    script = Script(*map(Piece, texts), Piece(rest, finish_reason=reason))
    by_hand = await Completer(script).suggest(Query("a", HOLE, invoked=True), Settings())
    assert by_hand == [text or ":\n        b()\n    c = 1"]
    assert await Completer(script).suggest(Query("a", HOLE), Settings()) == [":\n        b()"]


async def test_by_hand_more_is_asked_for_than_was_while_typing() -> None:
    script = Script(Piece(":\n        b()\n    c = 1", finish_reason="stop"))
    completer, by_hand = Completer(script), Query("a", HOLE, invoked=True)
    assert await completer.suggest(Query("a", HOLE), Settings()) == [":\n        b()"]
    for _ in range(2):
        assert await completer.suggest(by_hand, Settings()) == [":\n        b()\n    c = 1"]
    assert len(script.requests) == 2
    # What was suggested by hand may be typed, too.
    typed = replace(HOLE, prefix=HOLE.prefix + ":\n        b()\n")
    assert await completer.suggest(Query("a", typed), Settings()) == ["    c = 1"]


async def test_by_hand_it_does_not_join_what_goes_less_far() -> None:
    script = Gated(Piece(":\n        b()\n    c = 1", finish_reason="stop"))
    completer = Completer(script)
    tasks = [await asked(completer, Query("a", HOLE, invoked)) for invoked in (False, True, True)]
    script.gate.set()
    more = [":\n        b()\n    c = 1"]
    assert await asyncio.gather(*tasks) == [[":\n        b()"], more, more]
    assert len(script.requests) == 3  # the third came before the second had begun


async def test_by_hand_a_hole_may_have_several_lines_inside_of_a_line() -> None:
    script = Script(Piece("a,\n  b", finish_reason="stop"))
    query = Query("a", Site("f(", ")", "python"), invoked=True)
    assert await Completer(script).suggest(query, Settings()) == ["a,\n  b"]
    assert script.requests[0].stop == ()
    assert script.requests[0].max_tokens == 2 * Settings().completion.max_tokens


async def test_by_hand_the_model_must_write_something() -> None:
    """As `test_a_text_that_would_end_at_once_begins` in tests/engine has a real model do."""

    class Reluctant(Script):
        async def complete(
            self, request: CompletionRequest, *, wait: bool
        ) -> AsyncGenerator[Piece, None]:
            del wait
            self.requests.append(request)
            yield Piece("1" if request.min_tokens else "", finish_reason="stop")

    script, site = Reluctant(), Site("x = ", "\n", "python")
    assert await Completer(script).suggest(Query("a", site), Settings()) == []
    assert len(script.requests) == 1
    assert await Completer(script).suggest(Query("a", site, invoked=True), Settings()) == ["1"]
    assert [request.min_tokens for request in script.requests] == [0, 0, 1]
