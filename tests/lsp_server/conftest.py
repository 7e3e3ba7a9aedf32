"""An editor's end of the real server over stdio, and an OpenAI-compatible server with a script."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import pytest
import pytest_asyncio
from lsprotocol import types
from pygls.protocol import default_converter
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities
from pytest_lsp.client import register_lsp_features

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from concurrent.futures import Future

CARET = str(Path(sys.executable).with_name("caret"))
DEADLINE_S = 20.0


class ModelServer(ThreadingHTTPServer):
    """Streams `answer(request)` for /v1/completions, a chunk for each string."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.gate = threading.Event()
        """Closed, it holds answers back after their first chunk."""
        self.reset()

    def reset(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answer: Callable[[dict[str, Any]], list[str]] = lambda _: ["a", "b"]
        self.finish = "stop"
        self.status = 200
        self.gate.set()
        self.hung_up = 0
        """Streams that the client closed before their end."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: ModelServer

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(request)
        self.send_response(self.server.status)
        self.send_header("Connection", "close")
        self.end_headers()
        if self.server.status != 200:
            self.wfile.write(b'{"error": {"message": "the model is on fire"}}')
            return
        try:
            self._stream(self.server.answer(request))
        except OSError:
            self.server.hung_up += 1

    def _stream(self, texts: list[str]) -> None:
        for text in texts:
            self._event({"text": text, "index": 0, "finish_reason": None})
            while not self.server.gate.wait(0.01):
                self._write(b": still there\n\n")
        self._event({"text": "", "index": 0, "finish_reason": self.server.finish})
        self._write(b"data: [DONE]\n\n")

    def _event(self, choice: dict[str, Any]) -> None:
        self._write(b"data: %s\n\n" % json.dumps({"choices": [choice]}).encode())

    def _write(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()


@pytest.fixture(scope="module")
def model_server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.gate.set()
        server.shutdown()


@pytest.fixture
def model(model_server: ModelServer) -> ModelServer:
    """The server that `caret.fim.endpoint` names, as new."""
    model_server.reset()
    return model_server


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """For a server whose models, locks and logs are its own."""
    kept = {name: value for name, value in os.environ.items() if name != "CARET_API_KEY"}
    return kept | {"CARET_HOME": str(tmp_path_factory.mktemp("home"))}


class Editor(LanguageClient):
    """A client that remembers `caret/status`, with what tests do again and again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.statuses: list[Any] = []
        self.feature("caret/status")(lambda params: self.statuses.append(params))

    @property
    def states(self) -> list[str]:
        return [status.state for status in self.statuses]

    def open(self, text: str, name: str = "a.py", language: str = "python") -> str:
        uri = f"file:///work/{name}"
        item = types.TextDocumentItem(uri, language, 1, text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def change(self, uri: str, *changes: types.TextDocumentContentChangeEvent) -> None:
        document = types.VersionedTextDocumentIdentifier(version=2, uri=uri)
        self.text_document_did_change(types.DidChangeTextDocumentParams(document, changes))

    def ask(self, uri: str, line: int, character: int, *, invoked: bool = False) -> Future[Any]:
        kind = types.InlineCompletionTriggerKind
        context = types.InlineCompletionContext(kind.Invoked if invoked else kind.Automatic)
        document, position = types.TextDocumentIdentifier(uri), types.Position(line, character)
        params = types.InlineCompletionParams(context, document, position)
        return self.text_document_inline_completion(params)

    async def items(
        self, uri: str, line: int, character: int, *, invoked: bool = False
    ) -> list[types.InlineCompletionItem]:
        answer = await asyncio.wrap_future(self.ask(uri, line, character, invoked=invoked))
        assert isinstance(answer, types.InlineCompletionList)
        return list(answer.items)

    async def texts(
        self, uri: str, line: int, character: int, *, invoked: bool = False
    ) -> list[str]:
        items = await self.items(uri, line, character, invoked=invoked)
        return [str(item.insert_text) for item in items]

    async def command(self, name: str) -> Any:
        return await self.workspace_execute_command_async(types.ExecuteCommandParams(name))

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                await asyncio.sleep(0.01)


def _editor() -> Editor:
    editor = Editor(converter_factory=default_converter)
    register_lsp_features(editor)
    return editor


class StartEditor(Protocol):
    """Starts an editor of a kind that pytest-lsp knows, with its server."""

    async def __call__(
        self,
        options: object = None,
        *,
        kind: str = "neovim@v0.11.0",
        ghost_text: bool = True,
        configuration: dict[str, Any] | None = None,
        asks: bool = True,
        until: str | None = "ready",
    ) -> Editor: ...


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def start_editor(environment: dict[str, str]) -> AsyncIterator[StartEditor]:
    """Editors with servers; all are shut down and must end well."""
    editors: list[Editor] = []

    async def start(
        options: object = None,
        *,
        kind: str = "neovim@v0.11.0",
        ghost_text: bool = True,
        configuration: dict[str, Any] | None = None,
        asks: bool = True,
        until: str | None = "ready",
    ) -> Editor:
        config = ClientServerConfig([CARET, "lsp"], _editor, environment)
        editor = cast(Editor, await config.start())
        editors.append(editor)
        capabilities = client_capabilities(kind)
        assert capabilities.text_document
        if ghost_text:
            ghost = types.InlineCompletionClientCapabilities()
            capabilities.text_document.inline_completion = ghost
        assert capabilities.workspace
        capabilities.workspace.configuration = asks
        if configuration is not None:
            editor.set_configuration({"caret": configuration})
        await editor.initialize_session(
            types.InitializeParams(capabilities, initialization_options=options)
        )
        if until:
            await editor.until(lambda: until in editor.states)
        return editor

    yield start
    for editor in editors:
        await editor.shutdown_session()
        await editor.stop()  # type: ignore[no-untyped-call]  # pytest-lsp's


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor(start_editor: StartEditor, model_server: ModelServer) -> Editor:
    """Neovim 0.11 with ghost text, whose completions `model` writes; shared by a file's tests."""
    return await start_editor({"fim": {"endpoint": model_server.url}})
