"""`caret quantize`: becomes another program, since nothing here may import torch."""

from __future__ import annotations

from pathlib import Path

import click

from engine import spawn
from engine.models import find


@click.command("quantize")
@click.argument("model")
@click.argument("fmt", metavar="[FORMAT]", required=False)
@click.option("--report", is_flag=True, help="Measure the formats instead.")
@click.option("--format", "names", multiple=True, help="With --report: only this one, and float32.")
def command(model: str, fmt: str | None, report: bool, names: tuple[str, ...]) -> None:
    """Pack MODEL in FORMAT ahead of time, or measure its formats with --report.

    Packed weights are kept on disk, so that the first start takes as long as the others. One
    format of a model is kept: another one takes its place.

    The report has size, agreement with float32 on code, and speed. It takes minutes, and memory
    for the model in float32; docs/formats.md has what came out elsewhere.
    """
    if report == bool(fmt):
        raise click.UsageError("Give a FORMAT to pack the model in, or --report, and not both.")
    if names and not report:
        raise click.UsageError("--format belongs to --report.")
    name = find(model).name  # a path becomes absolute
    if fmt:
        spawn.become("engine.quantize", "--", name, fmt)
    given = [f"--format={name}" for name in names]
    spawn.become("bench.formats", name, f"--json={Path.cwd() / 'formats.json'}", *given)
