"""The engine as a program: `python -m engine`. Clients start it; `caret engine` does by hand."""

from __future__ import annotations

import os
from typing import Literal

import click
import psutil

from engine import limits, preload


@click.command()
@click.option("--port", default=0, show_default="any free one", help="Port on 127.0.0.1.")
@click.option("--idle-minutes", default=30.0, show_default=True, help="Leave after; 0: never.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads to compute with.")
@click.option("--memory", type=click.FloatRange(min=0), help="GB that the engine may use.")
@click.option("--format", "fmt", default="", help="Weight format, where a client wishes none.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto")
def main(
    port: int,
    idle_minutes: float,
    threads: int | None,
    memory: float | None,
    fmt: str,
    device: Literal["auto", "cpu", "cuda"],
) -> None:
    """Serve Caret's models on the loopback interface, as the user's one engine."""
    _tune_torch(threads)
    preload.begin()
    from engine.process import serve  # only now, so that torch is loaded meanwhile

    limit = None if memory is None else int(memory * 2**30)
    serve(port, idle_minutes * 60, fmt, device, limit)


def _tune_torch(threads: int | None) -> None:
    """Settings that torch and OpenMP read when they are loaded."""
    if threads is None and "OMP_NUM_THREADS" not in os.environ:
        threads = _fewer_threads()
    if threads is not None:
        # Valid on every thread, unlike a call to torch.set_num_threads.
        os.environ["OMP_NUM_THREADS"] = str(threads)
    # An editor and its other servers share these cores: a thread that spins for one which they
    # have displaced takes the core that this one needs, and decoding becomes several times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Huge pages: half of the time to read a model is page faults of fresh matrices.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def _fewer_threads() -> int | None:
    """Return how many threads may run at once, where torch would start more."""
    usable = limits.processors()
    return usable if usable < (psutil.cpu_count(logical=False) or usable) else None


if __name__ == "__main__":
    main()
