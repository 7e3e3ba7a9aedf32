"""`caret bench`: becomes `python -m bench`, since nothing here may import a benchmark."""

from __future__ import annotations

import click

from engine import spawn


@click.command(
    "bench",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Measure Caret beside llama.cpp. `caret bench --help` lists the benchmarks."""
    spawn.become("bench", *arguments)
