"""`caret bench load`: from nothing to the first token."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from bench.home import private_home
from bench.llama_server import flags, llama_server
from bench.ours import running_engine
from bench.report import Figure
from bench.run import benchmark_options

if TYPE_CHECKING:
    from pathlib import Path

    from bench.run import Run

_PROMPT = "def add(a, b):\n    return "
_READ = 16 << 20


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds since the process was started."""

    ready: float
    """Until the server said that the model is in memory."""
    first_token: float
    """Until the first token of a short prompt came."""


@click.command("load")
@benchmark_options()
def command(run: Run) -> None:
    r"""Seconds from the start of the server's process to the first token.

    \b
    first start     Caret packs the weights for this machine; llama.cpp maps the file as it is
    second start    Caret finds what it packed

    The file is read once before, so that each start finds it in the system's memory: what is
    measured is computing, not the disk.
    """
    with run.measuring(), private_home(packed=False):
        run.say("reading the file")
        _read(run.model.path)
        ours = [asyncio.run(_caret(run, name)) for name in ("first", "second")]
        peer = [asyncio.run(_llama(run, name)) for name in ("first", "second")] if run.peer else []
    run.finish(
        "load",
        [
            figure
            for index, name in enumerate(("first start", "second start"))
            for figure in _figures(name, ours[index], peer[index] if peer else None)
        ],
        data={"caret": list(map(asdict, ours)), "peer": list(map(asdict, peer))},
        flags=flags(),
    )


def _figures(name: str, ours: Start, peer: Start | None) -> list[Figure]:
    return [
        Figure(f"{name}, ready", ours.ready, peer.ready if peer else None, "s"),
        Figure(f"{name}, first token", ours.first_token, peer.first_token if peer else None, "s"),
    ]


def _read(file: Path) -> None:
    with file.open("rb") as stream:
        while stream.read(_READ):
            pass


async def _caret(run: Run, name: str) -> Start:
    run.say(f"Caret, {name} start")
    start = time.perf_counter()
    async with running_engine() as engine:
        await engine.load(run.model.name, run.say)
        ready = time.perf_counter() - start
        await engine.write(run.model.name, _PROMPT, max_tokens=1)
        return Start(ready, time.perf_counter() - start)


async def _llama(run: Run, name: str) -> Start:
    assert run.peer is not None
    run.say(f"llama.cpp, {name} start")
    start = time.perf_counter()
    async with llama_server(run.peer, run.model.path) as server:
        await server.write(_PROMPT, max_tokens=1)
        return Start(server.ready_s, time.perf_counter() - start)
