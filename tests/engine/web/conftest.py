"""The engine's server in this process, with a model that says what a test wants it to."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn
from starlette.routing import Route, Router

from engine import lockfile
from engine.api import ChatRequest, CompletionRequest, Piece, Usage
from engine.host import Host
from engine.lockfile import Address
from engine.scheduler import Scheduler
from engine.web.server import EngineServer
from tests.engine.web.elsewhere import Other

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from engine.api import Ability
    from engine.fetch import Progress
    from engine.host import Model
    from engine.models import ModelEntry

DEADLINE_S = 60.0


class ScriptedModel:
    """Stands where `engine.runtime.Runtime` does, and works a step at a time as that does."""

    note = ""

    def __init__(self) -> None:
        self.texts = ["one", " two"]
        self.failure: Exception | None = None
        """Raised after the first text, or before it with `fails_early`."""
        self.fails_early = False
        self.requests: list[CompletionRequest | ChatRequest] = []
        self.gate = threading.Event()
        """Closed, it holds answers back after their first text."""
        self.gate.set()
        self.closed = threading.Event()
        """An answer was let go of, finished or not."""

    def complete(self, request: CompletionRequest) -> Iterator[Piece | None]:
        return self._answer(request, request.n)

    def chat(self, request: ChatRequest) -> Iterator[Piece | None]:
        return self._answer(request, 1)

    def interrupt(self) -> None:
        pass

    def _answer(self, request: CompletionRequest | ChatRequest, n: int) -> Iterator[Piece | None]:
        self.requests.append(request)
        try:
            yield None
            if self.failure and self.fails_early:
                raise self.failure
            for index in range(n):
                yield from self._choice(index)
                usage = Usage(7, 4, 2, 1.5, 2.5, 1, 3, 1) if index == n - 1 else None
                yield Piece("", index, None, "stop", usage)
        finally:
            self.closed.set()

    def _choice(self, index: int) -> Iterator[Piece | None]:
        for text in self.texts:
            yield Piece(text, index, -0.5)
            if self.failure:
                raise self.failure
            while not self.gate.wait(0.005):
                yield None


class Loader:
    """Stands where downloading and loading do."""

    def __init__(self, model: ScriptedModel) -> None:
        self.model = model
        self.failure: Exception | None = None
        self.loads: list[str] = []
        self.formats: list[str] = []
        self.make: Callable[[ScriptedModel], Model] = lambda model: model
        self.gate = threading.Event()
        """Closed, it holds loading back."""
        self.gate.set()

    def pull(
        self,
        entry: ModelEntry,
        report: Callable[[Progress], None],
    ) -> Path:
        return entry.path

    def load(
        self,
        entry: ModelEntry,
        path: Path,
        report: Callable[[int, int], None],
        fmt: str,
        ability: Ability,
    ) -> Model:
        self.loads.append(entry.name)
        self.formats.append(fmt)
        report(1, 4)
        assert self.gate.wait(DEADLINE_S)
        if self.failure:
            raise self.failure
        return self.make(self.model)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for locks, logs and models."""
    monkeypatch.setenv("CARET_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def loader(model: ScriptedModel) -> Loader:
    return Loader(model)


@pytest.fixture
def host(home: Path, loader: Loader) -> Host:  # noqa: ARG001 - set for it
    return Host(loader.load, loader.pull)


@pytest.fixture
def address(host: Host) -> Iterator[Address]:
    """A server of `host`, published as the user's engine."""
    with serving(host) as address:
        yield address


@contextmanager
def serving(host: Host) -> Iterator[Address]:
    """Serve `host` as the user's engine, whose folder the environment names."""
    with lockfile.engine_lock():
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        address = Address(os.getpid(), port, "s3cret", lockfile.our_version())
        server = EngineServer(host, Scheduler(), address, idle_seconds=0)
        thread = threading.Thread(target=server.run, args=[[listener]])
        thread.start()
        until(lambda: lockfile.read_address() == address)
        yield address
        with httpx.Client(trust_env=False) as http, suppress(httpx.ConnectError):
            http.post(f"{address.url}/shutdown", headers=address.headers)
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


@pytest.fixture
async def http(address: Address) -> AsyncIterator[httpx.AsyncClient]:
    """Any HTTP client that knows the token."""
    async with httpx.AsyncClient(
        base_url=address.url, headers=address.headers, timeout=DEADLINE_S, trust_env=False
    ) as client:
        yield client


@pytest.fixture
async def other() -> AsyncIterator[Other]:
    other = Other()
    paths = ["/v1/completions", "/v1/chat/completions"]
    router = Router([Route(path, other.answer, methods=["POST"]) for path in paths])
    config = uvicorn.Config(router, port=0, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(60):
        while not server.started:
            await asyncio.sleep(0.005)
    other.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield other
    server.should_exit = True
    await serving


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)
