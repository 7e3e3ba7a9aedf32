"""`caret eval fix`: HumanEvalPack (arXiv 2308.07124): functions with a bug, and their tests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from bench.evals.data import read, with_places
from bench.evals.functions import Problem, carry_out
from bench.evals.infill import DATA, SERVER
from bench.evals.run import Plan, evaluation_options

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def by_hand(row: dict[str, Any]) -> str:
    """What a person would write to a chat: the code, its tests, the wish."""
    broken = row["declaration"] + row["buggy_solution"]
    return (
        f"This Python function has a bug:\n\n```python\n{broken}```\n\n"
        f"These tests fail:\n\n```python\n{row['test'].strip()}\n```\n\n"
        f"Fix `{row['entry_point']}`. Answer with the whole function in one block of code."
    )


THROUGH: dict[str, Callable[[dict[str, Any]], str]] = {"prompt": by_hand}
"""Ways to ask, by name."""


def problems(rows: list[dict[str, Any]], through: str) -> list[Problem]:
    """The buggy functions."""
    return [
        Problem(
            row["task_id"],
            THROUGH[through](row),
            chat=True,
            before=row["declaration"] + "    pass\n",
            test=f"\n{row['test']}\n",
        )
        for row in rows
    ]


@click.command("fix")
@evaluation_options(
    "fix",
    DATA,
    click.option("--through", default="prompt", type=click.Choice(list(THROUGH)), help="Who asks."),
    SERVER,
)
def command(plan: Plan, *, data: Path, through: str) -> None:
    """Fix 164 Python functions with a bug each: pass@1.

    The prompt is written by hand, with the function and its tests, and none of Caret's own parts.
    """
    rows = read(data, "humanevalpack-python")
    asyncio.run(carry_out(plan.with_(through=through), problems(rows, through)))


command = with_places(command)
