"""Caret's engine as the benchmarks use it: the real process, over HTTP, as editors do."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import psutil

from engine import launch
from engine.api import CompletionRequest, Sampling, Usage
from engine.client import EngineClient
from engine.errors import CaretError, EngineLost
from engine.launch import LaunchOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from engine.lockfile import Address

PLAIN = Sampling(speculate=False)
"""The most likely token, without drafts: each costs a pass of its own."""
IDLE_MINUTES = 10.0
"""An engine that a killed benchmark has left behind goes by itself."""
_METRIC = re.compile(r'^(\w+)\{kind="completion".*\} (\S+)$', re.MULTILINE)
_POLL_S = 0.02
_SETTLE_S = 0.25
_REST_S = 0.2
"""A process that used no processor time for so long is at rest."""


@dataclass(frozen=True, slots=True)
class Written:
    """A completion that the engine wrote."""

    text: str
    usage: Usage
    seconds: float
    """From the request to the last piece."""
    first_seconds: float
    """From the request to the first piece."""


class Engine:
    """The running engine."""

    def __init__(self, client: EngineClient, address: Address) -> None:
        self._client, self._address = client, address
        self.process = psutil.Process(address.pid)

    async def load(self, model: str, report: Callable[[str], None] = lambda _: None) -> float:
        """Bring a model into memory; seconds that it took.

        Raises:
            CaretError: it cannot be loaded.
        """
        start = time.perf_counter()
        status = await self._client.load(model)
        while status.phase != "ready":
            if status.phase == "failed":
                raise CaretError(status.error)
            await asyncio.sleep(_POLL_S)
            told = await self._client.statuses()
            if not told:
                raise EngineLost("The engine is gone. Its log, engine.log, may say why.")
            status = next(found for found in told if found.name == status.name)
            report(f"{status.phase} {status.done} of {status.total}")
        return time.perf_counter() - start

    async def write(
        self, model: str, prompt: str, max_tokens: int, sampling: Sampling | None = None
    ) -> Written:
        """Continue `prompt`."""
        request = CompletionRequest(
            model, prompt, max_tokens=max_tokens, sampling=sampling or Sampling()
        )
        start, first, text, usage = time.perf_counter(), 0.0, "", Usage()
        async with aclosing(self._client.complete(request)) as pieces:
            async for piece in pieces:
                first = first or time.perf_counter() - start
                text, usage = text + piece.text, piece.usage or usage
        return Written(text, usage, time.perf_counter() - start, first)

    async def metrics(self) -> dict[str, float]:
        """What completions counted; what is read ahead, for nobody yet, does not."""
        async with httpx.AsyncClient(trust_env=False, verify=False) as http:
            page = await http.get(f"{self._address.url}/metrics", headers=self._address.headers)
        return parse_metrics(page.text)

    async def settled(self) -> dict[str, float]:
        """The metrics once every request has ended: one that was closed has a step to go."""
        deadline = time.monotonic() + _SETTLE_S
        while True:
            told = await self.metrics()
            ended = told.get("caret_requests_total") == told.get("caret_requests_started_total")
            if ended or time.monotonic() > deadline:
                return told
            await asyncio.sleep(_POLL_S / 4)


def parse_metrics(page: str) -> dict[str, float]:
    """Prometheus' text format: what completions counted, by family, summed over other labels."""
    found: dict[str, float] = {}
    for name, value in _METRIC.findall(page):
        found[name] = found.get(name, 0.0) + float(value)
    return found


@asynccontextmanager
async def running_engine(options: LaunchOptions | None = None) -> AsyncIterator[Engine]:
    """An engine in the present CARET_HOME, ended afterwards."""
    options = options or LaunchOptions(idle_minutes=IDLE_MINUTES)
    address = await launch.connect(options)
    async with _ended(EngineClient(options), address) as engine:
        yield engine


@asynccontextmanager
async def attached_engine() -> AsyncIterator[Engine]:
    """The engine that a language server has started in the present CARET_HOME; ended afterwards."""
    address = await launch.running()
    if address is None:
        raise EngineLost("The language server has started no engine.")
    async with _ended(EngineClient(), address) as engine:
        yield engine


@asynccontextmanager
async def _ended(client: EngineClient, address: Address) -> AsyncIterator[Engine]:
    try:
        yield Engine(client, address)
    finally:
        await client.aclose()
        await launch.stop()


async def at_rest(process: psutil.Process, limit_s: float = 10.0) -> None:
    """Wait until a process computes nothing, so that the other side has the machine."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        before = sum(process.cpu_times()[:2])
        await asyncio.sleep(_REST_S)
        if sum(process.cpu_times()[:2]) - before < 0.1 * _REST_S:
            return
