"""An editor's end of the real server over stdio, and an OpenAI-compatible server with a script."""

from __future__ import annotations

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.editor import Editor, StartEditor, editors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator


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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def start_editor(environment: dict[str, str]) -> AsyncIterator[StartEditor]:
    """Editors with servers; all are shut down and must end well."""
    async with editors(environment) as start:
        yield start


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor(start_editor: StartEditor, model_server: ModelServer) -> Editor:
    """Neovim 0.11 with ghost text, whose completions `model` writes; shared by a file's tests."""
    return await start_editor({"fim": {"endpoint": model_server.url}})
