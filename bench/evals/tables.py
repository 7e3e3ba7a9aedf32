"""Results as docs/evaluation.md shows them: made from the summaries in docs/figures."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bench.evals.summary import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bench.evals.summary import Summary

_WAYS = {
    (False, "typing"): "Caret, while typing",
    (False, "raw"): "Caret's engine, raw",
    (False, "prompt"): "the model, prompt by hand",
    (True, "caret"): "llama.cpp /infill",
    (True, "raw"): "llama.cpp, raw prompt",
    (True, "prompt"): "llama.cpp, prompt by hand",
    (True, ""): "llama.cpp",
}
_USUAL = {"through": ("caret", "prompt"), "multiline": ("auto",), "seed": (0,)}
_UNSAID = ("task", "model", "server", "data", "files", "each", "folders", "languages")


def results(folder: Path, task: str) -> str:
    """A table of the runs of one task, eval-TASK-*.json, as Markdown."""
    files = sorted(folder.glob(f"eval-{task}-*.json"))
    runs = [run for run in map(load, files) if run.asked["task"] == task]
    return "\n".join(_table(runs)) + "\n" if runs else "No run is kept yet.\n"


def threshold(folder: Path) -> str:
    """What was proposed, and from how many samples."""
    file = folder / "confidence.json"
    if not file.exists():
        return "No run is kept yet.\n"
    told = json.loads(file.read_text("utf-8"))
    text = f"From {told['samples']:,} samples: {told['threshold']:.2f}.\n"
    drawn = file.with_suffix(".svg").exists()
    return text + f"\n![Precision against coverage]({folder.name}/confidence.svg)\n" * drawn


def _table(runs: Sequence[Summary]) -> Iterator[str]:
    names = dict.fromkeys(found.name for run in runs for found in run.measures if found.unit == "%")
    yield f"| by | model | samples | {' | '.join(names)} |"
    yield f"|---|---|--:|{'--:|' * len(names)}"
    for run in runs:
        values = {found.name: found.text().removesuffix(" %") for found in run.measures}
        cells = " | ".join(values.get(name, "–") for name in names)
        yield f"| {_by(run)} | {run.asked['model']} | {run.samples} | {cells} |"
    yield ""
    for run in runs:
        commit = run.versions["commit"]
        yield f"- `{run.command}` at {commit}, {run.date[:10]}, {run.machine['processor']}"


def _by(run: Summary) -> str:
    through = run.asked.get("through", "")
    way = _WAYS.get((bool(run.asked["server"]), through), "Caret")
    more = [
        name if value is True else f"{name} {value}"
        for name, value in run.asked.items()
        if value and name not in _UNSAID and value not in _USUAL.get(name, ()) and name != "through"
    ]
    return ", ".join([way, *more])
