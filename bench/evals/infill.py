"""`caret eval infill-...`: HumanEval-Infilling (arXiv 2207.14255): holes in right programs.

What is filled in passes when the program passes its tests, which run in `bench.evals.sandbox`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.evals.answers import Place, filler
from bench.evals.data import read, with_places
from bench.evals.intervals import share
from bench.evals.run import Evaluation, Plan, evaluation_options
from bench.evals.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.evals.answers import Answer
    from bench.evals.intervals import Measure
    from bench.evals.record import Entry

FILES = {
    "infill-single": "HumanEval-SingleLineInfilling",
    "infill-multi": "HumanEval-MultiLineInfilling",
    "infill-random": "HumanEval-RandomSpanInfillingLight",
}
DATA = click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the files named above.",
)
THROUGH = click.option(
    "--through",
    default="caret",
    type=click.Choice(["caret", "typing", "raw"]),
    help="caret: as users get it by hand; typing: as they do while typing; raw: the model alone.",
)
SERVER = click.option("--server", default="", help="URL of a llama-server to ask instead.")
MULTILINE = click.option(
    "--multiline",
    default="auto",
    type=click.Choice(["auto", "always", "never"]),
    help="As caret.completion.multiline.",
)


@dataclass(frozen=True, slots=True)
class Hole:
    """A row of the data."""

    id: str
    place: Place
    truth: str
    """What was cut out."""
    test: str
    """Appended to the program."""


def hole(row: dict[str, Any], *, one_line: bool) -> Hole:
    """A row as an editor has it: the end of the hole's last line stays in the document."""
    truth, suffix = row["canonical_solution"], row["suffix"]
    if truth.endswith("\n"):
        truth, suffix = truth[:-1], "\n" + suffix
    place = Place(row["prompt"], suffix, "python", "solution.py", one_line=one_line)
    test = f"\n{row['test']}\ncheck({row['entry_point']})\n"
    return Hole(row["task_id"], place, truth, test)


def judge(sandbox: Sandbox, sample: Hole, answer: Answer) -> Entry:
    """Whether the whole program passes."""
    program = sample.place.prefix + answer.text + sample.place.suffix + sample.test
    outcome = sandbox.run(program)
    exact = answer.text.rstrip() == sample.truth.rstrip()
    return {"passed": outcome.passed, "why": outcome.why, "exact": exact}


def measures(entries: Sequence[Entry]) -> list[Measure]:
    """Pass@1 first."""
    return [
        share("pass@1", [entry["passed"] for entry in entries]),
        share("as it was", [entry["exact"] for entry in entries]),
        share("nothing suggested", [not entry["text"] for entry in entries]),
    ]


async def _carry_out(plan: Plan, samples: list[Hole]) -> None:
    sandbox = Sandbox()
    async with filler(plan.asked["through"], plan.settings, plan.server) as writer:
        await plan.carry_out(
            Evaluation(
                samples,
                lambda sample: writer.fill(sample.place),
                lambda sample, answer: judge(sandbox, sample, answer),
                measures,
                (f"Generated code runs in: {sandbox.in_force}.",),
            )
        )


def _command(task: str, short: str) -> click.Command:
    @click.command(task, help=short)
    @evaluation_options(
        task,
        DATA,
        THROUGH,
        SERVER,
        MULTILINE,
    )
    def command(plan: Plan, *, data: Path, through: str, multiline: str) -> None:
        one_line = task == "infill-single"
        samples = [hole(row, one_line=one_line) for row in read(data, FILES[task])]
        asyncio.run(_carry_out(plan.with_(through=through, multiline=multiline), samples))

    return with_places(command)


single = _command("infill-single", "A line of a function is missing: pass@1.")
multi = _command("infill-multi", "Lines of a function are missing: pass@1.")
random_span = _command("infill-random", "A random span is missing, caret anywhere: pass@1.")
