"""Who makes room for whom, and what is offered to who finds none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.models import find
from engine.room import IN_USE_S, Wanted, advice, first_to_go

if TYPE_CHECKING:
    from engine.api import Ability

NOW = 10_000.0
SMALL, LARGE, LLAMA = (
    find(name) for name in ("qwen2.5-coder-0.5b", "qwen2.5-coder-7b", "codellama-7b")
)


@pytest.mark.parametrize(
    ("at", "ability", "yields"),
    [
        ({"infill": NOW - 1}, "instruct", False),
        ({"infill": NOW - 1, "instruct": NOW - 9}, "instruct", False),
        ({"infill": NOW - IN_USE_S, "instruct": NOW - 1}, "instruct", True),
        ({"instruct": NOW - 1}, "instruct", True),
        ({"infill": NOW - 1}, "infill", True),
    ],
)
def test_what_completes_stays_for_a_while(
    at: dict[Ability, float], ability: Ability, yields: bool
) -> None:
    assert Wanted(SMALL, at).yields(ability, NOW) == yields
    assert (first_to_go([Wanted(SMALL, at)], ability, NOW) is not None) == yields


def test_the_one_wanted_least_recently_goes_first() -> None:
    first = Wanted(SMALL, {"infill": NOW - 9, "instruct": NOW - 5})
    second = Wanted(LARGE, {"infill": NOW - 7})
    assert first_to_go([first, second], "infill", NOW) is second
    assert first_to_go([], "infill", NOW) is None


def test_offers() -> None:
    assert advice("infill", [SMALL]) == ""
    assert advice("instruct", []) == ""
    both = advice("instruct", [SMALL])
    assert "qwen2.5-coder-0.5b stays in memory to complete" in both
    assert "caret.instruct.model empty, so that qwen2.5-coder-0.5b answers" in both
    base = advice("instruct", [LLAMA])
    assert "answers too" not in base
    assert "caret.instruct.endpoint" in base
