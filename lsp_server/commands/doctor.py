"""`caret doctor`: this machine, the model that suits it, and whether a completion comes back."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table
from rich.text import Text

from engine import spawn
from engine.api import CompletionRequest
from engine.client import EngineClient
from engine.errors import CaretError, EngineUnavailable, ModelMissing
from engine.paths import models_dir
from lsp_server.demo.show import console

if TYPE_CHECKING:
    from collections.abc import Iterator

Report = dict[str, Any]
"""What `engine.doctor` prints, and under "completion" how the trial went."""

_PROMPT = "def add(a, b):\n    return "
_NEEDED_DISK = 2 * 10**9
"""Bytes: the default model, and room to download it."""


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print the facts as one JSON object.")
def command(as_json: bool) -> None:
    """Check this machine and say which model and format fit it.

    Ends with a one-line completion by that model. Exit code 1 if it does not come back.
    """
    report = examine()
    report["completion"] = asyncio.run(try_completion(report))
    if as_json:
        click.echo(json.dumps(report, indent=2))
    else:
        show(report)
    sys.exit(0 if report["completion"]["ok"] else 1)


def examine() -> Report:
    """The report of `engine.doctor`, from a process of its own, since it imports torch.

    Raises:
        EngineUnavailable: that process fails, so the engine would too.
        FolderUnavailable: there is no folder for models.
    """
    models_dir()
    done = spawn.run(spawn.python("engine.doctor"))
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise EngineUnavailable(f"The engine cannot run here: {last}. Install Caret again.")
    report: Report = json.loads(done.stdout)
    return report


async def try_completion(report: Report) -> Report:
    """One line by the chosen model, through the engine, which is started and stays for a while."""
    start = time.perf_counter()
    try:
        text = await _complete(report["choice"]["model"], report["models"])
    except CaretError as error:
        return {"ok": False, "error": str(error)}
    return {"ok": True, "text": text, "ms": round((time.perf_counter() - start) * 1000)}


async def _complete(model: str, on_disk: dict[str, int]) -> str:
    if model not in on_disk:
        raise ModelMissing(f"{model} is not on this machine. Run `caret pull {model}`.")
    request = CompletionRequest(model, _PROMPT, suffix="\n", max_tokens=16, stop=("\n",))
    client = EngineClient()
    try:
        async with aclosing(client.complete(request)) as pieces:
            return "".join([piece.text async for piece in pieces])
    finally:
        await client.aclose()


def show(report: Report) -> None:
    """Print the report for a person."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column()
    for name, line in _lines(report):
        grid.add_row(name, line)
    terminal = console()
    terminal.print(grid)
    for advice in _advice(report):
        terminal.print(Text.assemble(("→ ", "yellow"), advice))


def _lines(report: Report) -> Iterator[tuple[str, Text]]:
    cpu, memory, choice = report["processor"], report["memory"], report["choice"]
    yield "Processor", Text(f"{cpu['name']}, {cpu['cores']} cores, {cpu['threads']} threads")
    yield "", _marks(cpu["features"])
    if cpu["usable"] < cpu["cores"]:
        yield "", Text(f"a container or an affinity leaves {cpu['usable']} of them to Caret")
    limited = " that a container leaves" if memory["limited"] else ""
    room = f"{_gb(memory['available'])} available of {_gb(memory['total'])}{limited}"
    yield "Memory", Text(room)
    if memory["read_gbps"]:
        yield "", Text(f"read at {memory['read_gbps']} GB/s, which bounds the speed of decoding")
    gpus = [f"{gpu['name']}, {_gb(gpu['memory'])}" for gpu in report["gpus"]]
    yield "GPU", Text("; ".join(gpus) or "none that torch can use")
    yield "Disk", Text(f"{_gb(report['disk']['free'])} free in {report['disk']['folder']}")
    set_here = [f"{name}={value}" for name, value in report["network"]["variables"].items()]
    yield "Network", Text("\n".join(set_here) or "no proxy, the system's certificates")
    yield "Logs", Text(report["logs"])
    yield "Kernels", _marks(report["kernels"])
    yield "Versions", _versions(report["versions"])
    on_disk = [f"{name} ({_gb(size)})" for name, size in report["models"].items()]
    yield "On disk", Text(", ".join(on_disk) or "no model yet")
    yield "Choice", Text(choice["model"], "cyan")
    yield "", Text(f"because {choice['reason']}")
    yield from _plan(report["plan"], report["refusal"])
    yield "Completion", _trial(report["completion"])


def _plan(plan: Report | None, refusal: str | None) -> Iterator[tuple[str, Text]]:
    """How the engine would hold the chosen model, and what fits beside it."""
    if plan is None:
        yield "Plan", Text(f"none: {refusal}")
        return
    yield "Plan", Text(f"{plan['format']} on the {plan['device']}: {plan['reason']}", "cyan")
    positions = plan["caches"] // plan["position"]
    cached = f"there is room to cache {positions:,} tokens"
    yield "", Text(f"{_gb(plan['weights'])} of weights; {cached} ({plan['position']:,} bytes each)")


def _marks(facts: dict[str, bool]) -> Text:
    """What is there and, pale since it is no fault, what is not."""
    return Text("  ").join(_mark(ok, name, missing="dim") for name, ok in facts.items())


def _mark(ok: bool, text: str, missing: str = "red") -> Text:
    return Text.assemble(("✓ ", "green") if ok else ("✗ ", missing), text)


def _versions(versions: dict[str, str | None]) -> Text:
    return Text(", ".join(f"{name} {version or 'missing'}" for name, version in versions.items()))


def _trial(completion: Report) -> Text:
    if not completion["ok"]:
        return _mark(False, completion["error"])
    whole = (_PROMPT + completion["text"]).replace("\n", "⏎ ")
    return _mark(True, f"{whole}  ({completion['ms']} ms with starting and loading)")


def _advice(report: Report) -> Iterator[str]:
    features, choice = report["processor"]["features"], report["choice"]
    yield from report["network"]["faults"]
    if choice["model"] not in report["models"]:
        yield f"Download the model: caret pull {choice['model']}"
    if report["disk"]["free"] < _NEEDED_DISK:
        yield "The disk is almost full; CARET_HOME moves Caret's files to another one."
    if features and not features["AVX2"]:
        yield "Without AVX2 this processor computes several times slower than a newer one."


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
