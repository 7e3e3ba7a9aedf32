"""The language server: what it holds, and thin handlers from LSP to the functions that work."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException, JsonRpcParseError
from pygls.lsp.server import LanguageServer

from engine.errors import CaretError, EngineUnavailable, Superseded
from lsp_server import __version__
from lsp_server.backend import Backend
from lsp_server.carets import Caret
from lsp_server.completion import Completer, Query
from lsp_server.configuration import Configuration
from lsp_server.newest import NewestWins
from lsp_server.parent import end_with_parent
from lsp_server.policy import path_of, refusal
from lsp_server.protocol import NOTEBOOKS, CaretProtocol
from lsp_server.settings import Settings
from lsp_server.status import LoadProgress, Status, StatusLine, index_status, status_of
from lsp_server.workspace.gather import Gatherer
from lsp_server.workspace.link import Link
from lsp_server.workspace.view import View

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from engine.api import ModelStatus

CHOICES = 3
"""Suggestions for a request made by hand."""

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
        self.backend = Backend(self._on_model)
        self.completer = Completer(self.backend)
        self.link = Link(self._on_index)
        self.gatherer = Gatherer(self.link, self.protocol.recent)
        self.newest = NewestWins()
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
            await self.link.use(self.view)
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
        return View(self.protocol.documents, roots, self.settings)

    async def suggest(self, query: Query) -> list[str]:
        """Texts to insert, best first; none if a newer query took this one's place.

        What was predicted before is answered at once: no work, so no change of the status.

        Raises:
            JsonRpcException: it failed, and a person had asked for it.
        """
        context = self.gatherer.kept(query.document, query.site)
        if context is not None:
            query = replace(query, site=replace(query.site, context=context))
            if known := self.completer.known(query):
                self.newest.cancel(query.document)
                return known
        if query.invoked:
            await self._configured.wait()
        with self.status.working():
            try:
                texts = await self.newest.run(query.document, self._suggest(query))
            except CaretError as error:
                self._failed(error, query)
                return []
            if texts is None:
                return []
            self.status.recovered()
            return texts

    async def _suggest(self, query: Query) -> list[str]:
        context = await self.gatherer.gather(query.document, query.site, self.view)
        query = replace(query, site=replace(query.site, context=context))
        return await self.completer.suggest(query, self.settings)

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
        if get_capability(self.client_capabilities, "window.work_done_progress"):
            self.load_progress.feed(model)
        if model.phase == "failed":
            self.tell(model.error, types.MessageType.Error)

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


def create_server() -> CaretServer:
    """A server with all its handlers."""
    server = CaretServer()
    for method, (handler, options) in FEATURES.items():
        server.feature(method, options)(handler)
    for name, command in COMMANDS.items():
        server.command(name)(command)
    return server


def initialize(ls: CaretServer, params: types.InitializeParams) -> None:
    """Remember what comes only here; nothing may be sent yet."""
    ls.configuration.initial = params.initialization_options
    if params.process_id is not None:
        ls.start(end_with_parent(params.process_id))


async def initialized(ls: CaretServer, _: types.InitializedParams) -> None:
    """Read the settings and begin to load the model."""
    ls.configuration.subscribe(ls)
    await ls.configure()


async def did_change_configuration(
    ls: CaretServer, params: types.DidChangeConfigurationParams
) -> None:
    """Read the settings anew."""
    await ls.configure(params.settings)


def did_close(ls: CaretServer, params: types.DidCloseTextDocumentParams) -> None:
    """Nobody waits for completions of this document any more."""
    ls.newest.cancel(params.text_document.uri)
    ls.completer.forget(params.text_document.uri)
    ls.gatherer.forget(params.text_document.uri, ls.view)


async def did_change_folders(ls: CaretServer, _: types.DidChangeWorkspaceFoldersParams) -> None:
    """Index the folders that there are now."""
    await ls.link.use(ls.view)


async def inline_completion(
    ls: CaretServer, params: types.InlineCompletionParams
) -> types.InlineCompletionList:
    """Ghost text at the caret."""
    uri = params.text_document.uri
    caret = ls.caret(uri, params.position)
    if caret is None:
        return types.InlineCompletionList([])
    invoked = params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
    texts = await ls.suggest(Query(uri, caret.site, invoked, CHOICES if invoked else 1))
    return types.InlineCompletionList([caret.inline_item(text) for text in texts])


async def completion(ls: CaretServer, params: types.CompletionParams) -> types.CompletionList:
    """The same in the completion menu, for editors without ghost text."""
    uri = params.text_document.uri
    ghost = get_capability(ls.client_capabilities, "text_document.inline_completion")
    caret = None if ghost else ls.caret(uri, params.position)
    if caret is None:
        return types.CompletionList(is_incomplete=False, items=[])
    texts = await ls.suggest(Query(uri, caret.site))
    # Incomplete, so that the editor asks again as the user types on.
    return types.CompletionList(is_incomplete=True, items=[caret.popup_item(t) for t in texts])


async def shutdown(ls: CaretServer, _: None) -> None:
    """Let go of the engine, which stays for others."""
    ls.asked_to_shut_down = True
    await ls.link.aclose()
    await ls.backend.aclose()


def accepted(ls: CaretServer, *_: object) -> None:
    """A suggestion was taken; counted here and told to nobody."""
    ls.accepted += 1
    _log.info("Suggestions accepted: %d", ls.accepted)


def status(ls: CaretServer, *_: object) -> dict[str, Any]:
    """How things stand: the parameters of `caret/status`, and what the last suggestion cost."""
    usage = ls.completer.last_usage
    last = asdict(usage) if usage else {}
    context = {"files": ls.link.files, "ms": ls.gatherer.last_ms}
    state = asdict(ls.status.current)
    return state | {"last": last, "accepted": ls.accepted, "context": context}


async def restart_engine(ls: CaretServer, *_: object) -> None:
    """End the engine and start it anew."""
    try:
        await ls.backend.restart()
    except CaretError as error:
        raise JsonRpcException(str(error), code=types.LSPErrorCodes.RequestFailed) from error


FEATURES: dict[str, tuple[Any, Any]] = {
    types.INITIALIZE: (initialize, None),
    types.INITIALIZED: (initialized, None),
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: (did_change_configuration, None),
    types.TEXT_DOCUMENT_DID_CLOSE: (did_close, None),
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: (did_change_folders, None),
    # Without options pygls does not advertise it.
    types.TEXT_DOCUMENT_INLINE_COMPLETION: (inline_completion, types.InlineCompletionOptions()),
    types.TEXT_DOCUMENT_COMPLETION: (completion, types.CompletionOptions()),
    types.SHUTDOWN: (shutdown, None),
}

COMMANDS = {
    "caret.accepted": accepted,
    "caret.status": status,
    "caret.restartEngine": restart_engine,
}
"""Also listed in `greeting`."""
