"""The engine as one language server has it: a model is brought into memory and watched."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from engine import launch
from engine.api import ModelStatus
from engine.client import CompletionService, EngineClient
from engine.errors import (
    BY_CODE,
    CaretError,
    EngineError,
    EngineUnavailable,
    ModelError,
    Superseded,
)
from engine.launch import LaunchOptions
from engine.models import DEFAULT_FIM, DEFAULT_INSTRUCT, Ability, find, require
from engine.remote import Endpoint, RemoteClient

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from engine.api import ChatRequest, CompletionRequest, Piece
    from lsp_server.settings import FimSettings, InstructSettings, Settings

_POLL_S = 0.2
"""Between looks at a model on its way; there are none once it is ready."""
_RETRY_ENGINE_S, _RETRY_MODEL_S = 5.0, 60.0
"""After a failure, requests that nobody made by hand try again no sooner than this."""
_DEFAULTS: dict[Ability, str] = {"infill": DEFAULT_FIM, "instruct": DEFAULT_INSTRUCT}


class Backend:
    """The model that the settings name for an ability, wherever it runs."""

    def __init__(
        self,
        report: Callable[[ModelStatus], None],
        connect: Callable[[Settings, Ability], CompletionService] | None = None,
        ability: Ability = "infill",
    ) -> None:
        """Tell of the model's way into memory by `report`; reach it by `connect`."""
        self._report, self._connect, self._ability = report, connect or connect_to, ability
        self._settings: Settings | None = None
        self._service: CompletionService | None = None
        self._bringing: asyncio.Task[CaretError | None] | None = None
        self._retry_at = 0.0
        self._model = ""
        """The loaded model's name in full; the settings may have a relative path."""
        self.ready = False
        """The model is in memory, as far as is known."""

    async def use(self, settings: Settings) -> None:
        """Take the model and the endpoint of these settings.

        The model that completes code begins to load; the other one does when it is first asked.
        """
        old = self._settings
        if old and (self._named(old), old.engine) == (self._named(settings), settings.engine):
            return
        await self.aclose()
        self._settings, self._service = settings, self._connect(settings, self._ability)
        if self._ability == "infill":
            self._bring()

    async def complete(
        self, request: CompletionRequest, *, wait: bool
    ) -> AsyncGenerator[Piece, None]:
        """Pieces of a completion; closing the generator stops the work.

        Raises:
            EngineUnavailable: the model is not ready, and `wait` is off.
            CaretError: the model cannot be had, or failed.
        """
        service = await self._available(wait=wait)
        if self._local:
            request = replace(request, model=self._model)
        async with aclosing(self._watched(service.complete(request, wait=wait))) as pieces:
            async for piece in pieces:
                yield piece

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        """Pieces of an answer, once the model is there; closing the generator stops the work.

        Raises:
            CaretError: the model cannot be had, does not follow instructions, or failed.
        """
        service = await self._available(wait=True)
        if self._local:
            request = replace(request, model=self._model)
        async with aclosing(self._watched(service.chat(request))) as pieces:
            async for piece in pieces:
                yield piece

    async def _watched(self, answer: AsyncGenerator[Piece, None]) -> AsyncGenerator[Piece, None]:
        """The pieces; when the engine is lost, the model is brought in anew."""
        try:
            async with aclosing(answer) as pieces:
                async for piece in pieces:
                    yield piece
        except EngineError as error:
            if self._local and not isinstance(error, Superseded):
                self._bring()
            raise

    async def restart(self) -> None:
        """End the engine, also for other editors, and start anew.

        Raises:
            EngineUnavailable: it does not end.
        """
        self.ready = False
        if self._bringing:
            self._bringing.cancel()
            self._bringing = None
        if self._local:
            await launch.stop()
        self._bring()

    async def aclose(self) -> None:
        """Let go of the engine; `use` takes it up again."""
        self.ready = False
        if self._bringing:
            self._bringing.cancel()
        if self._service:
            await self._service.aclose()
        self._bringing = self._service = self._settings = None

    @property
    def _local(self) -> bool:
        return self._settings is not None and not self._named(self._settings).endpoint

    def _named(self, settings: Settings) -> FimSettings | InstructSettings:
        """Which model and where, of this ability."""
        return settings.fim if self._ability == "infill" else settings.instruct

    async def _available(self, *, wait: bool) -> CompletionService:
        if not self.ready and self._may_bring(wait=wait):
            self._bring()
        if wait and self._bringing and (error := await asyncio.shield(self._bringing)):
            raise error
        if self._service is None or not self.ready:
            raise EngineUnavailable("The model is not ready yet. Try again in a moment.")
        return self._service

    def _may_bring(self, *, wait: bool) -> bool:
        idle = self._bringing is None or self._bringing.done()
        return idle and (wait or time.monotonic() >= self._retry_at)

    def _bring(self) -> None:
        """Start bringing the model into memory, unless that is under way."""
        self.ready = False
        if self._service and self._settings and (self._bringing is None or self._bringing.done()):
            self._bringing = asyncio.create_task(
                self._brought(self._service, self._named(self._settings))
            )

    async def _brought(
        self, service: CompletionService, settings: FimSettings | InstructSettings
    ) -> CaretError | None:
        """Load and watch; returns why it failed, if so."""
        title = settings.model or settings.endpoint or _DEFAULTS[self._ability]
        self._report(ModelStatus(title, "absent"))
        try:
            async for status in _way_into_memory(service, settings, self._ability):
                self._model, self.ready = status.name, status.phase == "ready"
                self._report(replace(status, name=status.name or title))
        except CaretError as error:
            pause = _RETRY_ENGINE_S if isinstance(error, EngineError) else _RETRY_MODEL_S
            self._retry_at = time.monotonic() + pause
            self._report(ModelStatus(title, "failed", error=str(error), error_code=error.code))
            return error
        return None


def connect_to(settings: Settings, ability: Ability) -> CompletionService:
    """The engine on this machine, or the server that the settings name for an ability."""
    named, engine = settings.fim if ability == "infill" else settings.instruct, settings.engine
    if named.endpoint:
        key = os.environ.get("CARET_API_KEY")
        return RemoteClient(Endpoint(named.endpoint, named.model, key))
    return EngineClient(
        LaunchOptions(engine.idle_minutes, engine.threads or None, engine.memory or None)
    )


async def _way_into_memory(
    service: CompletionService, settings: FimSettings | InstructSettings, ability: Ability
) -> AsyncGenerator[ModelStatus, None]:
    """Changes until the model is ready; raises the CaretError that it failed with."""
    model = settings.model
    if not settings.endpoint:
        entry = find(model or _DEFAULTS[ability])
        require(entry, ability)
        model = entry.name
    last, status = None, await service.load(model)
    while status.phase not in ("ready", "failed"):
        if status != last:
            yield status
        await asyncio.sleep(_POLL_S)
        last, status = status, await _look(service, status)
    if status.phase == "failed":
        raise BY_CODE.get(status.error_code, ModelError)(status.error)
    yield status


async def _look(service: CompletionService, last: ModelStatus) -> ModelStatus:
    """The model's status now.

    Raises:
        EngineUnavailable: the engine went away, and nobody else has started one.
    """
    for status in await service.statuses():
        if status.name == last.name:
            return status
    raise EngineUnavailable("The engine ended while it was loading the model. Try again.")
