"""What a benchmark found: for a person, for a file, and for the docs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from bench.machine import Facts

PEER = "llama.cpp"
_NOTHING = 0.01
"""Of any unit: what is less is shown as 0, and nothing is many times it."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing, on both sides."""

    name: str
    ours: float | None
    """None where it does not apply, or was not measured."""
    peer: float | None
    unit: str
    less_is_better: bool = True

    @property
    def ratio(self) -> float | None:
        """Ours by the peer's; None without both, and where the peer's is nothing."""
        if self.ours is None or self.peer is None or self.peer < _NOTHING:
            return None
        return self.ours / self.peer

    @property
    def won(self) -> bool | None:
        """Whether ours is the better one; None without both."""
        ratio = self.ratio
        return None if ratio is None else (ratio < 1) == self.less_is_better


@dataclass(frozen=True, slots=True)
class Report:
    """One run of one benchmark."""

    benchmark: str
    date: str
    """UTC, ISO 8601."""
    command: str
    machine: Facts
    versions: Facts
    model: Facts
    peer: Facts
    """Empty when there was none."""
    busy: tuple[float, float]
    """Percent of all cores in use by others before and after."""
    seconds: float
    """How long the benchmark took."""
    figures: list[Figure]
    notes: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    """Everything that was measured, as the benchmark keeps it."""

    def save(self, path: Path) -> None:
        """As JSON; `load` reads it."""
        told = asdict(self) | {"figures": [_with_ratio(figure) for figure in self.figures]}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


def load(path: Path) -> Report:
    """What `Report.save` wrote."""
    told = json.loads(path.read_text("utf-8"))
    figures = [
        Figure(**{key: value for key, value in figure.items() if key != "ratio"})
        for figure in told["figures"]
    ]
    return Report(**told | {"figures": figures, "busy": tuple(told["busy"])})


def _with_ratio(figure: Figure) -> dict[str, Any]:
    return asdict(figure) | {"ratio": figure.ratio}


def show(report: Report, console: Console) -> None:
    """Print it for a person."""
    console.print(_circumstances(report))
    table = Table("figure", box=None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
    for title in ("Caret", PEER, "ratio"):
        table.add_column(title, justify="right")
    for figure in report.figures:
        table.add_row(*_row(figure))
    console.print(table)
    for note in report.notes:
        console.print(Text(note, "dim"))


def _circumstances(report: Report) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, facts in (("machine", report.machine), ("versions", report.versions)):
        grid.add_row(name, Text(_line(facts)))
    grid.add_row("model", Text(_line(report.model)))
    grid.add_row(PEER, Text(_line(report.peer) or "not measured"))
    grid.add_row("in use", Text(f"{report.busy[0]:.0f} % of the cores before, others' work"))
    grid.add_row("command", Text(f"{report.command}  ({report.seconds:.0f} s)"))
    grid.add_row()
    return grid


def _line(facts: Facts) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())


def _row(figure: Figure) -> tuple[Text, Text, Text, Text]:
    style = {True: "green", False: "red", None: ""}[figure.won]
    return (
        Text(figure.name),
        Text(amount(figure.ours, figure.unit)),
        Text(amount(figure.peer, figure.unit)),
        Text(ratio_text(figure), style),
    )


def amount(value: float | None, unit: str) -> str:
    """With three digits, or all of those before the point."""
    if value is None:
        return "–"
    if value == int(value) or abs(value) >= 100:
        number = f"{value:,.0f}"
    else:
        number = f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{number} {unit}".strip()


def ratio_text(figure: Figure) -> str:
    """Such as "0.13 ×"."""
    return "–" if figure.ratio is None else f"{figure.ratio:.2f} ×"
