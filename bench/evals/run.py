"""What every evaluation shares: its options, the way through its samples, and its summary."""

from __future__ import annotations

import asyncio
import functools
import re
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import click
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.evals.answers import Answer
from bench.evals.intervals import Measure, mean
from bench.evals.record import Entry, Record
from bench.evals.summary import Summary, circumstances, show
from bench.options import with_options
from bench.run import console
from engine.errors import RequestError
from engine.models import DEFAULT_FIM
from lsp_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

F = TypeVar("F", bound="Callable[..., Any]")


class Sample(Protocol):
    """One question."""

    @property
    def id(self) -> str:
        """Unique in its evaluation, and the same in each run."""


S = TypeVar("S", bound=Sample)


@dataclass(frozen=True)
class Evaluation(Generic[S]):
    """Questions, and what is made of the answers."""

    samples: Sequence[S]
    ask: Callable[[S], Awaitable[Answer]]
    judge: Callable[[S, Answer], Entry]
    """What the record keeps beside the answer."""
    measures: Callable[[Sequence[Entry]], list[Measure]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person asked for."""

    task: str
    model: str
    server: str = ""
    """URL of the server that is asked in the engine's place."""
    every: int = 1
    limit: int = 0
    record: Path | None = None
    json_file: Path | None = None
    asked: Entry = field(default_factory=dict)
    """The other options that an answer depends on."""

    @property
    def settings(self) -> Settings:
        """As a user would have them who set nothing but the model, and how far to reach."""
        settings = Settings()
        multiline = self.asked.get("multiline", settings.completion.multiline)
        return replace(
            settings,
            fim=replace(settings.fim, model=self.model),
            completion=replace(settings.completion, multiline=multiline),
        )

    def with_(self, **asked: object) -> Plan:
        """With more options, as the record shall know them."""
        return replace(self, asked=self.asked | asked)

    def chosen(self, samples: Sequence[S]) -> Sequence[S]:
        """As --every and --limit say."""
        found = samples[:: self.every]
        return found[: self.limit] if self.limit else found

    def all(self) -> Plan:
        """For samples that were chosen already."""
        return replace(self, every=1, limit=0)

    async def carry_out(self, evaluation: Evaluation[S]) -> None:
        """Ask and judge what the record does not have; then print the summary, and keep it.

        Raises:
            CaretError: the model or the server failed; what was done is in the record.
        """
        chosen = self.chosen(evaluation.samples)
        asked = {"task": self.task, "model": self.model, "server": self.server} | self.asked
        record = Record(self.record or _file_name(asked), asked)
        for note in evaluation.notes:
            click.echo(note, err=True)
        began = time.monotonic()
        await _go_through(evaluation, chosen, record)
        entries = [record.entries[sample.id] for sample in chosen]
        summary = Summary(
            asked=asked,
            samples=len(entries),
            seconds=round(time.monotonic() - began, 1),
            measures=evaluation.measures(entries) + _costs(entries),
            notes=list(evaluation.notes),
            **circumstances(),
        )
        show(summary, console(), record.path)
        if self.json_file is not None:
            summary.save(self.json_file)


async def _go_through(evaluation: Evaluation[S], chosen: Sequence[S], record: Record) -> None:
    todo = [sample for sample in chosen if sample.id not in record.entries]
    with _progress(len(chosen), len(chosen) - len(todo)) as advance:
        for sample in todo:
            try:
                answer, error = await evaluation.ask(sample), ""
            except RequestError as refused:  # such as a prompt too long: this sample's fault
                answer, error = Answer("", 0.0), str(refused)
            verdict = await asyncio.to_thread(evaluation.judge, sample, answer)
            record.add({"id": sample.id, **asdict(answer), **verdict, "error": error})
            advance(sample.id)


def _costs(entries: Sequence[Entry]) -> list[Measure]:
    asked = [entry["seconds"] for entry in entries if not entry["error"]]
    return [mean("seconds a sample", asked, "s")] if asked else []


def _file_name(asked: Entry) -> Path:
    """Tells evaluations apart that a person may want side by side."""
    parts = [str(part) for key, part in asked.items() if part and key not in ("data", "folders")]
    name = re.sub(r"[^\w.-]+", "-", "-".join(["eval", *parts])).strip("-")
    return Path(f"{name[:150]}.jsonl")


@contextmanager
def _progress(total: int, done: int) -> Iterator[Callable[[str], None]]:
    """A bar on a terminal; call the function when one more is done."""
    shown = Console(stderr=True)
    columns = (TextColumn("{task.description}"), *Progress.get_default_columns()[1:2])
    more = (MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, *more, console=shown, disable=not shown.is_terminal) as progress:
        bar = progress.add_task("asking", total=total, completed=done)
        yield lambda name: progress.update(bar, advance=1, description=name)


def evaluation_options(task: str, *more: Callable[[Any], Any]) -> Callable[[F], F]:
    """The options that all evaluations have; the function gets a `Plan`, then its own options."""
    options: list[Callable[[Any], Any]] = [
        click.option("--model", default=DEFAULT_FIM, show_default=True, help=_MODEL),
        *more,
        click.option("--every", default=1, type=_COUNT, help="Only each N-th sample."),
        click.option("--limit", default=0, type=click.IntRange(0), help="No more than N samples."),
        click.option("--record", type=_FILE, help="Where each sample is kept; a rerun goes on."),
        click.option("--json", "json_file", type=_FILE, help="Keep the summary."),
    ]

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def with_plan(
            *,
            model: str,
            every: int,
            limit: int,
            record: Path | None,
            json_file: Path | None,
            server: str = "",
            **rest: object,
        ) -> object:
            plan = Plan(task, model, server.rstrip("/"), every, limit, record, json_file)
            return function(plan, **rest)

        decorated: F = with_options(with_plan, options)
        return decorated

    return decorate


_MODEL = "A name that `caret models` lists, an id or a path."
_COUNT = click.IntRange(1)
_FILE = click.Path(dir_okay=False, writable=True, path_type=Path)
