"""`caret bench memory`: what stays resident, after loading and with a long context."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import psutil

from bench.editor import caret_editor
from bench.home import private_home
from bench.llama_server import flags, llama_server
from bench.ours import attached_engine
from bench.report import Figure
from bench.run import benchmark_options
from bench.texts import Texts

if TYPE_CHECKING:
    from bench.run import Run

_MB = 1e6


@dataclass(frozen=True, slots=True)
class Resident:
    """Bytes of a process."""

    rss: int
    """All of its pages that are in memory; those of the mapped model too."""
    pss: int | None
    """The same, with pages that others share divided among them; None where the system has none."""
    peak: int | None
    """The largest `rss` so far; None where the system does not say."""


def resident(process: psutil.Process) -> Resident:
    """As the system counts now."""
    told = process.memory_full_info()
    return Resident(told.rss, getattr(told, "pss", None), _peak(process.pid))


def _peak(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return None
    found = [line.split() for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0][1]) * 1024 if found else None


@dataclass(frozen=True, slots=True)
class Sizes:
    """One side at three moments; `editors` are its language servers, none for llama.vim."""

    loaded: Resident
    long: Resident
    editors: list[Resident]


@click.command("memory")
@benchmark_options()
@click.option("--context", type=click.IntRange(2, 8000), help="Tokens.  [default: 4096]")
def command(run: Run, context: int | None) -> None:
    r"""Memory of both servers, after loading and after a long context; with two editors.

    \b
    resident    all pages of the server that are in memory
    share       the same, but a page that several processes share counts in parts (PSS)
    peak        the most that was resident at any time, loading included
    two editors the engine and two language servers together, by their shares; llama.vim has
                none, so there the server alone

    --quick takes a context of 512 tokens.
    """
    context = context or (512 if run.quick else 4096)
    with run.measuring(), private_home(packed=False):
        ours = asyncio.run(_caret(run, context))
        peer = asyncio.run(_llama(run, context)) if run.peer else None
    run.finish(
        "memory",
        _figures(ours, peer, context),
        data={"caret": asdict(ours), "peer": asdict(peer) if peer else None},
        flags=flags(),
    )


async def _caret(run: Run, context: int) -> Sizes:
    async with AsyncExitStack() as stack:
        editors = []
        for number in (1, 2):
            run.say(f"editor {number}: loading the model")
            editors.append(await stack.enter_async_context(caret_editor(run.model.name, run.say)))
        engine = await stack.enter_async_context(attached_engine())
        loaded = resident(engine.process)
        run.say(f"Caret reads {context} tokens")
        await engine.write(run.model.name, Texts(run.model.path).take(context), max_tokens=1)
        servers = [
            resident(child)
            for child in psutil.Process().children()
            if child.pid != engine.process.pid and "lsp_server" in child.cmdline()
        ]
        return Sizes(loaded, resident(engine.process), servers)


async def _llama(run: Run, context: int) -> Sizes:
    assert run.peer is not None
    run.say("llama.cpp loads the model")
    async with llama_server(run.peer, run.model.path) as server:
        loaded = resident(server.process)
        run.say(f"llama.cpp reads {context} tokens")
        await server.write(Texts(run.model.path).take(context), max_tokens=1)
        return Sizes(loaded, resident(server.process), [])


def _figures(ours: Sizes, peer: Sizes | None, context: int) -> list[Figure]:
    after = f"after {context} tokens"
    return [
        _figure("after loading, resident", ours.loaded.rss, peer.loaded.rss if peer else None),
        _figure("after loading, share", ours.loaded.pss, peer.loaded.pss if peer else None),
        _figure(f"{after}, resident", ours.long.rss, peer.long.rss if peer else None),
        _figure(f"{after}, share", ours.long.pss, peer.long.pss if peer else None),
        _figure("peak", ours.long.peak, peer.long.peak if peer else None),
        _figure("a language server, share", ours.editors[0].pss, None),
        _figure("two editors, all together", _together(ours), _together(peer) if peer else None),
    ]


def _together(sizes: Sizes) -> int | None:
    shares = [sizes.long.pss, *(editor.pss for editor in sizes.editors)]
    known = [share for share in shares if share is not None]
    return sum(known) if len(known) == len(shares) else None


def _figure(name: str, ours: int | None, peer: int | None) -> Figure:
    in_mb = [None if size is None else size / _MB for size in (ours, peer)]
    return Figure(name, in_mb[0], in_mb[1], "MB")
