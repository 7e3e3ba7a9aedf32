"""`caret bench`: becomes `python -m bench`, since nothing here may import a benchmark."""

from __future__ import annotations

import os
import sys

import click


@click.command(
    "bench",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Measure Caret beside llama.cpp. `caret bench --help` lists the benchmarks."""
    # -P: the folder it is started in is not searched for modules.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "bench", *arguments])
