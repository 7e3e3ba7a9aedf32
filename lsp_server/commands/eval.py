"""`caret eval`: becomes `python -m bench.evals`, since nothing here may import a benchmark."""

from __future__ import annotations

import os
import sys

import click


@click.command(
    "eval",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Measure how often Caret is right. `caret eval --help` lists the evaluations."""
    # -P: the folder it is started in is not searched for modules.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "bench.evals", *arguments])
