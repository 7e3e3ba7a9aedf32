"""The help of every benchmark and evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bench.__main__ import BENCHMARKS, bench
from bench.evals.__main__ import EVALUATIONS, evaluate

if TYPE_CHECKING:
    import click

NAMES = [*((bench, name) for name in BENCHMARKS), *((evaluate, name) for name in EVALUATIONS)]


def shown(group: click.Group, *arguments: str) -> str:
    done = CliRunner().invoke(group, [*arguments, "--help"])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize(("group", "name"), NAMES, ids=[name for _, name in NAMES])
def test_help_is_for_people(group: click.Group, name: str) -> None:
    assert "\\b" not in shown(group, name)


def test_lists_keep_their_lines() -> None:
    assert "\n  plain     one token a pass, asked for without drafts\n" in shown(bench, "decode")
    assert "\n  exact match     of what was cut out" in shown(evaluate, "holes")
    assert "\n  --server measures a llama-server" in shown(evaluate)
