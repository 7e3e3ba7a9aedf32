"""What an evaluation came to: for a person, and as the file that the docs are made from."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from bench import machine
from bench.evals.intervals import Measure

if TYPE_CHECKING:
    from rich.console import Console

    from bench.machine import Facts


@dataclass(frozen=True, slots=True)
class Summary:
    """One evaluation of one model by one way."""

    asked: dict[str, Any]
    """All that the answers depend on; `task` and `model` always."""
    samples: int
    seconds: float
    """Of this run; a part of all where it went on from a record."""
    measures: list[Measure]
    notes: list[str]
    date: str
    """UTC, ISO 8601."""
    command: str
    machine: Facts
    versions: Facts

    def save(self, path: Path) -> None:
        """As JSON; `load` reads it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")


def load(path: Path) -> Summary:
    """What `Summary.save` wrote."""
    told = json.loads(path.read_text("utf-8"))
    return Summary(**told | {"measures": [Measure(**found) for found in told["measures"]]})


def circumstances() -> dict[str, Any]:
    """Where and by what command, for `Summary`."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["caret", "eval", *map(_shareable, sys.argv[1:])]),
        "machine": machine.machine(),
        "versions": machine.versions(),
    }


def _shareable(argument: str) -> str:
    """Without the folders of this machine."""
    path = Path(argument)
    return path.name if path.is_absolute() else argument


def show(summary: Summary, console: Console, record: Path) -> None:
    """Print it for a person."""
    asked = ", ".join(f"{name} {value}" for name, value in summary.asked.items() if value)
    console.print(Text(f"{asked}: {summary.samples} samples"))
    table = Table("figure", box=None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("value (95 % confidence)", justify="right")
    for measure in summary.measures:
        table.add_row(Text(measure.name), Text(measure.text()))
    console.print(table)
    for note in [*summary.notes, f"Each sample: {record}"]:
        console.print(Text(note, "dim"))
