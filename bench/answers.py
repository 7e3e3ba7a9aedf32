"""`caret bench answers`: typing while an answer streams, a second question, and stopping one."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import click

from bench.home import private_home
from bench.ours import running_engine
from bench.report import Figure
from bench.run import benchmark_options
from bench.sites import ROOTS
from engine.api import ChatMessage, ChatRequest, CompletionRequest, Usage
from engine.client import EngineClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bench.ours import Engine
    from bench.run import Run

_FILES = ("context.py", "scheduler.py", "predictions.py", "launch.py")
_KEYS = 6
"""Typed at each place."""
_LONG, _SHORT = 4000, 48
"""Tokens of an answer that outlasts the typing, and of one that ends."""
_SOON_S = 0.1
"""After which the engine has a request."""
_QUIET_S = 0.03
"""A process that computed nothing for so long has stopped."""
_MANY_TIMES = 8


@dataclass(frozen=True, slots=True)
class Typing:
    """Seconds from key to whole answer, in the order of the keys."""

    alone: list[float]
    beside: list[float]
    """While an answer streamed."""
    before: list[float]
    """While a question was read."""


@dataclass(frozen=True, slots=True)
class Second:
    """Tokens of a further question."""

    evaluated: int
    new: int
    """In the prompt, behind the first question and its answer."""


@click.command("answers")
@benchmark_options()
def command(run: Run) -> None:
    r"""What completion and conversation cost each other, with one model for both.

    \b
    key to answer   a line completed after each key, at places that alternate between the three
    second question tokens evaluated before the first new one
    cancel to idle  from closing a stream until no thread of the engine computes (Linux)
    """
    with run.measuring(), private_home():
        typed, second, stops = asyncio.run(_measured(run))
    alone, beside, before = (1e3 * median(typing) for typing in astuple(typed))
    figures = [
        Figure("key to answer, nothing else going on", alone, None, "ms"),
        Figure("key to answer, while an answer streams", beside, None, "ms"),
        Figure("the second by the first", beside / alone, None, "x"),
        Figure("key to answer, while a question is read", before, None, "ms"),
        Figure("this by the first", before / alone, None, "x"),
        Figure("second question, tokens evaluated", second.evaluated, None, "tokens"),
        Figure("second question, tokens that are new", second.new, None, "tokens"),
        Figure("cancel to idle, median", 1e3 * median(stops), None, "ms"),
    ]
    data = {"typing": asdict(typed), "second": asdict(second), "stops": stops}
    run.finish("answers", figures, data)


async def _measured(run: Run) -> tuple[Typing, Second, list[float]]:
    model = run.model.name
    async with running_engine() as engine:
        await engine.load(model, run.say)
        client = EngineClient()
        try:
            run.say("a second question")
            second = await _second(client, model)
            run.say("stopping")
            stops = [await _stopped(client, engine, model) for _ in range(_MANY_TIMES)]
            run.say("typing")
            return await _typed(client, model, places=6 if run.quick else 24), second, stops
        finally:
            await client.aclose()


async def _typed(client: EngineClient, model: str, places: int) -> Typing:
    typing = Typing([], [], [])
    for number, (file, at) in enumerate(_places(places)):
        if number % 3 == 0:
            typing.alone.extend(await _keys(client, model, file, at))
        elif number % 3 == 1:
            async with _talking(client, itertools.repeat(_asked(model, _LONG)), read=True):
                typing.beside.extend(await _keys(client, model, file, at))
        else:
            new = (_asked(model, 1, f"Question {number}.{n}. ") for n in itertools.count())
            async with _talking(client, new, read=False):
                typing.before.extend(await _keys(client, model, file, at))
    return typing


def _places(count: int) -> list[tuple[Path, int]]:
    """Files and places in them: the first name of lines spread over the files."""
    files = [found for root in ROOTS for name in _FILES for found in sorted(root.glob(name))]
    places = []
    for number in range(count):
        file = files[number // 3 % len(files)]
        text = file.read_text("utf-8")
        share = (number + 1) / (count + 2)
        line = text.index("\n        ", int(len(text) * share)) + 1
        places.append((file, line + 8))
    return places


async def _keys(client: EngineClient, model: str, file: Path, at: int) -> list[float]:
    """Seconds from each key to a whole line."""
    text, seconds = file.read_text("utf-8"), []
    after = text.index("\n", at)
    for typed in range(1, _KEYS + 1):
        request = CompletionRequest(
            model, text[: at + typed], text[after:], 32, one_line=True, document=str(file)
        )
        start = time.perf_counter()
        async with aclosing(client.complete(request)) as pieces:
            async for _ in pieces:
                pass
        seconds.append(time.perf_counter() - start)
    return seconds


@asynccontextmanager
async def _talking(
    client: EngineClient, requests: Iterator[ChatRequest], *, read: bool
) -> AsyncIterator[None]:
    """One answer after the other, stopped in the end; with `read`, the first one has begun."""
    begun = asyncio.Event()

    async def talk() -> None:
        for request in requests:  # a small model may end before the typing does
            async with aclosing(client.chat(request)) as pieces:
                async for _ in pieces:
                    begun.set()

    task = asyncio.create_task(talk())
    try:
        await (begun.wait() if read else asyncio.sleep(_SOON_S))
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _asked(model: str, tokens: int, before: str = "") -> ChatRequest:
    code = (ROOTS[1] / "scheduler.py").read_text("utf-8")[:2500]
    question = f"{before}Explain this code line by line, in great detail:\n\n```python\n{code}\n```"
    return ChatRequest(model, (ChatMessage("user", question),), max_tokens=tokens)


async def _second(client: EngineClient, model: str) -> Second:
    first = _asked(model, _SHORT)
    answer, usage = await _answered(client, first)
    messages = (*first.messages, ChatMessage("assistant", answer), ChatMessage("user", "Why?"))
    _, again = await _answered(client, ChatRequest(model, messages, max_tokens=1))
    new = again.prompt_tokens - usage.prompt_tokens - usage.completion_tokens
    return Second(again.prompt_tokens - again.cached_tokens, new)


async def _answered(client: EngineClient, request: ChatRequest) -> tuple[str, Usage]:
    text, usage = "", Usage()
    async with aclosing(client.chat(request)) as pieces:
        async for piece in pieces:
            text, usage = text + piece.text, piece.usage or usage
    return text, usage


async def _stopped(client: EngineClient, engine: Engine, model: str) -> float:
    """Seconds from closing a stream until the engine computes no more."""
    async with aclosing(client.chat(_asked(model, _LONG))) as pieces:
        for _ in range(6):
            await anext(pieces)
    start = idle = time.perf_counter()
    spent = _computed(engine.process.pid)
    while time.perf_counter() - idle < _QUIET_S:
        await asyncio.sleep(0.001)
        now = _computed(engine.process.pid)
        if now - spent > 100_000:
            idle, spent = time.perf_counter(), now
    return idle - start


def _computed(pid: int) -> int:
    """Nanoseconds that all threads of a process have computed for."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # a thread may end meanwhile
            total += int((task / "schedstat").read_text().split()[0])
    return total
