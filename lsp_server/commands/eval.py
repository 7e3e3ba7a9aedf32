"""`caret eval`: becomes `python -m bench.evals`, since nothing here may import a benchmark."""

from __future__ import annotations

from pathlib import Path

import click

from engine import spawn


@click.command(
    "eval",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Measure how often Caret is right. `caret eval --help` lists the evaluations."""
    # In this folder, since a person may have typed relative paths.
    spawn.become("bench.evals", *arguments, folder=Path.cwd())
