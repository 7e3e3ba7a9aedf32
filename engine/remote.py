"""A server elsewhere that speaks OpenAI's dialect, in the engine's place. Imports no torch.

Only standard fields are sent, so `document`, `path`, `context` and `hint` stay at home. Not every
server takes `suffix` on /v1/completions: Ollama and DeepSeek's do, vLLM and llama-server refuse it.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from engine import wire
from engine.api import ModelStatus
from engine.errors import (
    CaretError,
    EngineError,
    EngineLost,
    EngineUnavailable,
    NotCapable,
    RequestError,
)
from engine.wire_answers import parse_stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from engine.api import Ability, ChatRequest, CompletionRequest, Piece

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
_UNREACHABLE = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
_VARIETY = 0.6
"""Temperature for several choices where the request is greedy: vLLM refuses greedy ones."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the server is and how to ask it."""

    url: str
    """With or without the final `/v1`."""
    model: str = ""
    """Its name for the model; empty leaves the choice to a server that has only one."""
    api_key: str | None = field(default=None, repr=False)

    @property
    def base(self) -> str:
        """The address up to and including `/v1`."""
        return self.url.rstrip("/").removesuffix("/v1") + "/v1"


class RemoteClient:
    """Somebody else's server, as an `engine.client.CompletionService`.

    `Endpoint.model` goes before the model of a request, which names one of ours.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        key = endpoint.api_key
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(60.0, connect=5.0, pool=None),
        )

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
        await self._http.aclose()

    async def _ask(self, path: str, body: wire.JSON) -> AsyncGenerator[Piece, None]:
        url = f"{self._endpoint.base}/{path}"
        content = wire.encode(self._standard(body))
        headers = {"Content-Type": "application/json"}
        try:
            async with self._http.stream("POST", url, content=content, headers=headers) as response:
                if response.status_code != httpx.codes.OK:
                    raise _refusal(url, response.status_code, await response.aread())
                async with aclosing(parse_stream(response.aiter_bytes())) as pieces:
                    async for piece in pieces:
                        yield piece
        except _UNREACHABLE as error:
            raise EngineUnavailable(
                f"{url} cannot be reached ({error}). Check the endpoint."
            ) from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            reason = str(error) or type(error).__name__
            raise EngineLost(f"{url} broke off its answer ({reason}). Try again.") from None

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
