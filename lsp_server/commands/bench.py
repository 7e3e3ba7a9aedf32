"""`caret bench`: becomes `python -m bench`, since nothing here may import a benchmark."""

from __future__ import annotations

from pathlib import Path

import click

from engine import spawn


@click.command(
    "bench",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Measure Caret beside llama.cpp. `caret bench --help` lists the benchmarks."""
    # In this folder, since a person may have typed relative paths.
    spawn.become("bench", *arguments, folder=Path.cwd())
