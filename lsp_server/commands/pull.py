"""`caret pull`: download a model."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars

from engine import licences
from engine.errors import FetchError, LicenceNotAccepted
from engine.fetch import Progress, Report, pull
from engine.models import DEFAULT_FIM, ModelEntry, find

if TYPE_CHECKING:
    from pathlib import Path


@click.command("pull")
@click.argument("model", default=DEFAULT_FIM)
@click.option("--accept-licence", is_flag=True, help="Accept what MODEL's publisher asks.")
def command(model: str, accept_licence: bool) -> None:
    """Download MODEL and verify it; what an earlier attempt got is not fetched again.

    MODEL is a name that `caret models` lists, a model on the Hugging Face Hub (owner/name for
    safetensors, owner/name:file.gguf for a GGUF file), or a local path, which is only checked.
    Without it, the default model. Where its publisher asks you to accept a licence, so does this,
    once; the environment variable CARET_ACCEPT_LICENCE (names, or all) answers for you.
    """
    entry = find(model)
    settle_licence(entry, accepted=accept_licence)
    console = Console(stderr=True)
    try:
        path = (_with_bar if console.is_terminal else _with_lines)(entry, console)
    except KeyboardInterrupt:
        raise FetchError(f"Stopped. `caret pull {entry.name}` goes on from here.") from None
    click.echo(f"{entry.name} is at {path}")


def settle_licence(entry: ModelEntry, *, accepted: bool) -> None:
    """Ask for what is still to be accepted before a download, where somebody can answer.

    Raises:
        LicenceNotAccepted: The answer is no, or nobody can be asked.
    """
    licence = licences.wanted(entry.licence)
    if licence is None or entry.path.exists():
        return
    if not accepted and not sys.stdin.isatty():
        licences.require(entry.name, licence)
    click.echo(licences.describe(entry.name, licence), err=True)
    if not accepted and not click.confirm("Do you accept?", err=True):
        raise LicenceNotAccepted("Nothing was downloaded, since the licence was not accepted.")
    licences.accept(licence)


def _with_bar(entry: ModelEntry, console: Console) -> Path:
    columns = [
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    ]
    with Bars(*columns, console=console) as bars:
        return pull(entry, _bar(entry, bars))


def _bar(entry: ModelEntry, bars: Bars) -> Report:
    tasks: list[TaskID] = []

    def show(progress: Progress) -> None:
        text = f"{entry.name} from {progress.source}"
        if not tasks:  # only now, so that bytes of an earlier attempt do not count as speed
            tasks.append(bars.add_task(text, completed=progress.done))
        bars.update(tasks[0], description=text, completed=progress.done, total=progress.total)

    return show


def _with_lines(entry: ModelEntry, console: Console) -> Path:
    """For a log: a line at the start and at every tenth."""
    shown: list[tuple[str, int]] = []

    def show(progress: Progress) -> None:
        tenth = 10 * progress.done // (progress.total or progress.done or 1)
        if shown[-1:] == [(progress.source, tenth)]:
            return
        shown.append((progress.source, tenth))
        total = f" of {decimal(progress.total)}" if progress.total else ""
        console.print(f"{entry.name} from {progress.source}: {decimal(progress.done)}{total}")

    return pull(entry, show)
