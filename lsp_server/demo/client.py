"""An editor reduced to what the demo needs: it starts `caret lsp` and asks for completions."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

from engine import spawn
from engine.errors import CaretError, EngineLost
from lsp_server import __version__

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from lsp_server.demo.samples import Sample

T = TypeVar("T")
Report = Callable[[str, int | None], None]
"""(what the server is doing, percent done or None)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A completion as an editor would apply it: `text` replaces [start, end) of the sample."""

    text: str
    start: int
    end: int
    ms: float
    """From the request to its answer."""
    usage: dict[str, float]
    """Tokens and milliseconds as the engine counted them; empty where the server does not say."""


class Editor(LanguageClient):
    """A language client that shows progress through `report` and knows when to ask."""

    def __init__(self, report: Report) -> None:
        super().__init__("caret demo", __version__)
        self.report = report
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = loop.create_future()
        self._last_words: asyncio.Future[str] = loop.create_future()
        self.offers = types.ServerCapabilities()
        self.feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)(lambda _params: None)
        self.feature(types.PROGRESS)(_on_progress)
        self.feature("caret/status")(_on_status)

    async def server_exit(self, server: Process) -> None:
        """Called by pygls when the process has ended: keep what it said last."""
        told = (await server.stderr.read()).decode(errors="replace") if server.stderr else ""
        self._last_words.set_result((told.strip().splitlines() or ["it said nothing"])[-1])

    async def start(
        self, model: str, *, show_all: bool = False, folder: Path | None = None
    ) -> None:
        """Initialize the server, with `model` for completions; `show_all`, however unsure it is.

        A `folder` is opened as the workspace.
        """
        settings: dict[str, Any] = {"fim": {"model": model}}
        if show_all:
            settings["completion"] = {"confidence": 0}
        answer = await self._ask(self.initialize_async(_initialize(settings, folder)))
        self.offers = answer.capabilities
        self.initialized(types.InitializedParams())

    async def until_ready(self) -> None:
        """Wait for the server's word that its model is in memory.

        Raises:
            CaretError: it says that this cannot be, or is gone.
        """
        either: set[asyncio.Future[Any]] = {self.ready, self._last_words}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not self.ready.done():
            raise await self._lost()
        self.ready.result()

    async def _ask(self, answer: Awaitable[T]) -> T:
        try:
            return await answer
        except JsonRpcException as error:
            raise CaretError(str(error)) from error
        except RuntimeError as error:  # what pygls raises when the server's process has ended
            raise await self._lost() from error

    async def _lost(self) -> EngineLost:
        return EngineLost(f"The language server stopped: {await self._last_words}")

    async def complete(self, sample: Sample) -> Answer | None:
        """Ask as an editor does while its user types; None for an empty answer.

        Raises:
            CaretError: the server answered with an error, or is gone.
        """
        return await self._ask(self._complete(sample))

    async def _complete(self, sample: Sample) -> Answer | None:
        uri = (Path.cwd() / sample.file).as_uri()
        document = types.TextDocumentItem(uri, sample.language_id, 0, sample.text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(document))
        start = time.perf_counter()
        result = await self.text_document_inline_completion_async(
            types.InlineCompletionParams(
                context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic),
                text_document=types.TextDocumentIdentifier(uri),
                position=types.Position(sample.line, sample.column),
            )
        )
        ms = (time.perf_counter() - start) * 1000
        usage = await self._usage()
        self.text_document_did_close(
            types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri))
        )
        items = result.items if isinstance(result, types.InlineCompletionList) else result
        return _answer(sample, items[0], ms, usage) if items else None

    async def _usage(self) -> dict[str, float]:
        return (await self.status()).get("last") or {}

    async def status(self) -> dict[str, Any]:
        """What the command `caret.status` tells."""
        asked = types.ExecuteCommandParams("caret.status")
        return await self.workspace_execute_command_async(asked) or {}


def _on_progress(ls: Editor, params: types.ProgressParams) -> None:
    value = params.value or {}
    if message := value.get("message") or value.get("title"):
        ls.report(message, value.get("percentage"))


def _on_status(ls: Editor, params: Any) -> None:  # noqa: ANN401 - pygls makes its type at run time
    if ls.ready.done():
        return
    if params.state == "ready":
        ls.ready.set_result(None)
    elif params.state == "error":
        ls.ready.set_exception(CaretError(params.message))


def _answer(
    sample: Sample, item: types.InlineCompletionItem, ms: float, usage: dict[str, float]
) -> Answer:
    text = item.insert_text if isinstance(item.insert_text, str) else item.insert_text.value
    if item.range is None:
        return Answer(text, sample.offset, sample.offset, ms, usage)
    start, end = item.range.start, item.range.end
    return Answer(
        text,
        sample.at(start.line, start.character),
        sample.at(end.line, end.character),
        ms,
        usage,
    )


def caret_command() -> str:
    """The `caret` of this very installation, else the one on the path.

    Raises:
        CaretError: there is none.
    """
    beside = shutil.which("caret", path=str(Path(sys.executable).parent))
    found = beside or spawn.program("caret")
    if found is None:
        raise CaretError("The command `caret` is not on the path. Install Caret with `make setup`.")
    return found


@asynccontextmanager
async def editor(model: str, report: Report) -> AsyncIterator[Editor]:
    """A running `caret lsp` that was told to use `model`, shut down as the protocol asks."""
    client = Editor(report)
    await client.start_io(caret_command(), "lsp", env=spawn.environment(), cwd=spawn.ROOT)
    try:
        await client.start(model)
        yield client
        await client.shutdown_async(None)
    finally:
        if not client.stopped:
            client.exit(None)
        await client.stop()  # type: ignore[no-untyped-call]  # pygls forgot its annotation


def _initialize(settings: dict[str, Any], folder: Path | None) -> types.InitializeParams:
    opened = [types.WorkspaceFolder(folder.as_uri(), folder.name)] if folder else None
    return types.InitializeParams(
        workspace_folders=opened,
        capabilities=types.ClientCapabilities(
            window=types.WindowClientCapabilities(work_done_progress=True),
            text_document=types.TextDocumentClientCapabilities(
                inline_completion=types.InlineCompletionClientCapabilities()
            ),
        ),
        initialization_options=settings,
    )
