from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

import psutil
import pytest

from engine import launch, lockfile
from engine.api import ChatMessage, ChatRequest, CompletionRequest, ModelStatus, Piece, Usage
from engine.client import EngineClient
from engine.errors import (
    EngineLost,
    EngineUnavailable,
    FetchError,
    NotCapable,
    RequestError,
    Superseded,
    UnknownModel,
)
from engine.launch import LaunchOptions

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from engine.lockfile import Address
    from tests.engine.web.conftest import Loader, ScriptedModel

DEADLINE_S = 60.0
MODEL = "smollm2-135m"
REQUEST = CompletionRequest(MODEL, "def f(", "\u2028\n", document="a.py")


@pytest.fixture
async def client(home: Path) -> AsyncIterator[EngineClient]:  # noqa: ARG001 - set for it
    client = EngineClient(LaunchOptions(idle_minutes=2))
    yield client
    await client.aclose()


@pytest.fixture
async def engine(client: EngineClient) -> AsyncIterator[EngineClient]:
    """A client whose engine is a process of its own."""
    yield client
    await launch.stop()


async def _all(pieces: AsyncGenerator[Piece, None]) -> list[Piece]:
    async with aclosing(pieces):
        return [piece async for piece in pieces]


async def _until_asked(model: ScriptedModel) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not model.requests:
            await asyncio.sleep(0.005)


@pytest.mark.usefixtures("address")
async def test_completion_and_chat(client: EngineClient, model: ScriptedModel) -> None:
    model.texts = ["a\u2028", "b\x85c"]
    chat = ChatRequest(MODEL, (ChatMessage("user", "Why?"),))
    for pieces in (client.complete(REQUEST), client.chat(chat)):
        assert await _all(pieces) == [
            Piece("a\u2028", logprob=-0.5),
            Piece("b\x85c", logprob=-0.5),
            Piece(finish_reason="stop", usage=Usage(7, 4, 2, 1.5, 2.5, 1, 3, 1)),
        ]
    assert model.requests == [REQUEST, chat]


@pytest.mark.usefixtures("address")
async def test_closing_early_stops_the_work(client: EngineClient, model: ScriptedModel) -> None:
    model.gate.clear()
    async with aclosing(client.complete(REQUEST)) as pieces:
        assert (await anext(pieces)).text == "one"
        assert not model.closed.is_set()
    assert await asyncio.to_thread(model.closed.wait, DEADLINE_S)


@pytest.mark.usefixtures("address")
async def test_cancelling_stops_the_work(client: EngineClient, model: ScriptedModel) -> None:
    model.gate.clear()
    asked = asyncio.create_task(_all(client.complete(REQUEST)))
    await _until_asked(model)
    asked.cancel()
    assert await asyncio.to_thread(model.closed.wait, DEADLINE_S)


@pytest.mark.usefixtures("address")
async def test_newer_request_supersedes(client: EngineClient, model: ScriptedModel) -> None:
    model.gate.clear()
    older = asyncio.create_task(_all(client.complete(REQUEST)))
    await _until_asked(model)
    newer = asyncio.create_task(_all(client.complete(REQUEST)))
    with pytest.raises(Superseded):
        await older
    model.gate.set()
    assert len(await newer) == 3


@pytest.mark.usefixtures("address")
@pytest.mark.parametrize("early", [True, False])
async def test_error_of_the_engine_is_raised_again(
    client: EngineClient, model: ScriptedModel, early: bool
) -> None:
    model.failure, model.fails_early = NotCapable("It cannot. Use another."), early
    with pytest.raises(NotCapable, match=r"^It cannot\. Use another\.$"):
        await _all(client.complete(REQUEST))


@pytest.mark.usefixtures("address")
async def test_wrong_requests(client: EngineClient) -> None:
    with pytest.raises(RequestError, match="field n must be"):
        await _all(client.complete(CompletionRequest(MODEL, "a", n=0)))
    with pytest.raises(UnknownModel):
        await _all(client.complete(CompletionRequest("gpt-9", "a")))


@pytest.mark.usefixtures("address")
async def test_model_on_its_way(client: EngineClient, loader: Loader) -> None:
    loader.gate.clear()
    assert (await client.load(MODEL)).name == MODEL
    with pytest.raises(EngineUnavailable, match="smollm2-135m is still"):
        await _all(client.complete(REQUEST, wait=False))
    waiting = asyncio.create_task(_all(client.complete(REQUEST)))
    loader.gate.set()
    assert len(await waiting) == 3
    assert await client.statuses() == [ModelStatus(MODEL, "ready")]


@pytest.mark.usefixtures("address")
async def test_failed_model_is_tried_again_on_load(client: EngineClient, loader: Loader) -> None:
    loader.failure = FetchError("No source has it. Check the network.")
    for _ in range(2):
        with pytest.raises(FetchError, match="Check the network"):
            await _all(client.complete(REQUEST))
    loader.failure = None
    await client.load(MODEL)
    assert len(await _all(client.complete(REQUEST))) == 3
    assert len(loader.loads) == 2


async def test_engine_that_is_stopped_says_so(
    client: EngineClient, model: ScriptedModel, address: Address
) -> None:
    model.gate.clear()
    asked = asyncio.create_task(_all(client.complete(REQUEST)))
    await _until_asked(model)
    assert lockfile.read_address() == address
    stopping = asyncio.create_task(launch.stop())
    with pytest.raises(EngineLost, match="the next request starts it again"):
        await asked
    stopping.cancel()  # the fixture, not the server, holds the lock


async def test_engine_is_started_when_first_needed(engine: EngineClient) -> None:
    assert await engine.statuses() == []
    assert await launch.running() is None
    with pytest.raises(UnknownModel):
        await engine.load("gpt-9")
    assert await launch.running()


async def test_engine_that_left_is_started_again(engine: EngineClient) -> None:
    for _ in range(3):
        with pytest.raises(UnknownModel):
            await engine.load("gpt-9")
        assert await launch.stop()


async def test_engine_killed_while_it_answers(engine: EngineClient, home: Path) -> None:
    pids = [await _killed_in_flight(engine, home) for _ in range(2)]
    assert pids[0] != pids[1]
    with pytest.raises(EngineUnavailable, match=r"failed 2 times in a row; .* again in 1 s"):
        await engine.load(MODEL)


@pytest.mark.usefixtures("address")
async def test_an_answer_of_which_enough_was_read_ends_a_row_of_failures(
    client: EngineClient,
) -> None:
    finder = client._finder
    await client.load(MODEL)
    for port in (1, 2):
        finder.lost(port)
    pieces = client.complete(REQUEST)
    assert await anext(pieces)
    await pieces.aclose()
    finder.lost(3)
    finder.forget()
    await client.load(MODEL)  # at once, as after a first failure


async def _killed_in_flight(engine: EngineClient, home: Path) -> int:
    """Kill the engine while a request waits for a model that never comes."""
    pipe = home / "pipe.gguf"  # opening it blocks, as long as nobody writes
    if not pipe.exists():
        os.mkfifo(pipe)
    request = CompletionRequest(str(pipe), "a")
    asked = asyncio.create_task(_all(engine.complete(request)))
    async with asyncio.timeout(DEADLINE_S):
        while not await engine.statuses():
            await asyncio.sleep(0.01)
    address = lockfile.read_address()
    assert address
    os.kill(address.pid, signal.SIGKILL)
    with pytest.raises(EngineLost, match="The engine ended while it answered"):
        await asked
    end = time.monotonic() + DEADLINE_S
    while psutil.pid_exists(address.pid):
        assert time.monotonic() < end
        await asyncio.sleep(0.01)
    return address.pid


async def test_code_is_not_sent_to_a_stranger_at_the_port_of_an_engine_that_left(
    engine: EngineClient,
) -> None:
    with pytest.raises(UnknownModel):
        await engine.load("gpt-9")
    left = await launch.stop()
    assert left
    heard = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    async with await asyncio.start_server(listen, "127.0.0.1", left.port):
        with pytest.raises(UnknownModel):
            await engine.load("gpt-9")
    assert heard == []
