"""A server of another make, of which a test sets what it answers, and a client of it."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from starlette.responses import Response, StreamingResponse

from engine.api import CompletionRequest, Piece, Sampling, Snippet
from engine.remote import Endpoint, RemoteClient

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

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
        self.refusing: Callable[[dict[str, Any]], Response | None] = lambda _: None
        """Function that returns the refusal of a request's body, or None to answer it."""

    async def answer(self, request: Request) -> Response:
        self.requests.append((request.url.path, dict(request.headers), await request.json()))
        refused = self.refusing(self.requests[-1][2])
        return (
            refused
            or self.response
            or StreamingResponse(events_of(EVENTS), media_type="text/event-stream")
        )


async def events_of(events: list[Any]) -> AsyncIterator[bytes]:
    """The body of a stream."""
    for event in events:
        yield b"data: " + json.dumps(event).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"


async def ask(endpoint: Endpoint, request: CompletionRequest = REQUEST) -> list[Piece]:
    """All pieces of one completion."""
    client = RemoteClient(endpoint)
    try:
        return await all_of(client.complete(request))
    finally:
        await client.aclose()


async def all_of(pieces: AsyncGenerator[Piece, None]) -> list[Piece]:
    """The pieces, once all have come."""
    async with aclosing(pieces):
        return [piece async for piece in pieces]
