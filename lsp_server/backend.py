"""The engine as one language server has it: its model is brought into memory and watched."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.api import ModelStatus
from engine.errors import CaretError, EngineError, EngineUnavailable, ModelError, Superseded
from lsp_server.loading import connect_to, stopped, way_into_memory
from lsp_server.roles import Part, chosen, permitted, with_safety_prompt

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from engine.api import Ability, ChatRequest, CompletionRequest, Piece
    from engine.client import CompletionService
    from engine.wire import R
    from lsp_server.settings import EngineSettings, Settings

_log = logging.getLogger(__name__)

_RETRY_ENGINE_S, _RETRY_MODEL_S = 5.0, 60.0
"""After a failure, requests that nobody made by hand try again no sooner than this."""


class Backend:
    """The model that the settings name for one part, wherever it runs."""

    def __init__(
        self,
        report: Callable[[ModelStatus], None],
        connect: Callable[[Part, EngineSettings], CompletionService] | None = None,
        ability: Ability = "infill",
        known: Callable[[], Awaitable[None]] | None = None,
        require: Callable[[Part], None] | None = None,
    ) -> None:
        """Report the model's status while it loads to `report`; connect to it by `connect`.

        `known` waits until the settings are not in question; nothing is sent before that. `require`
        raises a CaretError for what the user has not allowed.
        """
        self._report, self._connect, self._ability = report, connect or connect_to, ability
        self._known, self._require = known, require
        self._settings: Settings | None = None
        self.part: Part | None = None
        """Model that the settings name; None before they are known, and while completion is off."""
        self._service: CompletionService | None = None
        self._bringing: asyncio.Task[CaretError | None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._retry_at = 0.0
        self._model = ""
        """The loaded model's name in full; the settings may have a relative path."""
        self.ready = False
        """The model is in memory, as far as is known."""

    def take(self, settings: Settings) -> None:
        """Take the model and the endpoint of these settings, at once.

        Begins to load one that completes; one that is talked to is loaded when it is first asked.
        What was asked of the one before, and not answered yet, is superseded.
        """
        old = self._settings
        try:
            part = permitted(chosen(settings, self._ability))
        except Exception:
            self.release()  # rather no answer than one by settings that are gone
            _log.exception("The settings' model could not be looked at")
            fault = "could not be looked at: a fault in Caret, see lsp.log in the log folder."
            self._failed("", ModelError(f"The model in the settings {fault}"))
            return
        if old and (self.part, old.engine) == (part, settings.engine):
            self._settings = settings
            return
        self.release()
        self._settings, self.part = settings, part
        if self._ability == "infill":
            self.bring()

    async def use(self, settings: Settings) -> None:
        """Call `take`, and wait until the previous connection is closed."""
        self.take(settings)
        await self._closed()

    def complete(self, request: CompletionRequest, *, wait: bool) -> AsyncGenerator[Piece, None]:
        """Pieces of a completion; closing the generator stops the work.

        Raises:
            EngineUnavailable: the model is not ready, and `wait` is off.
            Superseded: the settings name another model or endpoint now.
            CaretError: the model cannot be had, or failed.
        """
        self._look_again()
        return self._answer(
            lambda service: service.complete(self._named(request), wait=wait), self.part, wait=wait
        )

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        """Pieces of the next turn; waits for the model. Closing the generator stops the work.

        Raises:
            Superseded: the settings name another model or endpoint now.
            CaretError: the model cannot be had, or failed.
        """
        self._look_again()
        if self._settings and self._settings.instruct.safety_prompt:
            request = with_safety_prompt(request)
        return self._answer(
            lambda service: service.chat(self._named(request)), self.part, wait=True
        )

    def _look_again(self) -> None:
        """Read the user's decisions anew: `caret trust` does not notify running servers."""
        if self._settings is None or self.part is None or not self.part.endpoint:
            return
        self.take(self._settings)
        try:
            if self._require and self.part:
                self._require(self.part)
        except CaretError:  # as it is told when it is brought in
            self.ready = False

    def _named(self, request: R) -> R:
        """With the name that the engine knows the model by."""
        return replace(request, model=self._model) if self._local else request

    async def _answer(
        self,
        ask: Callable[[CompletionService], AsyncGenerator[Piece, None]],
        part: Part | None,
        *,
        wait: bool,
    ) -> AsyncGenerator[Piece, None]:
        """Ask the service of `part`, the one in force when the request was made, and no other."""
        service = await self._available(part, wait=wait)
        try:
            async with aclosing(ask(service)) as pieces:
                async for piece in pieces:
                    yield piece
        except EngineError as error:
            self._check(part)
            if self._local and not isinstance(error, Superseded):
                self.bring()
            raise

    async def restart(self) -> None:
        """End the engine, also for other editors, and start anew.

        Who waits for the model meanwhile goes on waiting.

        Raises:
            EngineUnavailable: it does not end.
        """
        if self._bringing:
            self._bringing.cancel()
        self._bringing = None
        ended = asyncio.create_task(stopped()) if self._local else None
        self.bring(ended)
        if ended and (error := await asyncio.shield(ended)):
            raise error

    def release(self) -> None:
        """Close the connection without waiting, and forget the settings."""
        self.ready = False
        if self._bringing:
            self._bringing.cancel()
        if self._service:
            task = asyncio.create_task(self._service.aclose())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        self._bringing = self._service = self._settings = self.part = None

    async def aclose(self) -> None:
        """Close the connection, and wait until all connections are closed."""
        self.release()
        await self._closed()

    async def _closed(self) -> None:
        await asyncio.gather(*self._closing, return_exceptions=True)

    @property
    def _local(self) -> bool:
        return self.part is not None and not self.part.endpoint

    def _check(self, part: Part | None) -> None:
        """Raise Superseded where a part is not in force any more."""
        if part is not self.part:
            raise Superseded("The settings changed while it answered. Ask again.")

    async def _available(self, part: Part | None, *, wait: bool) -> CompletionService:
        """Return the connection for a part, once its model is ready and the settings are known."""
        while True:
            if self._known:
                await self._known()
            self._check(part)
            if self._service and self.ready:
                return self._service
            if self._may_bring(wait=wait):
                self.bring()
            if not wait or self._bringing is None:
                raise EngineUnavailable("The model is not ready yet. Try again in a moment.")
            bringing = self._bringing
            await asyncio.wait([bringing])
            self._check(part)
            if not bringing.cancelled() and (error := bringing.result()):
                raise error

    def _may_bring(self, *, wait: bool) -> bool:
        idle = self._bringing is None or self._bringing.done()
        return idle and (wait or time.monotonic() >= self._retry_at)

    def bring(self, after: asyncio.Task[CaretError | None] | None = None) -> None:
        """Start bringing the model into memory, unless that is under way."""
        self.ready = False
        if self.part and self._settings and (self._bringing is None or self._bringing.done()):
            service: CompletionService | Exception
            try:
                service = self._service or self._connect(self.part, self._settings.engine)
                self._service = service
            except Exception as error:  # `_brought` tells of it
                service = error
            self._bringing = asyncio.create_task(self._brought(self.part, service, after))

    async def _brought(
        self,
        part: Part,
        service: CompletionService | Exception,
        after: asyncio.Task[CaretError | None] | None,
    ) -> CaretError | None:
        """Load and watch; returns why it failed, if so."""
        title = part.title
        self._report(ModelStatus(title, "absent"))
        try:
            if isinstance(service, Exception):
                raise service
            if self._require:
                self._require(part)
            if after and (error := await asyncio.shield(after)):
                raise error
            async for status in way_into_memory(service, part):
                self._model, self.ready = status.name, status.phase == "ready"
                self._report(replace(status, name=status.name or title))
        except CaretError as error:
            return self._failed(title, error)
        except Exception:
            _log.exception("%s could not be brought in", title)
            fault = "could not be brought in: a fault in Caret, see lsp.log in the log folder."
            return self._failed(title, ModelError(f"{title} {fault}"))
        return None

    def _failed(self, title: str, error: CaretError) -> CaretError:
        pause = _RETRY_ENGINE_S if isinstance(error, EngineError) else _RETRY_MODEL_S
        self._retry_at = time.monotonic() + pause
        self._report(ModelStatus(title, "failed", error=str(error), error_code=error.code))
        return error
