"""A command of the editor: what it is about is gathered, answered, and its edit applied."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException

from engine.errors import CaretError, RequestError, Superseded
from lsp_server.arguments import Answer
from lsp_server.asking import MOVED, ask_of, files_of, grounds_of, plain
from lsp_server.documents import split_lines
from lsp_server.edits import workspace_edit
from lsp_server.instruct.assistant import Assistant
from lsp_server.instruct.references import references, with_notes
from lsp_server.policy import path_of
from lsp_server.status import describe
from lsp_server.streams import Stream, progress, stream
from lsp_server.textfile import read_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from pygls.lsp.server import LanguageServer

    from engine.api import ModelStatus
    from lsp_server.arguments import Arguments
    from lsp_server.instruct.ask import Ask
    from lsp_server.instruct.assistant import Outcome, Speaker
    from lsp_server.instruct.change import Change
    from lsp_server.instruct.commands import Command
    from lsp_server.newest import NewestWins
    from lsp_server.snapshot import EditorSnapshot
    from lsp_server.streams import Report, Token
    from lsp_server.workspace.link import Link


_log = logging.getLogger(__name__)


class Assist:
    """One editor's commands."""

    def __init__(
        self,
        ls: LanguageServer,
        speaker: Speaker,
        link: Link,
        running: NewestWins,
        now: Callable[[], EditorSnapshot],
    ) -> None:
        """Show answers of `speaker` by `ls`; work ends with the others `running` at a change.

        `now` gives the editor's state at the moment, to which an edit must fit.
        """
        self._ls, self._link, self._running, self._now = ls, link, running, now
        self.assistant = Assistant(speaker)
        self._reports: set[Report] = set()
        """Of the progress bars that are shown."""

    def loading(self, model: ModelStatus) -> None:
        """The model is on its way: say so where an answer is waited for."""
        for report in self._reports:
            report("" if model.phase == "ready" else f"{model.name}: {describe(model)}")

    async def run(
        self,
        command: Command,
        arguments: Arguments,
        snapshot: EditorSnapshot,
        token: Token | None = None,
    ) -> Answer:
        """Do what was asked in `snapshot`; `token` is the client's for progress.

        Raises:
            JsonRpcException: it failed; the message is for people.
        """
        try:
            return await self._answer(command, arguments, snapshot, token)
        except CaretError as error:
            raise JsonRpcException(str(error), code=types.LSPErrorCodes.RequestFailed) from error

    async def _answer(
        self, command: Command, arguments: Arguments, snapshot: EditorSnapshot, token: Token | None
    ) -> Answer:
        title = f"Caret: {command.title}"
        shown = self._stream(command, arguments, title)
        async with self._progress(token, title):
            work = self._outcome(command, arguments, snapshot, shown)
            done = await self._running.run(object(), work)
        if done is None:
            raise Superseded("The settings changed while Caret answered. Run the command again.")
        ask, outcome = done
        files = await asyncio.to_thread(files_of, snapshot)
        named = await asyncio.to_thread(references, outcome.text, ask, files)
        text = with_notes(outcome.text, ask, named, cut=outcome.cut)
        shown.say(text.removeprefix(outcome.text))
        await shown.end(text)
        change = outcome.change
        edit = await self._edit(ask, change, arguments.uri) if change else None
        applied = bool(edit and arguments.apply and await self._applied(edit, title))
        places = (await asyncio.to_thread(references, text, ask, files)).real
        locations = [_location(*place) for place in places]
        return Answer(text, outcome.conversation, edit, applied, locations)

    async def _outcome(
        self, command: Command, arguments: Arguments, snapshot: EditorSnapshot, shown: Stream
    ) -> tuple[Ask, Outcome]:
        """Return the request with what it is answered from, and what the model makes of it."""
        ask = await asyncio.to_thread(ask_of, command, arguments, snapshot)
        grounds = await asyncio.to_thread(grounds_of, snapshot, self._link)
        ask = await grounds.gather(ask)
        outcome = await self.assistant.answer(
            ask,
            snapshot.settings.instruct,
            shown.say,
            document=arguments.uri,
            conversation=arguments.conversation,
        )
        return ask, outcome

    def _stream(self, command: Command, arguments: Arguments, title: str) -> Stream:
        """An edit shows itself; only text needs a document of its own."""
        if command.edits and arguments.token is None:
            return Stream()
        return stream(self._ls, arguments.token, title, self._text_of)

    def _text_of(self, uri: str) -> str | None:
        now = self._now()
        document = now.documents.get(now.uri_of(path_of(uri)))
        return plain("".join(document.lines)) if document else None

    @asynccontextmanager
    async def _progress(self, token: Token | None, title: str) -> AsyncIterator[None]:
        async with progress(self._ls, token, title) as report:
            self._reports.add(report)
            try:
                yield
            finally:
                self._reports.discard(report)

    async def _edit(self, ask: Ask, change: Change, uri: str) -> types.WorkspaceEdit:
        """The edit of a text that is still what it was.

        Raises:
            RequestError: it is not.
        """
        assert ask.place
        if ask.target:
            uri = self._now().uri_of(str(Path(ask.place.root, ask.target.path)))
        document = self._now().documents.get(uri)
        lines = document.lines if document else await asyncio.to_thread(_on_disk, uri)
        now = None if lines is None else plain("".join(lines))
        if now != change.before:
            raise RequestError(MOVED)
        edit = await asyncio.to_thread(
            workspace_edit,
            change,
            uri,
            lines=lines or [""],
            version=document.version if document else None,
            label=f"Caret: {ask.command.title}",
            encoding=self._now().encoding,
            client=self._ls.client_capabilities,
        )
        if self._now().documents.get(uri) is not document:
            raise RequestError(MOVED)
        return edit

    async def _applied(self, edit: types.WorkspaceEdit, label: str) -> bool:
        """Whether the client has applied an edit, after it asked the user if it wanted to."""
        if not get_capability(self._ls.client_capabilities, "workspace.apply_edit"):
            return False
        params = types.ApplyWorkspaceEditParams(edit, label=label)
        try:
            return (await self._ls.workspace_apply_edit_async(params)).applied
        except JsonRpcException as error:  # the answer has the edit too
            _log.warning("The editor did not apply an edit: %s", error)
            return False


def _on_disk(uri: str) -> list[str] | None:
    """Return the lines of a file that is not open; None where there is none to be read."""
    if not uri.startswith("file:"):
        return None
    try:
        return split_lines(read_text(Path(path_of(uri))))
    except RequestError:
        return None


def _location(root: str, path: str, line: int) -> types.Location:
    start = types.Position(line, 0)
    return types.Location(Path(root, path).as_uri(), types.Range(start, start))
