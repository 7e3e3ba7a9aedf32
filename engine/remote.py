"""A server elsewhere that speaks OpenAI's dialect, in the engine's place. Imports no torch.

Only standard fields are sent, so `document`, `path`, `context` and `hint` stay at home. Not every
server takes `suffix` on /v1/completions: Ollama and DeepSeek's do, vLLM and llama-server refuse it.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import httpx

from engine import wire
from engine.api import ModelStatus
from engine.endpoint import Endpoint
from engine.errors import (
    CaretError,
    EngineError,
    EngineLost,
    EngineUnavailable,
    NotCapable,
    RequestError,
)
from engine.network import Misconfigured, open_client, shown, trouble
from engine.wire_answers import parse_stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from engine.api import Ability, ChatRequest, CompletionRequest, Piece

__all__ = ["Endpoint", "RemoteClient"]

_STANDARD = frozenset(
    {
        "model",
        "prompt",
        "suffix",
        "messages",
        "max_tokens",
        "temperature",
        "top_p",
        "seed",
        "stop",
        "n",
    }
)
_UNREACHABLE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
_VARIETY = 0.6
"""Temperature for several choices where the request is greedy: vLLM refuses greedy ones."""
_SILENCE_S = 60.0
"""A server that sends nothing for so long is given up."""


class RemoteClient:
    """Somebody else's server, as an `engine.client.CompletionService`.

    `Endpoint.model` goes before the model of a request, which names one of ours.
    """

    def __init__(self, endpoint: Endpoint, silence: float = _SILENCE_S) -> None:
        """Ask `endpoint`; `silence` is for how many seconds it may send nothing."""
        self._endpoint, self._silence = endpoint, silence
        self._opening = asyncio.Lock()
        self._http: httpx.AsyncClient | None = None

    def complete(
        self,
        request: CompletionRequest,
        *,
        wait: bool = True,
    ) -> AsyncGenerator[Piece, None]:
        """See `CompletionService.complete`; NotCapable if the server takes no suffix."""
        body = wire.completion_body(request)
        if request.n > 1 and not request.sampling.temperature:
            body["temperature"] = _VARIETY
        return self._ask("completions", body)

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        """See `CompletionService.chat`."""
        return self._ask("chat/completions", wire.chat_body(request))

    async def load(self, model: str, fmt: str = "", ability: Ability = "infill") -> ModelStatus:
        """The model's status, ready: nothing to do."""
        return ModelStatus(self._endpoint.model, "ready")

    async def statuses(self) -> list[ModelStatus]:
        """One model, ready."""
        return [ModelStatus(self._endpoint.model, "ready")]

    async def aclose(self) -> None:
        """Let go of the connections."""
        if self._http is not None:
            await self._http.aclose()

    async def _open(self, url: httpx.URL) -> httpx.AsyncClient:
        """Return the client, which is made once it is needed: reading certificates takes long."""
        async with self._opening:
            if self._http is None:
                key = self._endpoint.api_key
                self._http = await asyncio.to_thread(
                    open_client,
                    url,
                    headers={"Authorization": f"Bearer {key}"} if key else {},
                    timeout=httpx.Timeout(self._silence, connect=5.0, pool=None),
                )
            return self._http

    async def _ask(self, path: str, body: wire.JSON) -> AsyncGenerator[Piece, None]:
        try:
            base = self._endpoint.base
            http = await self._open(base)
        except Misconfigured as error:
            raise EngineUnavailable(str(error)) from None
        url = base.copy_with(path=f"{base.path.rstrip('/')}/{path}")
        content = wire.encode(self._standard(body))
        headers = {"Content-Type": "application/json"}
        try:
            async with http.stream("POST", url, content=content, headers=headers) as response:
                if response.status_code != httpx.codes.OK:
                    raise _refusal(shown(url), response.status_code, await response.aread())
                async with aclosing(parse_stream(response.aiter_bytes())) as pieces:
                    async for piece in pieces:
                        yield piece
        except _UNREACHABLE as error:
            raise EngineUnavailable(
                f"{shown(url)} cannot be reached ({trouble(error, url)}). Check the endpoint."
            ) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise EngineLost(
                f"{shown(url)} broke off its answer ({trouble(error, url)}). Try again."
            ) from None

    def _standard(self, body: wire.JSON) -> wire.JSON:
        """What every OpenAI-compatible server understands; what asks for nothing is left out."""
        body = body | {"model": self._endpoint.model}
        wanted = {name: value for name, value in body.items() if name in _STANDARD and value != ""}
        if not wanted.get("stop"):
            wanted.pop("stop", None)
        if wanted.get("n") == 1:
            del wanted["n"]
        return wanted | {"stream": True, "stream_options": {"include_usage": True}}


def _refusal(url: str, status: int, body: bytes) -> CaretError:
    """The error that a status other than 200 stands for."""
    if error := wire.parse_error(body):
        return error
    said = wire.error_text(body)
    if status in (400, 422, 500, 501) and "suffix" in said:
        return NotCapable(
            f"{url} cannot fill in the middle: {said!r}. Use a server that takes a suffix, or "
            "leave caret.fim.endpoint empty for the engine on this machine."
        )
    if status in (401, 403):
        return EngineUnavailable(f"{url} wants another API key ({status}: {said}).")
    if status < 500 and status != 429:
        return RequestError(f"{url} refused the request ({status}: {said}).")
    return EngineError(f"{url} failed ({status}: {said}). Try again later.")
