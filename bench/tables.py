"""Results as the docs show them: docs/benchmarks.md is made from the files of their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.report import PEER, amount, load, ratio_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.report import Report

ORDER = ("keystrokes", "keystrokes-accept", "prefill", "decode", "load", "memory", "7b")
"""Names of the runs in the docs' folder of figures, with .json behind; a plot has .svg."""


def results(folder: Path) -> str:
    """All runs of a folder, as Markdown; links are relative to the folder above it."""
    files = [file for name in ORDER if (file := folder / f"{name}.json").exists()]
    return "\n\n".join(["\n".join(_section(file)) for file in files]) + "\n" * bool(files)


def _section(file: Path) -> Iterator[str]:
    report = load(file)
    yield f"### Results: {file.stem}\n"
    yield f"{_about(report)}\n"
    yield from _table(report)
    if report.notes:
        yield ""
        yield from (f"- {note}" for note in report.notes)
    if file.with_suffix(".svg").exists():
        yield f"\n![{file.stem}]({file.parent.name}/{file.stem}.svg)"


def _about(report: Report) -> str:
    versions, peer = report.versions, report.peer.get("version", "not measured")
    before, after = report.busy
    return (
        f"`{report.command}` at {versions['commit']}, {report.date[:16].replace('T', ' ')} UTC, "
        f"{report.seconds:.0f} s on {report.machine['processor']}, of which others used "
        f"{before:.0f} % before and {after:.0f} % after. {report.model['file']}; {PEER} {peer}."
    )


def _table(report: Report) -> Iterator[str]:
    yield f"| figure | Caret | {PEER} | ratio |"
    yield "|---|--:|--:|--:|"
    for figure in report.figures:
        both = " | ".join(amount(value, figure.unit) for value in (figure.ours, figure.peer))
        yield f"| {figure.name} | {both} | {ratio_text(figure)} |"
