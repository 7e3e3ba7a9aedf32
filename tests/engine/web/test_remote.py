"""Servers elsewhere: a real one of another make, and the ways in which servers refuse."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from starlette.responses import Response, StreamingResponse

from engine.api import ChatMessage, ChatRequest, CompletionRequest, ModelStatus, Piece, Usage
from engine.errors import AnswerUnusable, EngineError, EngineLost, EngineUnavailable
from engine.remote import Endpoint, RemoteClient
from tests.engine.web.elsewhere import EVENTS, REQUEST, all_of, ask, events_of

if TYPE_CHECKING:
    from tests.engine.web.elsewhere import Other


async def test_completion(other: Other) -> None:
    pieces = await ask(Endpoint(other.url + "/v1/", "team-model", "k3y"))
    assert pieces == [Piece("x"), Piece(")", finish_reason="stop"), Piece(usage=Usage(3, 0, 2))]
    ((path, headers, body),) = other.requests
    assert path == "/v1/completions"
    assert headers["authorization"] == "Bearer k3y"
    assert body == {
        "model": "team-model",
        "prompt": "def f(",
        "suffix": "\n",
        "max_tokens": 64,
        "stop": ["\n"],
        "temperature": 0.0,
        "top_p": 1.0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_what_asks_for_nothing_is_left_out(other: Other) -> None:
    await ask(Endpoint(other.url), CompletionRequest("m", "a", n=2))
    ((_, headers, body),) = other.requests
    assert not {"model", "suffix", "stop", "seed"} & body.keys()
    assert "authorization" not in headers
    assert (body["n"], body["temperature"]) == (2, 0.6)


async def test_an_empty_suffix_stays_an_infilling_request(other: Other) -> None:
    await ask(Endpoint(other.url), CompletionRequest("m", "def f(n):\n    ", ""))
    assert other.requests[0][2]["suffix"] == "\n"


async def test_an_empty_prompt_is_sent(other: Other) -> None:
    await ask(Endpoint(other.url), CompletionRequest("m", "", "x = 1\n"))
    assert other.requests[0][2]["prompt"] == ""


async def test_no_cookie_is_kept(other: Other) -> None:
    client = RemoteClient(Endpoint(other.url))
    other.response = Response(b'{"choices":[]}', headers={"Set-Cookie": "who=me"})
    for _ in range(2):
        await all_of(client.complete(CompletionRequest("m", "a")))
    await client.aclose()
    assert "cookie" not in other.requests[1][1]


async def test_chat(other: Other) -> None:
    client = RemoteClient(Endpoint(other.url))
    pieces = await all_of(client.chat(ChatRequest("m", (ChatMessage("user", "Why?"),))))
    assert "".join(piece.text for piece in pieces) == "x)"
    assert other.requests[0][2]["messages"] == [{"role": "user", "content": "Why?"}]
    await client.aclose()


async def test_its_model_is_always_ready() -> None:
    client = RemoteClient(Endpoint("http://127.0.0.1:1", "m"))
    assert await client.statuses() == [await client.load("x")] == [ModelStatus("m", "ready")]
    await client.aclose()


async def test_error_in_the_middle(other: Other) -> None:
    other.response = StreamingResponse(
        events_of([EVENTS[0], {"error": {"message": "out of memory"}}])
    )
    with pytest.raises(EngineError, match="out of memory"):
        await ask(Endpoint(other.url))


async def test_an_answer_as_in_a_chat_is_not_shown(other: Other) -> None:
    other.response = StreamingResponse(events_of([{"choices": [{"text": "```python\nx\n```"}]}]))
    with pytest.raises(AnswerUnusable, match="as in a chat"):
        await ask(Endpoint(other.url))


async def test_a_control_token_ends_each_choice(other: Other) -> None:
    said = [(0, "a<|fim"), (1, "b<E"), (0, "_pad|>c"), (1, "OT>"), (0, "d")]
    other.response = StreamingResponse(
        events_of([{"choices": [{"index": index, "text": text}]} for index, text in said])
    )
    pieces = await ask(Endpoint(other.url), replace(REQUEST, n=2, stop=()))
    for index, text in enumerate(["a", "b"]):
        of_one = [piece for piece in pieces if piece.index == index]
        assert "".join(piece.text for piece in of_one) == text
        assert of_one[-1].finish_reason == "stop"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "127.0.0.1:1"])
async def test_server_that_is_not_there(url: str) -> None:
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        await ask(Endpoint(url))


async def test_server_that_hangs_up() -> None:
    async def reply(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"
        writer.write(head + b'data: {"choices": [{"text": "x"}]}\n\n')
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(EngineLost, match="broke off its answer"):
            await ask(Endpoint(f"http://127.0.0.1:{port}"))
