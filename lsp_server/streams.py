"""An answer on its way to the editor: partial results, a Markdown file, and its progress."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException

from engine.paths import answers_dir

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from pygls.lsp.server import LanguageServer

    Token = int | str
    Report = Callable[[str], None]

_KEPT_FILES = 32
_FLUSH_S = 0.25
"""Seconds between two writes of a file that grows."""
_SHOW_S = 5.0
"""Most seconds that an answer waits for the editor to show or edit its file."""

_log = logging.getLogger(__name__)


class Stream:
    """Where an answer's text goes while it is written; here, nowhere."""

    def say(self, text: str) -> None:
        """Some more of it."""

    async def end(self, text: str) -> None:
        """It is whole; this is the text that counts."""


class PartialResults(Stream):
    """`$/progress` with `{"text": ...}`."""

    def __init__(self, ls: LanguageServer, token: Token) -> None:
        self._ls, self._token = ls, token

    def say(self, text: str) -> None:
        """See `Stream.say`."""
        if text:
            self._ls.progress(types.ProgressParams(self._token, {"text": text}))


class MarkdownFile(Stream):
    """A file that grows, shown by `window/showDocument` when it begins.

    An editor that has it open and does not watch files gets the whole text by an edit at the end.
    """

    def __init__(
        self, ls: LanguageServer, title: str, text_of: Callable[[str], str | None]
    ) -> None:
        """`text_of` gives the text of an open document."""
        self._ls, self._title, self._text_of = ls, title, text_of
        self._path = _new_file()
        self._text, self._written = "", 0.0
        self._shown: asyncio.Task[None] | None = None

    def say(self, text: str) -> None:
        """See `Stream.say`."""
        self._text += text
        if time.monotonic() - self._written >= _FLUSH_S:
            self._write(self._text)
        self._shown = self._shown or asyncio.create_task(self._show())

    async def end(self, text: str) -> None:
        """See `Stream.end`."""
        self._write(text)
        showing = self._shown or asyncio.create_task(self._show())
        await asyncio.wait([showing], timeout=_SHOW_S)
        shown = self._text_of(self._path.as_uri())
        if shown is not None and shown != self._whole(text):
            replacing = asyncio.create_task(self._replace(shown, self._whole(text)))
            await asyncio.wait([replacing], timeout=_SHOW_S)

    async def _show(self) -> None:
        """Have the editor show the file; where it does not, the answer to the command has it."""
        shown = types.ShowDocumentParams(self._path.as_uri(), take_focus=False)
        try:
            await self._ls.window_show_document_async(shown)
        except JsonRpcException as error:
            _log.warning("The editor does not show an answer: %s", error)

    async def _replace(self, shown: str, text: str) -> None:
        end = types.Position(shown.count("\n") + 1, 0)
        edit = types.TextEdit(types.Range(types.Position(0, 0), end), text)
        whole = types.WorkspaceEdit(changes={self._path.as_uri(): [edit]})
        try:
            await self._ls.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(whole))
        except JsonRpcException as error:
            _log.warning("The editor does not take the end of an answer: %s", error)

    def _write(self, text: str) -> None:
        """Write the file anew, also where another server has deleted it meanwhile."""
        try:
            self._path.write_text(self._whole(text), "utf-8", "replace")
        except OSError as error:
            _log.warning("An answer cannot be written: %s", error)
        self._written = time.monotonic()

    def _whole(self, text: str) -> str:
        return f"# {self._title}\n\n{text}\n"


def stream(
    ls: LanguageServer, token: Token | None, title: str, text_of: Callable[[str], str | None]
) -> Stream:
    """What the client can show: partial results if it has a token, else a file, else nothing."""
    if token is not None:
        return PartialResults(ls, token)
    if get_capability(ls.client_capabilities, "window.show_document"):
        try:
            return MarkdownFile(ls, title, text_of)
        except OSError as error:
            _log.warning("An answer cannot be shown while it is written: %s", error)
    return Stream()


class _Bar:
    """A progress bar, which may come and go while the work goes on."""

    def __init__(self, ls: LanguageServer, title: str, cancel: Callable[[], object]) -> None:
        self._ls, self._title, self._cancel = ls, title, cancel
        self._token: Token | None = None
        self._text, self._ended = "", False

    def begin(self, token: Token) -> None:
        bars, self._token = self._ls.work_done_progress, token
        bars.begin(token, types.WorkDoneProgressBegin(self._title, cancellable=True))
        bars.tokens[token].add_done_callback(lambda future: future.cancelled() and self._cancel())
        if self._ended:
            self.end()
        elif self._text:
            self.say(self._text)

    def say(self, text: str) -> None:
        self._text = text
        if self._token is not None:
            report = types.WorkDoneProgressReport(message=text)
            self._ls.work_done_progress.report(self._token, report)

    def end(self) -> None:
        self._ended, bars = True, self._ls.work_done_progress
        if self._token is not None:
            del bars.tokens[self._token]
            bars.end(self._token, types.WorkDoneProgressEnd())

    async def create(self) -> None:
        """Begin where the editor makes one that it has not asked for."""
        token = str(uuid.uuid4())
        with suppress(JsonRpcException):
            await self._ls.work_done_progress.create_async(token)
            self.begin(token)


_creating: set[asyncio.Task[None]] = set()


@asynccontextmanager
async def progress(ls: LanguageServer, token: Token | None, title: str) -> AsyncIterator[Report]:
    """A progress bar on the client's token, or one of our own; to cancel it cancels the task.

    Yields what takes the words to show. The work never waits for the bar: Helix answers nothing
    while it waits for the edit of a code action.
    """
    task = asyncio.current_task()
    assert task
    bar = _Bar(ls, title, task.cancel)
    if token is not None:
        bar.begin(token)
    elif get_capability(ls.client_capabilities, "window.work_done_progress"):
        creating = asyncio.create_task(bar.create())
        _creating.add(creating)
        creating.add_done_callback(_creating.discard)
    try:
        yield bar.say
    finally:
        bar.end()


def _new_file() -> Path:
    """A new file in Caret's folder of answers, from which the oldest go.

    Other servers make and delete files there too.
    """
    folder, written = answers_dir(), dict[Path, float]()
    for file in folder.glob("*.md"):
        with suppress(FileNotFoundError):
            written[file] = file.stat().st_mtime
    for file in sorted(written, key=lambda file: written[file])[: -_KEPT_FILES + 1]:
        file.unlink(missing_ok=True)
    return folder / f"caret-{uuid.uuid4().hex[:8]}.md"
