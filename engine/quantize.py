"""Packs a model ahead of time, as its first start would: `python -m engine.quantize MODEL FORMAT`.

A process of its own, so that whoever asks need not import torch.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from engine.checkpoint import open_checkpoint
from engine.errors import (
    CaretError,
    EngineError,
    FolderUnavailable,
    ModelMissing,
    RequestError,
    UnsupportedModel,
)
from engine.load import stored
from engine.models import find
from engine.shelf import Place
from quant.formats import FORMATS, PACKING

if TYPE_CHECKING:
    from pathlib import Path

    from engine.checkpoint import Checkpoint


@click.command()
@click.argument("model")
@click.argument("fmt", metavar="FORMAT", type=click.Choice(list(FORMATS)))
def main(model: str, fmt: str) -> None:
    """Pack MODEL in FORMAT and keep that on disk."""
    try:
        click.echo(quantize(model, fmt))
    except CaretError as error:
        click.echo(f"caret: {error}", err=True)
        sys.exit(1)


def quantize(model: str, fmt: str) -> str:
    """Have the packed weights on disk, whole; returns a sentence that says where.

    Raises:
        CaretError: There is no such model here, it or the format has no store, or no room.
    """
    checkpoint = opened(model)
    if not FORMATS[fmt].storable:
        others = ", ".join(name for name, each in FORMATS.items() if each.storable)
        raise RequestError(
            f"{fmt} is not kept on disk: every start packs it in memory. Kept are {others}."
        )
    try:
        place = Place.of(checkpoint.path, fmt, PACKING)
        before = _stamp(place.path)
        _store(checkpoint, model, fmt)
    except FolderUnavailable:
        raise
    except OSError as error:
        raise EngineError(
            f"Packed weights cannot be kept: {error.strerror} ({error.filename}). CARET_HOME moves "
            "Caret's files to another disk."
        ) from None
    done = "is already packed" if _stamp(place.path) == before else "is packed now"
    return f"{model} {done} as {fmt}: {decimal(place.path.stat().st_size)} at {place.path}"


def opened(model: str) -> Checkpoint:
    """A model on this machine that formats apply to.

    Raises:
        CaretError: There is no such model here, or transformers runs it.
    """
    entry = find(model)
    if not entry.path.exists():
        raise ModelMissing(f"{entry.name} is not on this machine. Run `caret pull {entry.name}`.")
    checkpoint = open_checkpoint(entry.path)
    if checkpoint.config is None:
        raise UnsupportedModel(f"{entry.name} runs through transformers, always in float32.")
    return checkpoint


def _store(checkpoint: Checkpoint, model: str, fmt: str) -> None:
    """Write the store, or read through the one that is there; draws a bar in a terminal."""
    console = Console(stderr=True)
    columns = [TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        task = bars.add_task(f"{model} as {fmt}", total=None)
        stored(
            checkpoint,
            fmt,
            lambda done, total: bars.update(task, completed=done, total=total or None),
        )


def _stamp(path: Path) -> tuple[int, int] | None:
    """Changes when the file is written anew."""
    if not path.exists():
        return None
    stat = path.stat()
    return stat.st_ino, stat.st_mtime_ns


if __name__ == "__main__":
    main(prog_name="caret quantize")
