"""`caret bench context`: what it costs to index a made-up workspace, and to gather in it."""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
import psutil

from bench.workspace import Workspace, workspace
from engine import spawn
from lsp_server.documents import Document

if TYPE_CHECKING:
    from collections.abc import Coroutine

FILES, PLACES = 5_000, 200
_BURNER = (sys.executable, "-I", "-c", "while True: pass")
_NOUNS = [
    "order",
    "basket",
    "ledger",
    "parcel",
    "invoice",
    "sensor",
    "frame",
    "widget",
    "customer",
    "stock",
    "batch",
    "route",
]
_VERBS = [
    "load",
    "store",
    "merge",
    "check",
    "parse",
    "render",
    "count",
    "split",
    "close",
    "reset",
    "ship",
    "weigh",
]


def write_workspace(root: Path, files: int) -> list[Path]:
    """Python modules in packages of fifty that import and call one another; about 5 KB each."""
    dice = random.Random(0)
    paths = [root / f"pkg{n // 50}" / f"module{n}.py" for n in range(files)]
    for number, path in enumerate(paths):
        path.parent.mkdir(exist_ok=True)
        path.write_text(_module(number, files, dice))
    return paths


def _module(number: int, files: int, dice: random.Random) -> str:
    others = [dice.randrange(files) for _ in range(4)]
    parts = [f"from pkg{n // 50}.module{n} import {_name(n, 0)}" for n in others]
    for member in range(16):
        noun, callee = dice.choice(_NOUNS), _name(dice.choice(others), 0)
        name = _name(number, member)
        parts.append(
            f"\n\ndef {name}({noun}_{member}: int, limit: int = {member}) -> int:\n"
            f'    """{dice.choice(_VERBS).title()} the {noun} as far as the limit allows."""\n'
            f"    total_{noun} = {callee}({noun}_{member})\n"
            f"    if total_{noun} > limit:\n        return limit\n"
            f"    return total_{noun} + {dice.randrange(1000)}"
        )
    return "\n".join(parts) + "\n"


def _name(module: int, member: int) -> str:
    verb = _VERBS[(module + member) % len(_VERBS)]
    noun = _NOUNS[(module * 7 + member) % len(_NOUNS)]
    return f"{verb}_{noun}_{module}" if member == 0 else f"{verb}_{noun}_{module % 97}_{member}"


async def gather_times(space: Workspace, paths: list[Path]) -> list[tuple[float, bool]]:
    """Milliseconds, and whether anything was found, at places in different files; ascending."""
    times: list[tuple[float, bool]] = []
    for path in random.Random(1).sample(paths, PLACES):
        document = Document.open(path.as_posix(), "python", path.read_text())
        found, milliseconds = await space.gather(document, 40, 4)
        times.append((milliseconds, bool(found)))
        await asyncio.sleep(0.02)
    return sorted(times)


def _report(name: str, times: list[tuple[float, bool]]) -> None:
    p50, p95, most = (times[int(len(times) * part)][0] for part in (0.5, 0.95, 0.9999))
    found = sum(found for _, found in times) / len(times)
    click.echo(f"{name}: p50 {p50:.1f}, p95 {p95:.1f}, max {most:.1f} ms; in time {found:.0%}")


async def measure(files: int) -> None:
    """Index, then gather."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        paths = write_workspace(root, files)
        size = sum(path.stat().st_size for path in paths)
        began = time.perf_counter()
        async with workspace(root) as space:
            peak = await _peak_while(space.indexed())
            seconds = time.perf_counter() - began
            click.echo(f"{files} files, {size / 1e6:.1f} MB: {seconds:.1f} s, {peak >> 20} MiB")
            _report("idle", await gather_times(space, paths))
            burners = [spawn.start(_BURNER) for _ in range(_cores())]
            _report("busy", await gather_times(space, paths))
            for burner in burners:
                burner.kill()
                burner.wait()


async def _peak_while(work: Coroutine[None, None, int]) -> int:
    """Bytes that the index's process, our only one, had at most until `work` was done."""
    (process,) = psutil.Process().children()
    done, peak = asyncio.ensure_future(work), 0
    while not done.done():
        peak = max(peak, process.memory_info().rss)
        await asyncio.sleep(0.02)
    return peak


def _cores() -> int:
    return psutil.cpu_count() or 1


@click.command("context")
@click.option("--files", default=FILES, show_default=True, type=click.IntRange(PLACES))
def command(files: int) -> None:
    """Index a made-up workspace and gather in it.

    Prints how long the files take to index, the memory of the index's process, and how long the
    request path waits at a new place, with the processor idle and with as many busy processes as it
    has cores.
    """
    asyncio.run(measure(files))
