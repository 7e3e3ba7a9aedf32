"""`caret bench 7b`: Code Llama 7B in shape, with random weights."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.home import private_home
from bench.llama_server import flags, llama_server
from bench.memory import resident
from bench.ours import IDLE_MINUTES, PLAIN, running_engine
from bench.random_model import Shape, write_random_model
from bench.report import Figure
from bench.run import Model, benchmark_options
from engine.errors import DiskFull
from engine.launch import LaunchOptions

if TYPE_CHECKING:
    from bench.run import Run

_CONTEXT = 2048
"""Of llama-server: as much as this benchmark needs."""
_ROOM = 3.0
"""Times the file: itself, what Caret packs of it, and some air."""

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Measured:
    """One side."""

    load_s: float
    """Until the first token of a short prompt, with what was packed before."""
    prefill: float
    """Tokens a second."""
    decode: float
    """Milliseconds a token."""
    peak: int | None
    """Bytes resident at most, while loading, reading and writing; None if the system is silent."""
    first_load_s: float | None = None
    """Where weights are packed before."""
    first_peak: int | None = None
    packed: int | None = None
    """Bytes of what was packed."""


@click.command("7b")
@benchmark_options(model=False)
@click.option("--memory", type=click.FloatRange(min=0), help="GB that Caret's engine may use.")
@click.option("--prompt", type=click.IntRange(2, 1500), default=256, show_default=True)
@click.option("--tokens", type=click.IntRange(2), default=16, show_default=True, help="To write.")
@click.option("--folder", type=_FOLDER, help="For the file, instead of the temporary folder.")
def command(
    run: Run, *, memory: float | None, prompt: int, tokens: int, folder: Path | None
) -> None:
    r"""A model in the shape of Code Llama 7B: packed size, memory and speed.

    Writes random weights as a GGUF file in Q4_0 (3.8 GB), has both sides run it, and deletes it.
    Speed and memory do not depend on the values, so this stands for the real model where that
    cannot be downloaded.

    \b
    packed          what Caret holds, beside the file that llama.cpp maps
    peak            the most that was resident; "packing" is the first start
    prefill, decode as in `caret bench prefill` and `caret bench decode` (plain)

    Takes some minutes and 12 GB of disk. --quick: 4 layers of 32.
    """
    shape = Shape(layers=4) if run.quick else Shape()
    place = folder or Path(tempfile.gettempdir())
    _require_room(place, shape)
    with run.measuring(), tempfile.TemporaryDirectory(prefix="caret-bench-7b-", dir=place) as made:
        path = Path(made) / "random-codellama-7b.Q4_0.gguf"
        write_random_model(path, shape, run.say)
        run.model = Model(str(path), path)
        size = path.stat().st_size
        with private_home(packed=False) as home:
            ours = asyncio.run(_caret(run, home, prompt, tokens, memory))
        peer = asyncio.run(_llama(run, prompt, tokens)) if run.peer else None
        run.finish(
            "7b",
            _figures(ours, peer, size),
            data={
                "shape": asdict(shape),
                "caret": asdict(ours),
                "peer": asdict(peer) if peer else None,
            },
            notes=[f"{shape.layers} layers of 32; {prompt} tokens read, {tokens} written."],
            flags=flags(_CONTEXT),
        )


def _require_room(place: Path, shape: Shape) -> None:
    needed, free = _ROOM * shape.bytes, shutil.disk_usage(place).free
    if free < needed:
        raise DiskFull(
            f"{place} has {free / 1e9:.1f} GB free, and {needed / 1e9:.1f} GB are needed. "
            "--folder names another place."
        )


async def _caret(run: Run, home: Path, prompt: int, tokens: int, memory: float | None) -> Measured:
    options = LaunchOptions(idle_minutes=IDLE_MINUTES, memory=memory)
    model = run.model.name
    async with running_engine(options) as engine:
        first_load = await engine.load(model, lambda told: run.say(f"Caret packs: {told}"))
        await engine.write(model, _text(1), max_tokens=1)
        first_peak = resident(engine.process).peak
    async with running_engine(options) as engine:
        load = await engine.load(model, lambda told: run.say(f"Caret loads: {told}"))
        await engine.write(model, _text(1), max_tokens=1)
        run.say("Caret reads and writes")
        usage = (await engine.write(model, _text(prompt), tokens, PLAIN)).usage
        read = usage.prompt_tokens - usage.cached_tokens
        return Measured(
            load_s=load,
            prefill=read / usage.prefill_ms * 1000,
            decode=usage.decode_ms / max(usage.completion_tokens - 1, 1),
            peak=resident(engine.process).peak,
            first_load_s=first_load,
            first_peak=first_peak,
            packed=_packed_bytes(home),
        )


def _packed_bytes(home: Path) -> int | None:
    """Of what Caret keeps of the model in its home; None where it keeps nothing."""
    sizes = [path.stat().st_size for path in (home / "packed").glob("*.safetensors")]
    return sum(sizes) or None


async def _llama(run: Run, prompt: int, tokens: int) -> Measured:
    assert run.peer is not None
    run.say("llama.cpp loads")
    async with llama_server(run.peer, run.model.path, flags(_CONTEXT)) as server:
        await server.write(_text(1), max_tokens=1)
        run.say("llama.cpp reads and writes")
        answer = await server.write(_text(prompt), tokens)
        return Measured(
            load_s=server.ready_s,
            prefill=answer.prompt_tokens / answer.prompt_ms * 1000,
            decode=answer.decode_ms / max(answer.tokens - 1, 1),
            peak=resident(server.process).peak,
        )


def _text(tokens: int) -> str:
    """So many characters, of which the random vocabulary makes a token each."""
    return ("f(x)=x*2;" * tokens)[:tokens]


def _figures(ours: Measured, peer: Measured | None, size: int) -> list[Figure]:
    packed = ours.packed
    by_packed = ours.peak / packed if ours.peak and packed else None
    by_file = peer.peak / size if peer and peer.peak else None
    peer_load, peer_peak = (peer.load_s, _gb(peer.peak)) if peer else (None, None)
    speeds = (peer.prefill, peer.decode) if peer else (None, None)
    return [
        Figure("weights, packed", _gb(packed), size / 1e9, "GB"),
        Figure("first start (packing)", ours.first_load_s, peer_load, "s"),
        Figure("second start", ours.load_s, peer_load, "s"),
        Figure("peak, packing", _gb(ours.first_peak), peer_peak, "GB"),
        Figure("peak, second start", _gb(ours.peak), peer_peak, "GB"),
        Figure("peak by weights, second start", by_packed, by_file, ""),
        Figure("prefill", ours.prefill, speeds[0], "tokens/s", less_is_better=False),
        Figure("decode, plain", ours.decode, speeds[1], "ms/token"),
    ]


def _gb(size: int | None) -> float | None:
    return None if size is None else size / 1e9
