"""A server elsewhere that speaks OpenAI's dialect, in the engine's place. Imports no torch.

Only standard fields are sent, so `document`, `path`, `context` and `hint` stay at home. Not every
server takes `suffix` on /v1/completions: Ollama and DeepSeek's do, vLLM and llama-server refuse it.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

import httpx

from engine import wire
from engine.api import ModelStatus, Piece
from engine.dialect import Dialect
from engine.endings import ChatEnding, Choice, InfillEnding
from engine.endpoint import Endpoint
from engine.errors import CaretError, EngineError, EngineLost, EngineUnavailable, NotCapable
from engine.network import Misconfigured, open_client, shown, trouble
from engine.refusals import nowhere, pause, refusal
from engine.wire_stream import parse_stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from engine.api import Ability, ChatRequest, CompletionRequest

__all__ = ["Endpoint", "RemoteClient"]

_UNREACHABLE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
_VARIETY = 0.6
"""Temperature for several choices where the request is greedy: vLLM refuses greedy ones."""
_SILENCE_S = 60.0
"""A server that sends nothing for so long is given up."""
_PATIENCE = 10
"""Multiple of the silence that is borne, for which a server may send signs of life but no text."""
_TOKEN_BYTES, _TOKEN_CHARS = 8192, 64
"""More than a token takes in a stream, with all fields of its chunk, and as text."""
_LEAST_BYTES, _LEAST_CHARS = 1 << 20, 1024
_REFUSAL_BYTES = 1 << 16


class RemoteClient:
    """Somebody else's server, as an `engine.client.CompletionService`.

    `Endpoint.model` goes before the model of a request, which names one of ours.
    """

    def __init__(self, endpoint: Endpoint, silence: float = _SILENCE_S) -> None:
        """Ask `endpoint`; `silence` is for how many seconds it may send nothing."""
        self._endpoint, self._silence = endpoint, silence
        self._patience = _PATIENCE * silence
        self._opening = asyncio.Lock()
        self._http: httpx.AsyncClient | None = None
        self._dialects = {path: Dialect(endpoint.model) for path in ("completions", _CHAT)}
        self._infills: NotCapable | None = None
        """Why it does not, once it has said so."""
        self._busy: tuple[float, str] = 0.0, ""
        """Until when it wants to be left alone, and why."""

    def complete(
        self,
        request: CompletionRequest,
        *,
        wait: bool = True,
    ) -> AsyncGenerator[Piece, None]:
        """See `CompletionService.complete`; NotCapable if the server takes no suffix."""
        body = wire.completion_body(request)
        if request.suffix is not None:
            # Without a suffix it would be no infilling, and a model for chats would chat.
            body["suffix"] = request.suffix or "\n"
        if request.n > 1 and not request.sampling.temperature:
            body["temperature"] = _VARIETY

        def choice() -> Choice:
            ending = InfillEnding(request.prompt, request.suffix or "", request.path)
            return Choice(ending, request.stop, _LEAST_CHARS + request.max_tokens * _TOKEN_CHARS)

        return self._ask("completions", body, request.n, choice)

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        """See `CompletionService.chat`."""

        def choice() -> Choice:
            most = _LEAST_CHARS + request.max_tokens * _TOKEN_CHARS
            return Choice(ChatEnding(), request.stop, most)

        return self._ask(_CHAT, wire.chat_body(request), 1, choice)

    async def load(self, model: str, fmt: str = "", ability: Ability = "infill") -> ModelStatus:
        """The model's status, ready: nothing to do but to try again what it refused."""
        self._infills, self._busy = None, (0.0, "")
        return ModelStatus(self._endpoint.model, "ready")

    async def statuses(self) -> list[ModelStatus]:
        """One model, ready."""
        return [ModelStatus(self._endpoint.model, "ready")]

    async def aclose(self) -> None:
        """Let go of the connections."""
        if self._http is not None:
            await self._http.aclose()

    async def _ask(
        self, path: str, body: wire.JSON, n: int, make: Callable[[], Choice]
    ) -> AsyncGenerator[Piece, None]:
        most = _LEAST_BYTES + n * body["max_tokens"] * _TOKEN_BYTES
        async with self._answer(path, body) as response:
            source = f"{shown(response.url)} (status {response.status_code})"
            answer = parse_stream(response.aiter_bytes(), source, most)
            timely = _timely(answer, self._patience)
            async with (
                aclosing(answer),
                aclosing(timely),
                aclosing(_ended(timely, n, make)) as pieces,
            ):
                async for piece in pieces:
                    yield piece

    @asynccontextmanager
    async def _answer(self, path: str, body: wire.JSON) -> AsyncIterator[httpx.Response]:
        """Yield the answer; what breaks it off is said in words."""
        self._check(path)
        try:
            url = self._endpoint.address(path)
            http = await self._open(url)
        except Misconfigured as error:
            raise EngineUnavailable(str(error)) from None
        try:
            async with asyncio.timeout(self._patience):
                response = await self._post(http, url, path, body)
            async with aclosing(response):
                yield response
        except _UNREACHABLE as error:
            raise EngineUnavailable(
                f"{shown(url)} cannot be reached ({trouble(error, url)}). Check the endpoint."
            ) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise EngineLost(
                f"{shown(url)} broke off its answer ({trouble(error, url)}). Try again."
            ) from None
        except TimeoutError:
            raise EngineLost(f"{shown(url)} has sent no text for too long. Try again.") from None
        except httpx.InvalidURL:
            raise nowhere(url) from None

    def _check(self, path: str) -> None:
        """Spare the server a request that it would refuse."""
        if self._infills and path != _CHAT:
            raise NotCapable(str(self._infills))
        until, why = self._busy
        if time.monotonic() < until:
            raise EngineError(why)

    async def _open(self, url: httpx.URL) -> httpx.AsyncClient:
        """Return the client, which is made once it is needed: reading certificates takes long."""
        async with self._opening:
            if self._http is None:
                key = "" if url.userinfo else (self._endpoint.api_key or "").strip()
                if not (key.isascii() and key.isprintable()):
                    raise Misconfigured("The API key has characters that no key has. Set it anew.")
                self._http = await asyncio.to_thread(
                    open_client,
                    url,
                    headers={"Authorization": f"Bearer {key}"} if key else {},
                    timeout=httpx.Timeout(self._silence, connect=5.0, pool=None),
                )
            return self._http

    async def _post(
        self, http: httpx.AsyncClient, url: httpx.URL, path: str, body: wire.JSON
    ) -> httpx.Response:
        """Return the answer, its body unread; a field that is refused is left out from then on."""
        dialect = self._dialects[path]
        while True:
            sent = dialect.body(body)
            request = http.build_request(
                "POST",
                url,
                content=wire.encode(sent),
                headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
            )
            response = await http.send(request, stream=True)
            if response.is_success:
                return response
            async with aclosing(response):
                told = await _beginning(response)
            if dialect.learn(response.status_code, wire.error_text(told), sent):
                continue
            raise self._refused(refusal(url, response, told), response)

    def _refused(self, error: CaretError, response: httpx.Response) -> CaretError:
        """Return the error, which later requests get as well as far as it holds for them."""
        if isinstance(error, NotCapable):
            self._infills = error
        elif seconds := pause(response):
            self._busy = time.monotonic() + seconds, str(error)
        return error


_CHAT = "chat/completions"


async def _beginning(response: httpx.Response) -> bytes:
    told = b""
    async for chunk in response.aiter_bytes():
        told += chunk
        if len(told) > _REFUSAL_BYTES:
            break
    return told


async def _timely(
    answer: AsyncGenerator[Piece, None], patience: float
) -> AsyncGenerator[Piece, None]:
    """Yield the pieces; TimeoutError where none has had text for `patience` seconds."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + patience
    while True:
        async with asyncio.timeout_at(deadline):
            piece = await anext(answer, None)
        if piece is None:
            return
        yield piece
        if piece.text:
            deadline = clock() + patience


async def _ended(
    answer: AsyncGenerator[Piece, None], n: int, make: Callable[[], Choice]
) -> AsyncGenerator[Piece, None]:
    """Yield the pieces as far as each of `n` choices goes."""
    choices: dict[int, Choice] = {}
    async for piece in answer:
        if piece.index not in choices:
            choices[piece.index] = make()
        choice = choices[piece.index]
        if not choice.ended:
            yield choice.take(piece)
        elif piece.usage:
            yield Piece(index=piece.index, usage=piece.usage)
        if choice.cut and len(choices) >= n and all(choice.cut for choice in choices.values()):
            return
    for index, choice in choices.items():
        if not choice.ended and (rest := choice.rest()):
            yield Piece(rest, index)
