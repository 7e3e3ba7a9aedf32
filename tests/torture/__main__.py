"""`make torture`: rows of hard use, one after another, each with its figures and its seed.

Exit status 1 where a figure is off. A row is a function of a seed and a scale: 1.0 is the whole
of it, and tests run a short form.
"""

from __future__ import annotations

import importlib
import secrets
import sys
import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tests.torture.figures import Figures

ROWS = {
    "keys": "tests.torture.keys",
    "hostile": "tests.torture.hostile",
    "kills": "tests.torture.kills",
    "files": "tests.torture.files",
    "protocol": "tests.torture.protocol",
    "servers": "tests.torture.servers",
}
"""Name to the module whose `run(seed, scale)` returns Figures."""


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(ROWS)))
@click.option("--seed", type=int, help="Repeat a run; any other by default.")
@click.option("--scale", type=click.FloatRange(min=0), default=1.0, show_default=True)
def main(names: tuple[str, ...], seed: int | None, scale: float) -> None:
    """Run the rows NAMES, or all."""
    seed = secrets.randbelow(1 << 32) if seed is None else seed
    off = [name for name in names or ROWS if _run(name, seed, scale).off]
    sys.exit(1 if off else 0)


def _run(name: str, seed: int, scale: float) -> Figures:
    began = time.monotonic()
    figures: Figures = importlib.import_module(ROWS[name]).run(seed, scale)
    took = time.monotonic() - began
    click.echo(f"{name} (--seed {seed} --scale {scale:g}, {took:.0f} s): {figures.told}")
    for line in figures.off:
        click.echo(f"  OFF: {line}")
    return figures


if __name__ == "__main__":
    main()
