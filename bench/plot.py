"""Pictures of a report, where a person would rather look. matplotlib is loaded when used."""

from __future__ import annotations

import importlib.util
from contextlib import chdir, contextmanager
from typing import TYPE_CHECKING, Any

from engine import spawn
from engine.errors import CaretError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bench.report import Report

_COLOURS = {"caret": "#0b7285", "peer": "#e8590c"}
_SHORTEST_MS = 1.0
"""What is quicker is drawn as this: nobody sees the difference."""
_LABELS = {"caret": "Caret", "peer": "llama.cpp"}


def require_matplotlib() -> None:
    """Before anything is measured.

    Raises:
        CaretError: it is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise CaretError("--plot needs matplotlib. Install it: pip install 'caret-lsp[bench]'.")


def load_pyplot() -> Any:  # noqa: ANN401 - a module that is not installed for users
    """Return matplotlib's pyplot, loaded where no `matplotlibrc` lies: one can name code to run."""
    with chdir(spawn.ROOT):
        import matplotlib as mpl

        mpl.use("svg")
        from matplotlib import pyplot
    return pyplot


def draw_keystrokes(report: Report, file: Path) -> None:
    """The share of keys that are answered within a time, for all keys and for off keys."""
    with _figure(report, file, columns=2) as axes:
        for place, title, field in ((axes[0], "all keys", None), (axes[1], "off keys", "off")):
            for side, label in _LABELS.items():
                keys = [key for key in report.data[side] if not key["first"]]
                times = [key["seconds"] * 1000 for key in keys if not field or key[field]]
                if times:
                    shown = [max(time, _SHORTEST_MS) for time in times]
                    place.ecdf(shown, label=label, color=_COLOURS[side])
            place.set(title=title, xscale="log", xlabel="milliseconds", ylim=(0, 1.01))
            place.set_xlim(_SHORTEST_MS, None)
        axes[0].set_ylabel("share of keys answered within")
        axes[0].legend(loc="lower right", frameon=False)


def draw_by_length(report: Report, file: Path) -> None:
    """`data["lengths"]` against each side's value, as `data["y"]` names it."""
    data = report.data
    with _figure(report, file, columns=1) as axes:
        for side, label in _LABELS.items():
            if data[side]:
                axes[0].plot(data["lengths"], data[side], "o-", label=label, color=_COLOURS[side])
        axes[0].set(xlabel=data["x"], ylabel=data["y"], xscale="log", ylim=(0, None))
        axes[0].set_xticks(data["lengths"], [str(length) for length in data["lengths"]])
        axes[0].legend(frameon=False)


def _figure(report: Report, file: Path, columns: int) -> AbstractContextManager[Any]:
    """Axes to draw on, saved when the block ends."""
    pyplot = load_pyplot()

    @contextmanager
    def drawn() -> Iterator[Any]:
        figure, axes = pyplot.subplots(
            1, columns, figsize=(4.4 * columns, 3.4), squeeze=False, layout="constrained"
        )
        yield axes[0]
        for place in axes[0]:
            place.grid(alpha=0.3)
            place.spines[["top", "right"]].set_visible(False)
        figure.suptitle(f"{report.model['file']}, {report.machine['processor']}", fontsize=8)
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file)
        pyplot.close(figure)

    return drawn()
