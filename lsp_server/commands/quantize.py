"""`caret quantize`: becomes `python -m bench.formats`, since nothing here may import torch."""

from __future__ import annotations

import os
import sys

import click


@click.command("quantize")
@click.argument("model")
@click.option("--report", is_flag=True, required=True, expose_value=False, help="Measure.")
@click.option("--format", "names", multiple=True, help="Only this one, and float32.")
def command(model: str, names: tuple[str, ...]) -> None:
    """Measure the formats of MODEL: size, agreement with float32 on code, and speed.

    Takes minutes, and memory for the model in float32. docs/formats.md has what came out elsewhere.
    """
    given = [f"--format={name}" for name in names]
    # -P: the folder it is started in is not searched for modules.
    arguments = ["-P", "-m", "bench.formats", model, "--json=formats.json", *given]
    os.execv(sys.executable, [sys.executable, *arguments])
