"""The language server's way to its engine, over HTTP on loopback. Imports no torch.

`EngineClient` starts the engine when it is first needed and again when it was lost: the request
in flight fails with EngineLost, the next one finds a new engine. `engine.remote.RemoteClient`
offers the same to who has a server of their own.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

import httpx

from engine import lockfile, wire
from engine.api import ModelStatus
from engine.errors import EngineError, EngineUnavailable
from engine.finder import Finder
from engine.launch import LaunchOptions
from engine.wire_stream import parse_stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from engine.api import Ability, ChatRequest, CompletionRequest, Piece

_STATUS_TIMEOUT_S = 30.0
"""An engine may be silent for long while it imports torch from a cold disk."""


class CompletionService(Protocol):
    """Who writes text: the engine on this machine or a server elsewhere.

    The generators raise CaretErrors. Close one early (`contextlib.aclosing`) and the work for it
    stops, in the engine too.
    """

    def complete(
        self, request: CompletionRequest, *, wait: bool = True
    ) -> AsyncGenerator[Piece, None]:
        """Pieces of a completion; without `wait`, EngineUnavailable if the model is not ready."""

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        """Pieces of the assistant's next turn."""

    async def load(self, model: str, fmt: str = "", ability: Ability = "infill") -> ModelStatus:
        """Start bringing a model into memory, also one that failed before, packed as `fmt`.

        `ability` is what it is wanted for.
        """

    async def statuses(self) -> list[ModelStatus]:
        """How the models do; starts nothing."""

    async def aclose(self) -> None:
        """Let go of the connections."""


class EngineClient:
    """The user's own engine."""

    def __init__(self, options: LaunchOptions | None = None) -> None:
        self._finder = Finder(options or LaunchOptions())
        self._http = httpx.AsyncClient(
            trust_env=False,  # no proxy between us and loopback
            verify=False,  # plain HTTP; reading certificates takes tens of milliseconds
            timeout=httpx.Timeout(5.0, read=None, pool=None),  # a download may take an hour
            limits=httpx.Limits(max_connections=None, keepalive_expiry=30.0),
        )

    def complete(
        self, request: CompletionRequest, *, wait: bool = True
    ) -> AsyncGenerator[Piece, None]:
        """See `CompletionService.complete`."""
        body = wire.completion_body(request) | {"wait": wait}
        return self._ask("/v1/completions", body)

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        """See `CompletionService.chat`."""
        return self._ask("/v1/chat/completions", wire.chat_body(request))

    async def load(self, model: str, fmt: str = "", ability: Ability = "infill") -> ModelStatus:
        """See `CompletionService.load`; the status has the model's name in full."""
        wanted = {"model": model, "format": fmt, "ability": ability}
        response = await self._post("/v1/models/load", wanted)
        async with aclosing(response):
            return wire.structure(wire.decode(await response.aread()), ModelStatus)

    async def statuses(self) -> list[ModelStatus]:
        """See `CompletionService.statuses`; empty while no engine runs."""
        address = lockfile.read_address()
        if address is None:
            return []
        try:
            response = await self._http.get(
                f"{address.url}/health", headers=address.headers, timeout=_STATUS_TIMEOUT_S
            )
        except httpx.TransportError:
            return []
        told = wire.decode(response.content).get("models", [])
        return [wire.structure(status, ModelStatus) for status in told]

    async def aclose(self) -> None:
        """Let go of the engine, which stays for others until it is idle."""
        await self._finder.aclose()
        await self._http.aclose()

    async def _ask(self, path: str, body: wire.JSON) -> AsyncGenerator[Piece, None]:
        response = await self._post(path, body | {"stream": True})
        async with aclosing(response), aclosing(parse_stream(response.aiter_bytes())) as pieces:
            try:
                async for piece in pieces:
                    yield piece
            except GeneratorExit:  # who asked has enough: most suggestions end so
                self._finder.worked()
                raise
            except httpx.TransportError:
                raise self._finder.lost(response.url.port) from None
        self._finder.worked()

    async def _post(self, path: str, body: wire.JSON) -> httpx.Response:
        """A response of status 200, its body unread; raises the CaretError of any other."""
        content = wire.encode(body)
        response = await self._send(path, content)
        if response is None:  # the engine left, which is no fault; the next one is a search away
            self._finder.forget()
            response = await self._send(path, content)
        if response is None:
            raise EngineUnavailable("The engine left as soon as it came. `caret doctor` may help.")
        if response.status_code == httpx.codes.OK:
            return response
        async with aclosing(response):
            told = await response.aread()
        raise wire.parse_error(told) or EngineError(
            f"The engine sent status {response.status_code}"
        )

    async def _send(self, path: str, content: bytes) -> httpx.Response | None:
        """The answer's head; None if no engine of ours was there to be asked."""
        address = await self._finder.find()
        request = self._http.build_request(
            "POST", address.url + path, content=content, headers=address.headers
        )
        try:
            return await self._http.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return None
        except httpx.TransportError:
            raise self._finder.lost(address.port) from None
