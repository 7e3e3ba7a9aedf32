"""The language server: what it holds, and how a query becomes suggestions."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException, JsonRpcParseError
from pygls.lsp.server import LanguageServer

from engine.errors import CaretError, EngineUnavailable, LicenceNotAccepted, Superseded
from engine.models import find
from lsp_server import __version__
from lsp_server.ahead import Ahead
from lsp_server.assist import Assist
from lsp_server.backend import Backend
from lsp_server.carets import Caret, Item
from lsp_server.completion import Answer, Completer, Query
from lsp_server.configuration import Configuration
from lsp_server.consent import Consent
from lsp_server.newest import NewestWins
from lsp_server.policy import path_of, refusal
from lsp_server.protocol import NOTEBOOKS, CaretProtocol
from lsp_server.settings import Settings
from lsp_server.statistics.offers import Asked, Offers
from lsp_server.statistics.recorder import Recorder
from lsp_server.status import LoadProgress, Status, StatusLine, index_status, status_of
from lsp_server.workspace.gather import Gatherer
from lsp_server.workspace.hints import Hints
from lsp_server.workspace.link import Link
from lsp_server.workspace.view import View

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from engine.api import ModelStatus
    from lsp_server.context import Site

_log = logging.getLogger(__name__)


class CaretServer(LanguageServer):
    """One editor's server."""

    protocol: CaretProtocol

    def __init__(self) -> None:
        super().__init__(
            "caret", __version__, protocol_cls=CaretProtocol, notebook_document_sync=NOTEBOOKS
        )
        self.settings = Settings()
        self.configuration = Configuration()
        self.status = StatusLine(self.protocol.notify)
        self.load_progress = LoadProgress(self.work_done_progress)
        self.index_progress = LoadProgress(self.work_done_progress)
        self.consent = Consent(self)
        self.backend = Backend(self._on_model)
        self.completer = Completer(self.backend)
        self.instructor = Backend(self._on_instructor, None, "instruct")
        self.link = Link(self._on_index)
        self.assist = Assist(
            self, self.instructor, self.link, lambda: self.view, self.protocol.encoding
        )
        self.gatherer = Gatherer(self.link, self.protocol.recent)
        self.hints = Hints(self.link)
        self.newest = NewestWins()
        self.ahead = Ahead(self._read_ahead)
        self.recorder = Recorder(lambda news: self.tell(news, types.MessageType.Warning))
        self.offers = Offers(self.recorder.count, self._lines, _later)
        self.protocol.on_edit = self.offers.edited
        self.accepted = 0
        self.asked_to_shut_down = False
        self._configuring = asyncio.Lock()
        self._configured = asyncio.Event()
        self._told: set[str] = set()
        self._background: set[asyncio.Task[None]] = set()

    async def configure(self, told: object = None) -> None:
        """Read the settings and act on them; `told` is what the editor said unasked."""
        async with self._configuring:
            await self.configuration.update(self, told)
            self.settings, problems = self.configuration.read()
            self.completer.forget()
            self.gatherer.forget_places()
            self.hints.forget()
            self.recorder.enable(enabled=self.settings.statistics.enable)
            await self.link.use(self.view)
            await self.instructor.use(self.settings)
            for problem in problems:
                self.tell(problem, types.MessageType.Warning)
            if self.settings.completion.enable:
                await self.backend.use(self.settings)
            else:
                await self.backend.aclose()
                self.status.show(Status("off", "caret.completion.enable is off"))
        self._configured.set()

    def caret(self, uri: str, position: types.Position) -> Caret | None:
        """The caret at a position, or None where nothing may be completed."""
        document = self.protocol.documents.get(uri)
        reason = refusal(document, self.settings) if document else "the document is not open"
        if document is None or reason:
            _log.debug("No completion: %s", reason)
            return None
        lines, encoding = self.protocol.notebooks.lines(uri), self.protocol.encoding()
        window = self.settings.context.window
        return Caret.at(document, position, encoding, self.view.roots, lines, window)

    @property
    def view(self) -> View:
        """What context is gathered from."""
        roots = [path_of(folder.uri) for folder in self.workspace.folders.values()]
        return View(self.protocol.documents, roots, self.settings, self.protocol.notebooks)

    async def suggest(self, query: Query) -> Answer:
        """Texts to insert; none if a newer query took this one's place.

        What was predicted before is answered at once: no work, so no change of the status.

        Raises:
            JsonRpcException: it failed, and a person had asked for it.
        """
        self.ahead.stop()
        context = self.gatherer.kept(query.document, query.site)
        if context is not None:
            query = replace(query, site=replace(query.site, context=context))
            if known := self.completer.known(query, self.settings):
                self.newest.cancel(query.document)
                return known
        if query.invoked:
            await self._configured.wait()
        with self.status.working():
            try:
                answer = await self.newest.run(query.document, self._answer(query))
            except CaretError as error:
                self._failed(error, query)
                return Answer()
            if answer is None:
                return Answer()
            self.status.recovered()
            return answer

    async def _answer(self, query: Query) -> Answer:
        return await self.completer.answer(await self._with_context(query), self.settings)

    def offer(self, uri: str, caret: Caret, answer: Answer, start: float) -> list[Item]:
        """What is inserted, each with its name, of an answer to what was asked at `start`."""
        if not answer.texts or answer.prediction is None:
            return []
        line, word, seconds = caret.range.start.line, caret.site.word, time.monotonic() - start
        places = (line, caret.column - len(word)), (line, caret.column)
        asked = Asked(uri, caret.language, *places, answer.source, seconds)
        texts = [word + text for text in answer.texts]
        names = self.offers.answered(asked, texts, answer.prediction)
        return [Item(*item) for item in zip(texts, names, strict=True)]

    def _lines(self, uri: str) -> list[str] | None:
        document = self.protocol.documents.get(uri)
        return document.lines if document else None

    async def _read_ahead(self, uri: str, position: types.Position) -> None:
        """Let the engine read around a caret at which it may soon be asked."""
        wanted = self.settings.completion.read_ahead and not self.settings.fim.endpoint
        caret = self.caret(uri, position) if wanted and self.backend.ready else None
        if caret:
            query = await self._with_context(Query(uri, caret.site))
            await self.completer.read_ahead(query, self.settings)

    async def _with_context(self, query: Query) -> Query:
        place = query.document, query.site, self.view
        context, hint = await asyncio.gather(self.gatherer.gather(*place), self._hint(*place))
        return replace(query, site=replace(query.site, context=context, hint=hint))

    async def _hint(self, document: str, site: Site, view: View) -> str:
        """With what was typed in other documents just now: the caret may have come for that."""
        self.gatherer.send_edited(view, but=document)
        return await self.hints.at(document, site, view)

    def tell(self, message: str, kind: types.MessageType) -> None:
        """Show a message to the user, once in the server's life."""
        _log.warning("%s", message)
        if message not in self._told:
            self._told.add(message)
            self.window_show_message(types.ShowMessageParams(kind, f"Caret: {message}"))

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the background."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def report_server_error(self, error: Exception, source: object) -> None:
        """Log what no request waits for, where pygls would show it to the user."""
        _log.error("%s: %s", source, error)
        if source is JsonRpcException and isinstance(error, ValueError | RecursionError):
            self.protocol.refuse(None, JsonRpcParseError())  # the message was no JSON

    def _on_model(self, model: ModelStatus) -> None:
        self.status.show(status_of(model))
        if model.phase == "ready":
            self.ahead.resume()
        if get_capability(self.client_capabilities, "window.work_done_progress"):
            self.load_progress.feed(model)
        if model.phase == "failed":
            self.tell(model.error, types.MessageType.Error)
            self._ask_for_licence(model, self.backend)

    def _on_instructor(self, model: ModelStatus) -> None:
        self.assist.loading(model)
        self._ask_for_licence(model, self.instructor)

    def _ask_for_licence(self, model: ModelStatus, backend: Backend) -> None:
        """Where that is what keeps a model away; once it is accepted, the model is brought in."""
        if model.error_code == LicenceNotAccepted.code:
            self.start(self._licence_asked(model.name, backend))

    async def _licence_asked(self, name: str, backend: Backend) -> None:
        licence = find(name).licence
        if licence and await self.consent.given(name, licence):
            backend.bring()

    def _on_index(self, done: int, total: int) -> None:
        if get_capability(self.client_capabilities, "window.work_done_progress"):
            self.index_progress.feed(index_status(done, total))

    def _failed(self, error: CaretError, query: Query) -> None:
        """Say so where that helps: not for every key while the model is on its way."""
        if isinstance(error, Superseded) or (
            isinstance(error, EngineUnavailable) and not query.invoked and not self.backend.ready
        ):
            return
        model = self.status.current.model
        self.status.show(Status("error", str(error), model, {"code": error.code}))
        self.tell(str(error), types.MessageType.Error)
        if query.invoked:
            raise JsonRpcException(str(error), code=types.LSPErrorCodes.RequestFailed)


def _later(seconds: float, work: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(seconds, work)
