"""Servers elsewhere: a real one of another make, and the ways in which servers refuse."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, Router

from engine.api import (
    ChatMessage,
    ChatRequest,
    CompletionRequest,
    ModelStatus,
    Piece,
    Sampling,
    Snippet,
    Usage,
)
from engine.errors import (
    CaretError,
    EngineError,
    EngineLost,
    EngineUnavailable,
    NotCapable,
    RequestError,
)
from engine.remote import Endpoint, RemoteClient

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from starlette.requests import Request

REQUEST = CompletionRequest(
    "qwen2.5-coder-1.5b",
    "def f(",
    "\n",
    stop=("\n",),
    sampling=Sampling(top_k=4),
    document="file:///secret.py",
    path="secret.py",
    context=(Snippet("b.py", "b"),),
    hint="# b\n",
)
EVENTS = [
    {"choices": [{"index": 0, "text": "x", "logprobs": None, "finish_reason": None}]},
    {"choices": [{"index": 0, "text": ")", "finish_reason": "stop"}], "usage": None},
    {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}},
]


class Other:
    """A server as vLLM's or Ollama's, of which a test sets what it answers."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.response: Response | None = None

    async def answer(self, request: Request) -> Response:
        self.requests.append((request.url.path, dict(request.headers), await request.json()))
        return self.response or StreamingResponse(_events(EVENTS), media_type="text/event-stream")


async def _events(events: list[Any]) -> AsyncIterator[bytes]:
    for event in events:
        yield b"data: " + json.dumps(event).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"


@pytest.fixture
async def other() -> AsyncIterator[Other]:
    other = Other()
    paths = ["/v1/completions", "/v1/chat/completions"]
    router = Router([Route(path, other.answer, methods=["POST"]) for path in paths])
    config = uvicorn.Config(router, port=0, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(20):
        while not server.started:
            await asyncio.sleep(0.005)
    other.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield other
    server.should_exit = True
    await serving


async def _ask(endpoint: Endpoint, request: CompletionRequest = REQUEST) -> list[Piece]:
    client = RemoteClient(endpoint)
    try:
        return await _all(client.complete(request))
    finally:
        await client.aclose()


async def _all(pieces: AsyncGenerator[Piece, None]) -> list[Piece]:
    async with aclosing(pieces):
        return [piece async for piece in pieces]


async def test_completion(other: Other) -> None:
    pieces = await _ask(Endpoint(other.url + "/v1/", "team-model", "k3y"))
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
    await _ask(Endpoint(other.url), CompletionRequest("m", "a", "", n=2))
    ((_, headers, body),) = other.requests
    assert not {"model", "suffix", "stop", "seed"} & body.keys()
    assert "authorization" not in headers
    assert (body["n"], body["temperature"]) == (2, 0.6)


async def test_chat(other: Other) -> None:
    client = RemoteClient(Endpoint(other.url))
    pieces = await _all(client.chat(ChatRequest("m", (ChatMessage("user", "Why?"),))))
    assert "".join(piece.text for piece in pieces) == "x)"
    assert other.requests[0][2]["messages"] == [{"role": "user", "content": "Why?"}]
    await client.aclose()


async def test_its_model_is_always_ready() -> None:
    client = RemoteClient(Endpoint("http://127.0.0.1:1", "m"))
    assert await client.statuses() == [await client.load("x")] == [ModelStatus("m", "ready")]
    await client.aclose()


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (
            400,
            {"error": {"message": "suffix is not currently supported"}},
            NotCapable,
            "takes a suf",
        ),
        (
            500,
            {"error": {"message": "Unsupported param: suffix"}},
            NotCapable,
            "fill in the middle",
        ),
        (400, {"object": "error", "message": "too long"}, RequestError, "too long"),
        (404, {"detail": "Not Found"}, RequestError, "404: Not Found"),
        (401, {"error": "who?"}, EngineUnavailable, "another API key"),
        (429, {"error": "slow down"}, EngineError, "Try again later"),
        (500, "oops", EngineError, "oops"),
        (302, "", RequestError, "302"),
    ],
)
async def test_refusals(
    other: Other, status: int, body: object, kind: type[CaretError], words: str
) -> None:
    other.response = JSONResponse(body, status)
    with pytest.raises(kind, match=words) as caught:
        await _ask(Endpoint(other.url, api_key="k3y"))
    assert "k3y" not in str(caught.value)


async def test_error_in_the_middle(other: Other) -> None:
    other.response = StreamingResponse(
        _events([EVENTS[0], {"error": {"message": "out of memory"}}])
    )
    with pytest.raises(EngineError, match="out of memory"):
        await _ask(Endpoint(other.url))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "127.0.0.1:1"])
async def test_server_that_is_not_there(url: str) -> None:
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        await _ask(Endpoint(url))


async def test_server_that_hangs_up() -> None:
    async def reply(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"
        writer.write(head + b'data: {"choices": [{"text": "x"}]}\n\n')
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(EngineLost, match="broke off its answer"):
            await _ask(Endpoint(f"http://127.0.0.1:{port}"))
