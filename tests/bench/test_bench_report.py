"""Figures, their ratios, and what is kept of a run."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from bench.report import Figure, Report, load, show
from bench.stats import percentile, spread
from bench.tables import results

if TYPE_CHECKING:
    from pathlib import Path

REPORT = Report(
    benchmark="decode",
    date="2026-01-02T03:04:05+00:00",
    command="caret bench decode",
    machine={"processor": "a fast one, 2 cores"},
    versions={"commit": "abc1234"},
    model={"file": "a.gguf"},
    peer={"version": "1", "flags": "-t 2"},
    busy=(3.0, 4.0),
    seconds=12.3,
    figures=[
        Figure("plain", 20.0, 40.0, "ms/token"),
        Figure("prefill", 50.0, 100.0, "tokens/s", less_is_better=False),
        Figure("alone", 1234.5, None, "MB"),
        Figure("from a cache", 1.5, 0.0004, "ms"),
    ],
    notes=["Mind this."],
    data={"lengths": [1, 2]},
)


def test_percentile_is_a_measured_value_with_that_share_below() -> None:
    values = [float(value) for value in range(1, 101)]
    random.Random(1).shuffle(values)
    assert (percentile(values, 0.5), percentile(values, 0.99)) == (51.0, 100.0)
    assert percentile([7.0], 0.9) == 7.0


def test_spread() -> None:
    found = spread([1.0, 2.0, 3.0, 10.0])
    assert found is not None
    assert (found.count, found.mean, found.p50, found.p90, found.max) == (4, 4.0, 3.0, 10.0, 10.0)
    assert spread([]) is None


@pytest.mark.parametrize(
    ("figure", "ratio", "won"),
    list(zip(REPORT.figures, (0.5, 0.5, None, None), (True, False, None, None), strict=True)),
    ids=lambda value: value.name if isinstance(value, Figure) else "",
)
def test_ratio_and_who_won(figure: Figure, ratio: float | None, won: bool | None) -> None:
    assert (figure.ratio, figure.won) == (ratio, won)


def test_a_saved_report_is_read_again(tmp_path: Path) -> None:
    REPORT.save(tmp_path / "new" / "run.json")
    assert load(tmp_path / "new" / "run.json") == REPORT
    assert '"ratio": 0.5' in (tmp_path / "new" / "run.json").read_text("utf-8")


def test_person_sees_both_sides_and_the_circumstances() -> None:
    console = Console(width=100, force_terminal=False)
    with console.capture() as capture:
        show(REPORT, console)
    rows = [" ".join(line.split()) for line in capture.get().splitlines()]
    assert "plain 20 ms/token 40 ms/token 0.50 ×" in rows
    assert "alone 1,234 MB – –" in rows
    assert "from a cache 1.50 ms 0.00 ms –" in rows
    assert "machine processor a fast one, 2 cores" in rows
    assert "llama.cpp version 1, flags -t 2" in rows
    assert "in use 3 % of the cores before, others' work" in rows


def test_docs_get_the_runs_that_are_there(tmp_path: Path) -> None:
    figures = tmp_path / "figures"
    for name in ("decode", "keystrokes", "something-else"):
        REPORT.save(figures / f"{name}.json")
    (figures / "decode.svg").write_text("<svg/>")
    lines = results(figures).splitlines()
    headings = [line for line in lines if line.startswith("#")]
    assert headings == ["### Results: keystrokes", "### Results: decode"]
    assert lines[4:8] == [
        "| figure | Caret | llama.cpp | ratio |",
        "|---|--:|--:|--:|",
        "| plain | 20 ms/token | 40 ms/token | 0.50 × |",
        "| prefill | 50 tokens/s | 100 tokens/s | 0.50 × |",
    ]
    assert lines[2].startswith(
        "`caret bench decode` at abc1234, 2026-01-02 03:04 UTC, 12 s on a fast"
    )
    assert lines[-1] == "![decode](figures/decode.svg)"
    assert "- Mind this." in lines


def test_without_runs_the_docs_have_none(tmp_path: Path) -> None:
    assert results(tmp_path) == ""
