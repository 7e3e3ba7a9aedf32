"""What every benchmark shares: its options, what it runs against, and how it ends."""

from __future__ import annotations

import functools
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bench import machine
from bench.options import with_options
from bench.peer import Peer, find_peer
from bench.plot import require_matplotlib
from bench.report import Report, show
from engine.errors import ModelMissing, UnsupportedModel
from engine.models import DEFAULT_FIM, find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.report import Figure

F = TypeVar("F", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True)
class Model:
    """The weights that both sides use."""

    name: str
    """As Caret is asked for it."""
    path: Path
    """A GGUF file."""

    def facts(self) -> machine.Facts:
        """For the report."""
        return {"file": self.path.name, "bytes": f"{self.path.stat().st_size:,}"}


_NONE_YET = Model("", Path())


def find_model(spec: str) -> Model:
    """A model on disk as one GGUF file.

    Raises:
        CaretError: it is unknown, not on disk, or in another format than GGUF.
    """
    entry = find(spec)
    if not entry.path.exists():
        raise ModelMissing(f"{entry.name} is not on this machine. Run `caret pull {entry.name}`.")
    if entry.path.suffix != ".gguf":
        raise UnsupportedModel(f"{entry.path} is no GGUF file, and llama.cpp reads no other.")
    return Model(entry.name, entry.path.resolve())


@dataclass(slots=True)
class Run:
    """One run of one benchmark."""

    model: Model
    peer: Peer | None
    quick: bool
    console: Console
    json_file: Path | None
    plot_file: Path | None
    busy_before: float = 0.0
    _began: float = field(default_factory=time.monotonic)
    _progress: Progress | None = None

    @contextmanager
    def measuring(self) -> Iterator[None]:
        """Look whether the machine is quiet, then show what `say` says until the end."""
        self.busy_before = machine.busy()
        if self.busy_before > machine.BUSY_PERCENT:
            self.console.print(
                f"[yellow]The machine is busy: {self.busy_before:.0f} % of its cores are in use. "
                "Times will be too long; trust the ratios more than the figures.[/]"
            )
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        shown = Console(stderr=True)
        with Progress(
            *columns, console=shown, transient=True, disable=not shown.is_terminal
        ) as self._progress:
            self._progress.add_task("starting")
            yield
        self._progress = None

    def say(self, what: str) -> None:
        """What goes on now."""
        if self._progress is not None:
            self._progress.update(self._progress.task_ids[0], description=what)

    def finish(
        self,
        benchmark: str,
        figures: Sequence[Figure],
        data: dict[str, Any],
        notes: Sequence[str] = (),
        flags: Sequence[str] = (),
        draw: Callable[[Report, Path], None] | None = None,
    ) -> None:
        """Print the figures, keep and draw them; `flags` are those that the peer ran with."""
        report = Report(
            benchmark=benchmark,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            command=machine.command_line(),
            machine=machine.machine(),
            versions=machine.versions(),
            model=self.model.facts(),
            peer=self._peer_facts(flags),
            busy=(self.busy_before, machine.busy()),
            seconds=round(time.monotonic() - self._began, 1),
            figures=list(figures),
            notes=list(notes),
            data=data,
        )
        show(report, self.console)
        if self.json_file is not None:
            report.save(self.json_file)
        if self.plot_file is not None and draw is not None:
            draw(report, self.plot_file)

    def _peer_facts(self, flags: Sequence[str]) -> machine.Facts:
        if self.peer is None:
            return {}
        return {"version": self.peer.version(), "flags": " ".join(flags)}


def benchmark_options(*, model: bool = True, plot: bool = False) -> Callable[[F], F]:
    """The options that all benchmarks have; the function gets a `Run` for them.

    Without `model` the benchmark brings its own, and sets it in the run; with `plot` it draws.
    """
    options = [
        click.option("--peer", type=_PATH, help="llama.cpp: a folder or its llama-server."),
        click.option("--no-peer", is_flag=True, help="Measure Caret alone."),
        click.option("--quick", is_flag=True, help="Less of everything, for a first look."),
        click.option("--json", "json_file", type=_FILE, help="Keep all that was measured."),
    ]
    if model:
        of_model = click.option(
            "--model", default=DEFAULT_FIM, show_default=True, help="Or a GGUF."
        )
        options.insert(0, of_model)
    if plot:
        options.append(click.option("--plot", "plot_file", type=_FILE, help="Draw it: .svg, .png."))

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def with_run(
            *,
            peer: Path | None,
            no_peer: bool,
            quick: bool,
            json_file: Path | None,
            model: str | None = None,
            plot_file: Path | None = None,
            **rest: object,
        ) -> object:
            if peer and no_peer:
                raise click.UsageError("--peer and --no-peer exclude each other.")
            if plot_file is not None:
                require_matplotlib()
            weights = _NONE_YET if model is None else find_model(model)
            found = None if no_peer else find_peer(peer)
            run = Run(weights, found, quick, console(), json_file, plot_file)
            return function(run, **rest)

        decorated: F = with_options(with_run, options)
        return decorated

    return decorate


_PATH = click.Path(path_type=Path)
_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)


def console() -> Console:
    """Standard output; wide enough for a table where there is no terminal."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=120)
