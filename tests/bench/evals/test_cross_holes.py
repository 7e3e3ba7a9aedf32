"""Holes of a project that another of its files tells begin where its name does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.evals.cross_file import measures
from bench.evals.cross_holes import CrossHole, holes_in
from engine.errors import CaretError

if TYPE_CHECKING:
    from pathlib import Path

RATES = '''"""Rates."""


class Rates:
    """Of a year."""

    def monthly_rate(self, yearly: float) -> float:
        """The twelfth part."""
        return yearly / 12
'''
LOANS = '''"""What a loan costs."""

from rates import Rates


def first_interest(amount: float, yearly: float) -> float:
    """Of the first month."""
    rate = Rates().monthly_rate(yearly)
    return amount * rate


'''
MORE = "".join(
    f"def larger_{n}(first: int, second: int) -> int:\n"
    f'    """The larger one, {n} at least."""\n    return max(first, second, {n})\n\n\n'
    for n in range(5)
)


def project(folder: Path, loans: str) -> Path:
    (folder / "rates.py").write_text(RATES)
    (folder / "loans.py").write_text(loans + MORE)
    return folder


def test_a_hole_begins_with_the_name_that_only_another_file_tells(tmp_path: Path) -> None:
    holes = holes_in(project(tmp_path, LOANS), files=5, each=60, seed=0)
    assert {hole.name for hole in holes} == {"monthly_rate"}
    for hole in holes:
        assert hole.prefix + hole.expected + hole.suffix == LOANS + MORE
        assert hole.prefix.endswith("rate = Rates().")
        assert hole.expected == "monthly_rate(yearly)"
        assert hole.right("monthly_rate(yearly)")
        assert hole.right("monthly_rate(yearly)\n    more = 1")
        assert hole.named("monthly_rate(amount)")
        assert not hole.right("monthly_rate(amount)")


def test_a_name_that_the_file_uses_elsewhere_is_no_hole(tmp_path: Path) -> None:
    twice = LOANS + "LAST = Rates().monthly_rate(0.0)\n\n\n"
    with pytest.raises(CaretError, match="uses what only one other file defines"):
        holes_in(project(tmp_path, twice), files=5, each=60, seed=0)


def test_gains_are_of_each_hole() -> None:
    hole = CrossHole("a", "a.py", "python", "x = ", "\n", "rate()", "rate")
    entries = [
        {"id": f"a#{how}", "context": how == "with", "snippets": 1, "hint": ""} | told(hole, text)
        for how, text in (("with", "rate(1)"), ("without", "price()"))
    ]
    found = {measure.name: measure.value for measure in measures(entries)}
    assert found["gain, in points"] == 0
    assert found["names gained, in points"] == 1
    assert found["named with context"] == 1


def told(hole: CrossHole, text: str) -> dict[str, bool]:
    return {"right": hole.right(text), "named": hole.named(text)}
