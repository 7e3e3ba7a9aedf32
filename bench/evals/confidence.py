"""`caret eval confidence`: how often suggestions are right, by how sure the model is of them.

A suggestion's score is the geometric mean of its tokens' probabilities: e to the power of their
mean log-probability. Showing only those above a threshold lowers how many holes get one (coverage)
and raises how many of these are right (precision).
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from bench.evals.intervals import Measure, share
from bench.plot import load_pyplot, require_matplotlib
from bench.run import console
from engine.errors import CaretError

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN = 12
"""Rows of the table."""
_LOST = 0.02
"""Share of the right suggestions that the proposed threshold may hide."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a threshold gives."""

    threshold: float
    coverage: float
    """Of all holes, those that get a suggestion."""
    precision: Measure
    """Of the suggestions shown, those that are right."""
    kept: float
    """Of all right suggestions, those shown."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One suggestion."""

    score: float
    right: bool


def read(records: Sequence[Path]) -> tuple[list[Scored], int]:
    """The suggestions in records of evaluations, and the number of samples that could have one.

    Those without a probability do not count, such as the rest of what was suggested a key before.

    Raises:
        CaretError: there is none with a probability.
    """
    found, samples = list[Scored](), 0
    for record in records:
        try:
            lines = [json.loads(line) for line in record.read_text("utf-8").splitlines()]
            entries = [line for line in lines if "asked" not in line]
            found += [_scored(entry) for entry in entries if entry["text"] and _known(entry)]
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise CaretError(f"{record} is no record of an evaluation: {error!r}.") from None
        samples += sum(not entry["text"] or _known(entry) for entry in entries)
    if not found:
        raise CaretError("These records have no suggestion with a probability; see --help.")
    return found, samples


def _known(entry: dict[str, object]) -> bool:
    return entry["logprob"] is not None


def _scored(entry: dict[str, object]) -> Scored:
    right = entry["passed"] if "passed" in entry else entry["saved"]
    return Scored(math.exp(float(str(entry["logprob"]))), bool(right))


def curve(scored: Sequence[Scored], samples: int) -> list[Point]:
    """A point for each score, as the threshold that just lets it pass; thresholds ascend."""
    ordered = sorted(scored, key=lambda one: one.score)
    hits = sum(one.right for one in ordered)
    points = []
    for at, one in enumerate(ordered):
        shown = [other.right for other in ordered[at:]]
        kept = sum(shown) / hits if hits else 0.0
        precision = share("precision", shown)
        points.append(Point(one.score, len(shown) / samples, precision, kept))
    return points


def proposed(points: Sequence[Point]) -> float:
    """The highest threshold, in hundredths, that hides no more than `_LOST` of what is right."""
    good = [point.threshold for point in points if point.kept >= 1 - _LOST]
    return math.floor(max(good, default=0.0) * 100) / 100


def draw(points: Sequence[Point], threshold: float, file: Path) -> None:
    """Precision, with its interval, against coverage."""
    pyplot = load_pyplot()

    figure, axes = pyplot.subplots(figsize=(5.2, 3.6), layout="constrained")
    coverage = [point.coverage for point in points]
    low, high = [p.precision.low for p in points], [p.precision.high for p in points]
    axes.fill_between(coverage, low, high, color="#0b7285", alpha=0.15, label="95 % confidence")
    axes.plot(coverage, [point.precision.value for point in points], color="#0b7285")
    at = next((point for point in points if point.threshold >= threshold), points[-1])
    axes.plot(at.coverage, at.precision.value, "o", color="#e8590c", label=f"score {threshold:.2f}")
    axes.set(xlabel="coverage: holes with a suggestion", ylabel="precision: of these, right")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower left")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file)
    pyplot.close(figure)


def _table(points: Sequence[Point]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
    for name in ("score", "coverage", "precision", "right ones kept"):
        table.add_column(name, justify="right")
    step = max(len(points) // _SHOWN, 1)
    for point in points[::step]:
        shares = f"{point.coverage:.1%}", point.precision.text(), f"{point.kept:.1%}"
        table.add_row(f"{point.threshold:.2f}", *shares)
    return table


@click.command("confidence")
@click.argument("records", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw it: .svg.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Keep.")
def command(records: tuple[Path, ...], plot: Path | None, json_file: Path | None) -> None:
    """Precision against coverage from RECORDS that `caret eval` has kept; asks no model.

    Right is what passed its tests, or, for holes, the beginning of what was cut out: what saves a
    user keys. The proposed threshold is the highest that hides at most 2 % of the right
    suggestions; it is for what comes while typing, so for records of `--through typing`.
    """
    if plot is not None:
        require_matplotlib()
    scored, samples = read(records)
    points = curve(scored, samples)
    threshold = proposed(points)
    console().print(_table(points))
    console().print(f"{samples} samples. Proposed threshold: {threshold:.2f}")
    if json_file is not None:
        told = {"samples": samples, "threshold": threshold, "points": list(map(asdict, points))}
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(told) + "\n", "utf-8")
    if plot is not None:
        draw(points, threshold, plot)
