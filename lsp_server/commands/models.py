"""`caret models`: the registry, and what of it is on disk."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import click
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from engine.errors import CaretError, ModelDamaged
from engine.fetch import installed
from engine.fetch.partial import Partial
from engine.models import DEFAULT_FIM, MODELS, ModelEntry, find
from engine.paths import models_dir, packed_dir
from engine.shelf import kept_bytes

if TYPE_CHECKING:
    from pathlib import Path

State = Literal["installed", "partial", "damaged", "absent"]


@dataclass(frozen=True, slots=True)
class Row:
    """A model and how much of it is here."""

    entry: ModelEntry
    state: State
    bytes: int
    """On disk."""
    packed: int
    """Bytes of its packed weights."""


@click.command("models")
@click.option("--installed", "only_installed", is_flag=True, help="Only what is on disk.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def command(only_installed: bool, as_json: bool) -> None:
    """List the models that Caret knows by name, and those on disk."""
    rows = [_look(entry) for entry in [*MODELS.values(), *_pulled_by_id()]]
    if only_installed:
        rows = [row for row in rows if row.state != "absent"]
    if as_json:
        click.echo(json.dumps([_record(row) for row in rows], indent=2))
    else:
        # A pipe has no width: let a line be as long as it needs.
        console = Console(width=None if sys.stdout.isatty() else 200)
        console.print(_table(rows))
        console.print(
            f"`caret pull` gets {DEFAULT_FIM}, `caret pull NAME` another.", highlight=False
        )
        if packed := sum(row.packed for row in rows):
            said = f"Packed for this machine: {decimal(packed)} in {packed_dir()}."
            console.print(said, highlight=False, soft_wrap=True)


def _pulled_by_id() -> list[ModelEntry]:
    """Models on disk that were named by their Hugging Face id."""
    known = {entry.path for entry in MODELS.values()}
    found = []
    for path in sorted(set(models_dir().glob("*--*")) - known):
        spec = path.name.removesuffix(".partial").replace("--", "/", 1).replace("--", ":", 1)
        try:
            found.append(find(spec))
        except CaretError:  # some other file
            continue
    return found


def _look(entry: ModelEntry) -> Row:
    state: State = "absent"
    try:
        if installed(entry):
            state = "installed"
        elif Partial.found(entry.path):
            state = "partial"
    except ModelDamaged:
        state = "damaged"
    held = _bytes(entry.path) or Partial.found(entry.path)
    return Row(entry, state, held, kept_bytes(entry.path))


def _bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _record(row: Row) -> dict[str, Any]:
    entry = row.entry
    return {
        "name": entry.name,
        "parameters": entry.parameters,
        "size": entry.size,
        "architecture": entry.architecture,
        "abilities": sorted(entry.abilities),
        "fim": entry.fim,
        "chat": entry.chat,
        "context_length": entry.context_length,
        "licence": entry.licence and entry.licence.name,
        "licence_url": entry.licence and entry.licence.url,
        "repo": entry.repo,
        "file": entry.file,
        "sha256": entry.sha256,
        "state": row.state,
        "bytes_on_disk": row.bytes,
        "bytes_packed": row.packed,
        "path": str(entry.path) if row.state == "installed" else None,
    }


def _table(rows: list[Row]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))  # 80 columns in all
    table.add_column("model", no_wrap=True)
    table.add_column("params", justify="right", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("can", no_wrap=True)
    table.add_column("ctx", justify="right", no_wrap=True)
    table.add_column("licence")
    table.add_column("on disk", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row), style="bold" if row.state == "installed" else "")
    return table


def _cells(row: Row) -> list[str]:
    entry = row.entry
    return [
        entry.name,
        f"{entry.parameters / 1e9:.3g}B" if entry.parameters else "?",
        ("" if entry.sha256 else "~") + decimal(entry.size) if entry.size else "?",
        _abilities(entry),
        f"{entry.context_length // 1024}k" if entry.context_length else "?",
        entry.licence.name if entry.licence else "?",
        _on_disk(row),
    ]


def _abilities(entry: ModelEntry) -> str:
    if "auto" in (entry.fim, entry.chat):
        return "?"
    return "both" if len(entry.abilities) == 2 else next(iter(entry.abilities), "-")


def _on_disk(row: Row) -> str:
    if row.state == "partial" and row.entry.size:
        return f"{100 * row.bytes // row.entry.size} %"
    return {"installed": "yes", "absent": "-"}.get(row.state, row.state)
