"""Thin handlers from LSP to the functions that work, and the server that has them all."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from dataclasses import asdict
from typing import Any

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException

from engine.errors import CaretError
from engine.paths import unkept
from lsp_server.actions import OPTIONS, actions, chosen
from lsp_server.arguments import Answer, Arguments, parse
from lsp_server.asking import MOVED
from lsp_server.carets import Caret, Item, end_of_change
from lsp_server.completion import Query
from lsp_server.instruct.commands import COMMANDS, IDS, Command
from lsp_server.logs import fault
from lsp_server.parent import parent_ended
from lsp_server.server import CaretServer

CHOICES = 3
"""Suggestions for a request made by hand."""

_log = logging.getLogger(__name__)


def create_server() -> CaretServer:
    """A server with all its handlers."""
    server = CaretServer()
    for method, (handler, options) in FEATURES.items():
        server.feature(method, options)(handler)
    for name, command in EDITOR_COMMANDS.items():
        server.command(name)(command)
    return server


def initialize(ls: CaretServer, params: types.InitializeParams) -> None:
    """Remember what comes only here; nothing may be sent yet."""
    ls.configuration.initial = params.initialization_options
    if params.process_id is not None:
        ls.start(_end_with(ls, params.process_id))


async def _end_with(ls: CaretServer, pid: int) -> None:
    await parent_ended(pid)
    _log.warning("The editor (process %d) is gone", pid)
    ls.protocol.over.set()


def initialized(ls: CaretServer, _: types.InitializedParams) -> None:
    """Read the settings and begin to load the model."""
    # What was imported stays: looking through it for garbage would delay a key now and then.
    gc.collect()
    gc.freeze()
    ls.configuration.subscribe()
    ls.configuration.changed()
    if why := unkept():
        lost = "Until then statistics, accepted licences and packed weights are not kept."
        ls.tell(f"{why} {lost}", types.MessageType.Warning)


def did_change_configuration(ls: CaretServer, params: types.DidChangeConfigurationParams) -> None:
    """Read the settings anew."""
    ls.configuration.changed(params.settings)


def did_close(ls: CaretServer, params: types.DidCloseTextDocumentParams) -> None:
    """Nobody waits for completions of this document any more."""
    ls.newest.cancel(params.text_document.uri)
    ls.completer.forget(params.text_document.uri)
    ls.ahead.forget(params.text_document.uri)
    ls.gatherer.forget(params.text_document.uri)
    ls.hints.forget()
    ls.assist.assistant.conversations.forget(params.text_document.uri)


def did_change(ls: CaretServer, params: types.DidChangeTextDocumentParams) -> None:
    """The caret is where the text changed last."""
    change = params.content_changes[-1] if params.content_changes else None
    if isinstance(change, types.TextDocumentContentChangePartial):
        ls.ahead.rest(params.text_document.uri, end_of_change(change, ls.protocol.encoding()))


def document_highlight(ls: CaretServer, params: types.DocumentHighlightParams) -> None:
    """Nothing is highlighted, but editors ask wherever the caret comes to rest."""
    ls.ahead.rest(params.text_document.uri, params.position)


def did_change_folders(ls: CaretServer, _: types.DidChangeWorkspaceFoldersParams) -> None:
    """Take the folders that there are now."""
    ls.protocol.place_documents()
    ls.configuration.folders_changed()


async def inline_completion(
    ls: CaretServer, params: types.InlineCompletionParams
) -> types.InlineCompletionList:
    """Ghost text at the caret."""
    invoked = params.context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
    caret, items = await _suggested(ls, params, invoked=invoked)
    return types.InlineCompletionList([caret.inline_item(item) for item in items] if caret else [])


async def completion(ls: CaretServer, params: types.CompletionParams) -> types.CompletionList:
    """The same in the completion menu, for editors without ghost text."""
    if get_capability(ls.client_capabilities, "text_document.inline_completion"):
        return types.CompletionList(is_incomplete=False, items=[])
    caret, items = await _suggested(ls, params, invoked=False)
    # Incomplete, so that the editor asks again as the user types on.
    shown = [caret.popup_item(item) for item in items] if caret else []
    return types.CompletionList(is_incomplete=caret is not None, items=shown)


async def _suggested(
    ls: CaretServer, params: types.InlineCompletionParams | types.CompletionParams, *, invoked: bool
) -> tuple[Caret | None, list[Item]]:
    """Return the cursor and the suggestions at a position; None if nothing may be suggested.

    An unforeseen fault is logged, and nothing is suggested: editors show an error at each key.
    """
    try:
        return await _answered_at(ls, params, invoked=invoked)
    except JsonRpcException:
        raise
    except Exception as error:
        _log.error("Nothing is suggested here: %s", fault(error))
        return None, []


async def _answered_at(
    ls: CaretServer, params: types.InlineCompletionParams | types.CompletionParams, *, invoked: bool
) -> tuple[Caret | None, list[Item]]:
    uri, start = params.text_document.uri, time.monotonic()
    if uri not in ls.protocol.documents:
        return None, []
    snapshot = await ls.settled(uri, invoked=invoked)
    caret = Caret.at(snapshot, uri, params.position) if snapshot else None
    if snapshot is None or caret is None:
        return None, []
    query = Query(uri, caret.site, invoked, CHOICES if invoked else 1)
    answer = await ls.suggest(query, snapshot)
    ls.ahead.rest(uri, params.position)
    return caret, ls.offer(uri, caret, answer, start)


async def code_action(ls: CaretServer, params: types.CodeActionParams) -> list[types.CodeAction]:
    """What may be done here; no model is asked."""
    snapshot = await ls.settled(params.text_document.uri, invoked=False)
    if snapshot is None:
        return []
    return await asyncio.to_thread(actions, params, snapshot, ls.client_capabilities)  # it parses


async def resolve_code_action(ls: CaretServer, params: types.CodeAction) -> types.CodeAction:
    """The edit of an action that was chosen."""
    if wanted := chosen(params):
        command, argument = wanted
        params.edit = (await _answered(ls, command, parse([argument]))).edit
    return params


async def shutdown(ls: CaretServer, _: None) -> None:
    """Let go of the engine, which stays for others."""
    ls.asked_to_shut_down = True
    await ls.let_go()


def did_show(ls: CaretServer, params: Any) -> None:  # noqa: ANN401 - no type of LSP's
    """Copilot's notification that an item is shown."""
    ls.offers.shown(_name_of(params))


def did_partially_accept(ls: CaretServer, params: Any) -> None:  # noqa: ANN401 - no type of LSP's
    """Copilot's notification that the beginning of an item was accepted, in UTF-16 units."""
    length = getattr(params, "acceptedLength", None)
    if isinstance(length, int):
        ls.offers.accepted(_name_of(params), length)


def _name_of(params: Any) -> str:  # noqa: ANN401 - whatever an editor sent
    """The name of an item: the argument of its command."""
    command = getattr(getattr(params, "item", None), "command", None)
    arguments = getattr(command, "arguments", None)
    return str(arguments[0]) if arguments and isinstance(arguments, list) else ""


def accepted(ls: CaretServer, params: types.ExecuteCommandParams) -> None:
    """A suggestion was taken; counted here and told to nobody."""
    ls.offers.accepted(str(*(params.arguments or [])[:1]))
    ls.accepted += 1
    _log.info("Suggestions accepted: %d", ls.accepted)


def status(ls: CaretServer, _: object) -> dict[str, Any]:
    """How things stand: the parameters of `caret/status`, and what the last suggestion cost."""
    usage = ls.completer.last_usage
    last = asdict(usage) if usage else {}
    context = {
        "files": ls.link.files,
        "ms": ls.gatherer.last_ms,
        "left_out": ls.link.left_out,
        "deaths": ls.link.deaths,
        "reason": ls.link.reason,
    }
    state = asdict(ls.status.current)
    return state | {"last": last, "accepted": ls.accepted, "context": context}


async def restart_engine(ls: CaretServer, _: object) -> None:
    """End the engine and start it anew."""
    try:
        await ls.backend.restart()
    except CaretError as error:
        raise JsonRpcException(str(error), code=types.LSPErrorCodes.RequestFailed) from error


async def assist(ls: CaretServer, params: types.ExecuteCommandParams) -> Answer:
    """A command that the instruct model answers."""
    command = COMMANDS[params.command.removeprefix("caret.")]
    return await _answered(ls, command, parse(params.arguments), params.work_done_token)


async def _answered(
    ls: CaretServer, command: Command, arguments: Arguments, token: int | str | None = None
) -> Answer:
    """Return the answer to a command, which gets the editor's state once settings are known."""
    snapshot = await ls.settled(arguments.uri)
    if snapshot is None:
        raise JsonRpcException(MOVED, code=types.LSPErrorCodes.ContentModified)
    return await ls.assist.run(command, arguments, snapshot, token)


FEATURES: dict[str, tuple[Any, Any]] = {
    types.INITIALIZE: (initialize, None),
    types.INITIALIZED: (initialized, None),
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: (did_change_configuration, None),
    types.TEXT_DOCUMENT_DID_CLOSE: (did_close, None),
    types.TEXT_DOCUMENT_DID_CHANGE: (did_change, None),
    types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: (document_highlight, None),
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: (did_change_folders, None),
    # Without options pygls does not advertise it.
    types.TEXT_DOCUMENT_INLINE_COMPLETION: (inline_completion, types.InlineCompletionOptions()),
    types.TEXT_DOCUMENT_COMPLETION: (completion, types.CompletionOptions()),
    "textDocument/didShowCompletion": (did_show, None),
    "textDocument/didPartiallyAcceptCompletion": (did_partially_accept, None),
    types.TEXT_DOCUMENT_CODE_ACTION: (code_action, OPTIONS),
    types.CODE_ACTION_RESOLVE: (resolve_code_action, None),
    types.SHUTDOWN: (shutdown, None),
}

EDITOR_COMMANDS: dict[str, Any] = {
    "caret.accepted": accepted,
    "caret.status": status,
    "caret.restartEngine": restart_engine,
    **dict.fromkeys(IDS, assist),
}
"""Also listed in `greeting`."""
