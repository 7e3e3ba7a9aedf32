"""A model's way into memory as the server sees it, with a service that follows a script.

The real services are behind `test_server.py` (an endpoint) and `tests/e2e` (the engine).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from engine import launch
from engine.api import Ability, ChatRequest, CompletionRequest, ModelStatus, Piece
from engine.client import EngineClient
from engine.errors import (
    CaretError,
    EngineLost,
    EngineUnavailable,
    ModelDamaged,
    ModelError,
    Superseded,
)
from engine.remote import RemoteClient
from lsp_server import loading
from lsp_server.backend import Backend
from lsp_server.loading import connect_to
from lsp_server.roles import Part, chosen
from lsp_server.settings import EngineSettings, FimSettings, Settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

NAME = "qwen2.5-coder-0.5b"
SETTINGS = Settings(FimSettings(NAME))
REQUEST = CompletionRequest(NAME, "x")
LOADING, READY = ModelStatus(NAME, "loading", 1, 2), ModelStatus(NAME, "ready")
FAILED = ModelStatus(NAME, "failed", error="It is broken.", error_code="model_damaged")


class Script:
    """Answers `load` and then `statuses` from a list; `complete` raises its error, if any.

    With `streaming`, an answer goes on until the service is closed, and is lost then.
    """

    def __init__(self, *statuses: ModelStatus | CaretError) -> None:
        self.script = list(statuses)
        self.error: CaretError | None = None
        self.streaming = False
        self.closed = asyncio.Event()

    async def load(self, model: str, fmt: str = "", ability: Ability = "infill") -> ModelStatus:
        assert model == NAME
        await asyncio.sleep(0)
        status = self.script.pop(0)
        if isinstance(status, CaretError):
            raise status
        return status

    async def statuses(self) -> list[ModelStatus]:
        return [await self.load(NAME)] if self.script else []

    async def complete(
        self,
        request: CompletionRequest,
        *,
        wait: bool = True,
    ) -> AsyncGenerator[Piece, None]:
        if self.error:
            raise self.error
        yield Piece("done", finish_reason=None if self.streaming else "stop")
        if self.streaming:
            await self.closed.wait()
            raise EngineLost("gone")

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        raise NotImplementedError(request)
        yield Piece()

    async def aclose(self) -> None:
        self.closed.set()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_POLL_S", 0.0)


async def used(script: Script) -> tuple[Backend, list[ModelStatus]]:
    told: list[ModelStatus] = []
    backend = Backend(told.append, lambda *_: script)
    await backend.use(SETTINGS)
    return backend, told


async def text(backend: Backend, *, wait: bool) -> str:
    return "".join([piece.text async for piece in backend.complete(REQUEST, wait=wait)])


async def test_waiting_for_the_model() -> None:
    backend, told = await used(Script(LOADING, LOADING, READY))
    with pytest.raises(EngineUnavailable, match="not ready"):
        await text(backend, wait=False)
    assert await text(backend, wait=True) == "done"
    assert [status.phase for status in told] == ["absent", "loading", "ready"]
    assert await text(backend, wait=False) == "done"


async def test_a_failure_is_told_and_raised() -> None:
    backend, told = await used(Script(LOADING, FAILED, READY))
    with pytest.raises(ModelDamaged, match="broken"):
        await text(backend, wait=True)
    assert (told[-1].phase, told[-1].error_code) == ("failed", "model_damaged")
    with pytest.raises(EngineUnavailable):
        await text(backend, wait=False)  # nobody asked by hand, so it is not tried again yet
    assert await text(backend, wait=True) == "done"


async def test_an_engine_that_ends_while_loading() -> None:
    backend, told = await used(Script(LOADING))
    with pytest.raises(EngineUnavailable, match="ended while it was loading"):
        await text(backend, wait=True)
    assert told[-1].error_code == "engine_unavailable"


async def test_a_lost_engine_is_brought_back() -> None:
    script = Script(READY, LOADING, READY)
    backend, told = await used(script)
    assert await text(backend, wait=True) == "done"
    script.error = EngineLost("gone")
    with pytest.raises(EngineLost):
        await text(backend, wait=False)
    script.error = None
    assert await text(backend, wait=True) == "done"
    assert [status.phase for status in told] == ["absent", "ready", "absent", "loading", "ready"]


async def test_a_superseded_request_is_no_loss() -> None:
    script = Script(READY)
    backend, told = await used(script)
    await text(backend, wait=True)
    script.error = Superseded("newer")
    with pytest.raises(Superseded):
        await text(backend, wait=False)
    assert backend.ready
    assert len(told) == 2


async def test_a_caller_that_gives_up_does_not_stop_the_load() -> None:
    backend, _ = await used(Script(LOADING, LOADING, READY))
    caller = asyncio.create_task(text(backend, wait=True))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert await text(backend, wait=True) == "done"


async def test_only_settings_that_matter_reconnect() -> None:
    scripts = [Script(READY), Script(READY)]
    first, second = scripts
    backend = Backend(lambda _: None, lambda *_: scripts.pop(0))
    await backend.use(SETTINGS)
    await backend.use(Settings(SETTINGS.fim))
    assert not first.closed.is_set()
    await backend.use(Settings(SETTINGS.fim, engine=EngineSettings(threads=2)))
    assert first.closed.is_set()
    assert not second.closed.is_set()
    assert await text(backend, wait=True) == "done"
    await backend.aclose()
    assert second.closed.is_set()


async def test_what_new_settings_cut_off_is_no_loss() -> None:
    scripts = [Script(READY), Script(LOADING, READY)]
    scripts[0].streaming, told = True, list[ModelStatus]()
    backend = Backend(told.append, lambda *_: scripts.pop(0))
    await backend.use(SETTINGS)
    answer = backend.complete(REQUEST, wait=True)
    assert (await anext(answer)).text == "done"
    await backend.use(Settings(SETTINGS.fim, engine=EngineSettings(threads=2)))
    assert await text(backend, wait=True) == "done"
    with pytest.raises(Superseded, match="settings changed"):
        await anext(answer)
    assert (backend.ready, told[-1].phase) == (True, "ready")


async def test_who_waits_while_the_settings_change_is_superseded() -> None:
    """Not cancelled, and not answered by the model that was not asked."""
    scripts = [Script(LOADING, LOADING, LOADING), Script(READY)]
    backend = Backend(lambda _: None, lambda *_: scripts.pop(0))
    await backend.use(SETTINGS)
    waiting = asyncio.create_task(text(backend, wait=True))
    await asyncio.sleep(0)
    await backend.use(Settings(SETTINGS.fim, engine=EngineSettings(threads=2)))
    with pytest.raises(Superseded, match="settings changed"):
        await waiting
    assert await text(backend, wait=True) == "done"


async def test_who_waits_while_the_engine_restarts_gets_the_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A request in between does not bring the old engine back."""
    ended = asyncio.Event()
    monkeypatch.setattr(launch, "stop", ended.wait)
    script = Script(LOADING, READY)
    backend, told = await used(script)
    before = asyncio.create_task(text(backend, wait=True))
    await asyncio.sleep(0)
    restarting = asyncio.create_task(backend.restart())
    await asyncio.sleep(0)
    left = len(script.script)
    after = asyncio.create_task(text(backend, wait=True))
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(script.script) == left  # the old engine is asked for nothing
    ended.set()
    await restarting
    assert [await before, await after] == ["done", "done"]
    assert told[-1].phase == "ready"


async def test_an_engine_that_does_not_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stop() -> None:
        raise EngineUnavailable("The engine does not end.")

    monkeypatch.setattr(launch, "stop", stop)
    backend, told = await used(Script(READY))
    with pytest.raises(EngineUnavailable, match="does not end"):
        await backend.restart()
    assert (told[-1].phase, told[-1].error) == ("failed", "The engine does not end.")


async def test_a_service_that_cannot_be_made_leaves_nobody_waiting() -> None:
    def broken(*_: object) -> Script:
        raise ValueError("an odd proxy")

    told: list[ModelStatus] = []
    backend = Backend(told.append, broken)
    await backend.use(SETTINGS)
    with pytest.raises(ModelError, match="a fault in Caret"):
        await text(backend, wait=True)
    assert told[-1].phase == "failed"


async def test_local_or_remote() -> None:
    local = connect_to(chosen(SETTINGS, "infill"), SETTINGS.engine)
    remote = connect_to(Part("infill", "", "http://127.0.0.1:1"), SETTINGS.engine)
    assert isinstance(local, EngineClient)
    assert isinstance(remote, RemoteClient)
    await local.aclose()
    await remote.aclose()
