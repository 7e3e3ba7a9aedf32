"""The language server: what it holds, and how a query becomes suggestions."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from engine.errors import (
    CaretError,
    EngineUnavailable,
    LicenceNotAccepted,
    NotAllowed,
    Superseded,
)
from engine.models import find
from lsp_server import __version__
from lsp_server.ahead import Ahead
from lsp_server.assist import Assist
from lsp_server.backend import Backend
from lsp_server.carets import Caret, Item
from lsp_server.completion import Answer, Completer, Query
from lsp_server.configuration import Configuration
from lsp_server.consent import Consent
from lsp_server.incoming import converter
from lsp_server.newest import NewestWins
from lsp_server.protocol import NOTEBOOKS, CaretProtocol
from lsp_server.roles import require_allowed
from lsp_server.snapshot import EditorSnapshot
from lsp_server.statistics.offers import Asked, Offers
from lsp_server.statistics.recorder import Recorder
from lsp_server.status import LoadProgress, Status, StatusLine, index_status, status_of
from lsp_server.workspace.gather import Gatherer
from lsp_server.workspace.hints import Hints
from lsp_server.workspace.link import Link

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from engine.api import ModelStatus

_log = logging.getLogger(__name__)


class CaretServer(LanguageServer):
    """One editor's server."""

    protocol: CaretProtocol

    def __init__(self) -> None:
        super().__init__(
            "caret",
            __version__,
            protocol_cls=CaretProtocol,
            converter_factory=converter,
            notebook_document_sync=NOTEBOOKS,
        )
        self.configuration = Configuration(self, self._replaced)
        self.status = StatusLine(self.protocol.notify)
        self.load_progress = LoadProgress(self.work_done_progress)
        self.index_progress = LoadProgress(self.work_done_progress)
        self.consent = Consent(self)
        guards: Any = {"known": self.configuration.known, "require": require_allowed}
        self.backend = Backend(self._on_model, **guards)
        self.completer = Completer(self.backend)
        self.instructor = Backend(self._on_instructor, ability="instruct", **guards)
        self.link = Link(self._on_index, lambda news: self.tell(news, types.MessageType.Warning))
        self.newest = NewestWins()
        self.assist = Assist(self, self.instructor, self.link, self.newest, self.snapshot)
        self.gatherer = Gatherer(self.link, self.protocol.recent)
        self.hints = Hints(self.link)
        self.ahead = Ahead(self._read_ahead)
        self.recorder = Recorder(lambda news: self.tell(news, types.MessageType.Warning))
        self.offers = Offers(self.recorder.count, self._lines, _later)
        self.protocol.on_edit = self.offers.edited
        self.accepted = 0
        self.asked_to_shut_down = False
        self._indexing = asyncio.Lock()
        self._told: set[str] = set()
        self._background: set[asyncio.Task[None]] = set()

    def snapshot(self) -> EditorSnapshot:
        """The editor's state at this moment."""
        now, documents = self.configuration, {**self.protocol.documents}
        return EditorSnapshot(
            now.settings,
            now.roots,
            self.protocol.encoding(),
            documents,
            self.protocol.notebooks.copy(documents),
            now.generation,
        )

    async def settled(self, uri: str = "", *, invoked: bool = True) -> EditorSnapshot | None:
        """The editor's state once the settings are known.

        None if the document's text moved on meanwhile, and for what nobody asked for by hand
        before the settings have been read at all.

        Raises:
            JsonRpcException: the client does not say `initialized`.
        """
        before = self.protocol.documents.get(uri)
        if not invoked and not self.configuration.begun:
            return None
        await self.configuration.known()
        return self.snapshot() if self.protocol.documents.get(uri) is before else None

    def _replaced(self, problems: list[str]) -> None:
        """Settings or folders changed: end and forget what was begun under the old ones."""
        settings = self.configuration.settings
        self.newest.cancel_all()
        self.ahead.stop()
        self.completer.forget()
        self.gatherer.forget_places()
        self.hints.forget()
        self.assist.assistant.conversations.clear()
        if settings.completion.enable:
            self.backend.take(settings)
        else:
            self.backend.release()
            self.status.show(Status("off", "caret.completion.enable is off"))
        self.instructor.take(settings)
        self.recorder.enable(enabled=settings.statistics.enable)
        self.link.leave(self.snapshot())
        self.start(self._index())
        for problem in problems:
            self.tell(problem, types.MessageType.Warning)

    async def _index(self) -> None:
        async with self._indexing:
            await self.link.use(self.snapshot())

    async def suggest(self, query: Query, snapshot: EditorSnapshot) -> Answer:
        """Texts to insert; none if a newer query took this one's place.

        What was predicted before is answered at once: no work, so no change of the status.

        Raises:
            JsonRpcException: it failed, and a person had asked for it.
        """
        self.ahead.stop()
        context = self.gatherer.kept(query.document, query.site)
        if context is not None:
            query = replace(query, site=replace(query.site, context=context))
            if known := self.completer.known(query, snapshot.settings):
                self.newest.cancel(query.document)
                return known
        with self.status.working():
            try:
                answer = await self.newest.run(query.document, self._answer(query, snapshot))
            except CaretError as error:
                self._failed(error, query)
                return Answer()
            if answer is None:
                return Answer()
            self.status.recovered()
            return answer

    async def _answer(self, query: Query, snapshot: EditorSnapshot) -> Answer:
        query = await self._with_context(query, snapshot)
        return await self.completer.answer(query, snapshot.settings)

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
        snapshot = self.snapshot()
        settings = snapshot.settings
        wanted = settings.completion.read_ahead and not settings.fim.endpoint
        caret = Caret.at(snapshot, uri, position) if wanted and self.backend.ready else None
        if caret:
            query = await self._with_context(Query(uri, caret.site), snapshot)
            await self.completer.read_ahead(query, settings)

    async def _with_context(self, query: Query, snapshot: EditorSnapshot) -> Query:
        place = query.document, query.site, snapshot
        context, hint = await asyncio.gather(
            self.gatherer.gather(*place, invoked=query.invoked), self._hint(query, snapshot)
        )
        return replace(query, site=replace(query.site, context=context, hint=hint))

    async def _hint(self, query: Query, snapshot: EditorSnapshot) -> str:
        """With what was typed in other documents just now: the caret may have come for that."""
        await self.gatherer.send_edited(snapshot, but=query.document)
        return await self.hints.at(query.document, query.site, snapshot, invoked=query.invoked)

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
        """Log an error that no request waits for; pygls would show it to the user.

        The message of an unforeseen error may quote a document; where it arose does not.
        """
        data = getattr(error, "data", None)
        where = data.get("traceback") if isinstance(data, dict) else None
        told = str(error).partition(":")[0] if where else str(error)
        _log.error("%s: %s\n%s", getattr(source, "__name__", source), told, "".join(where or ()))

    async def let_go(self) -> None:
        """End the index, and let go of the engine, which stays for others."""
        self.configuration.close()
        await self.link.aclose()
        await self.backend.aclose()
        await self.recorder.flush()
        await self.instructor.aclose()

    def _on_model(self, model: ModelStatus) -> None:
        self.status.show(status_of(model))
        if model.phase == "ready":
            self.ahead.resume()
        if get_capability(self.client_capabilities, "window.work_done_progress"):
            self.load_progress.feed(model)
        if model.phase == "failed" and model.error_code != NotAllowed.code:
            self.tell(model.error, types.MessageType.Error)
        self._ask_user(model, self.backend)

    def _on_instructor(self, model: ModelStatus) -> None:
        self.assist.loading(model)
        self._ask_user(model, self.instructor)

    def _ask_user(self, model: ModelStatus, backend: Backend) -> None:
        """Ask the user for a missing licence or permission, then load the model."""
        part = backend.part
        if model.error_code == LicenceNotAccepted.code:
            self.start(self._licence_asked(model.name, backend))
        elif part and part.endpoint and model.phase in ("ready", "failed"):
            asked = self.consent.server(part.endpoint, part.variable)
            self.start(self._permitted(model, backend, asked))
        elif part and model.error_code == NotAllowed.code:
            self.start(self._permitted(model, backend, self.consent.model(find(part.model))))

    async def _permitted(
        self, model: ModelStatus, backend: Backend, asked: Coroutine[Any, Any, bool]
    ) -> None:
        generation = self.configuration.generation
        allowed = await asked
        if generation != self.configuration.generation:
            return  # its settings are not in force any more
        if allowed:
            backend.take(self.configuration.settings)
            backend.bring()
        elif model.phase == "failed":
            self.tell(model.error, types.MessageType.Error)

    async def _licence_asked(self, name: str, backend: Backend) -> None:
        licence = find(name).licence
        if licence and await self.consent.given(name, licence):
            backend.bring()

    def _on_index(self, done: int, total: int) -> None:
        if get_capability(self.client_capabilities, "window.work_done_progress"):
            self.index_progress.feed(index_status(done, total))

    def _failed(self, error: CaretError, query: Query) -> None:
        """Tell the user of an error, but not at every key while the model is loading."""
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
