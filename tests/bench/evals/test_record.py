"""An evaluation that was ended goes on, and two of them are never mixed up."""

from __future__ import annotations

import json
from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from bench.evals.intervals import mean, pass_at_k, ratio, resampled, share
from bench.evals.record import Record
from engine.errors import CaretError

if TYPE_CHECKING:
    from pathlib import Path

ASKED = {"task": "holes", "model": "small"}


def test_goes_on_behind_the_last_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "new" / "record.jsonl"
    Record(path, ASKED).add({"id": "a", "passed": True})
    with path.open("a") as file:
        file.write('{"id": "b", "pas')
    record = Record(path, ASKED)
    assert record.entries == {"a": {"id": "a", "passed": True}}
    record.add({"id": "b", "passed": False})
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines == [{"asked": ASKED}, *Record(path, ASKED).entries.values()]
    assert [line["id"] for line in lines[1:]] == ["a", "b"]


def test_another_evaluation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    Record(path, ASKED)
    with pytest.raises(CaretError, match="another model, through"):
        Record(path, ASKED | {"model": "large", "through": "raw"})


@pytest.mark.parametrize("text", ["{}\n", "[1]\n", "no JSON\n", '"asked"\n'])
def test_another_file_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "record.jsonl"
    path.write_text(text)
    with pytest.raises(CaretError, match="is no record of an evaluation"):
        Record(path, ASKED)
    assert path.read_text() == text


def test_a_record_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CaretError, match="cannot be written"):
        Record(tmp_path / "file" / "record.jsonl", ASKED)


def test_wilson_holds_at_the_ends() -> None:
    none, all_ = share("a", [False] * 20), share("a", [True] * 20)
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(0.1611, abs=1e-4)  # Brown, Cai and DasGupta (2001)
    assert all_.low == pytest.approx(1 - none.high)


def test_bootstrap_covers_the_mean_of_a_sample() -> None:
    values = [float(number % 10) for number in range(400)]
    found = mean("a", values, "")
    assert found.value == pytest.approx(4.5)
    assert found.low < 4.5 < found.high
    half = 1.96 * (8.25 / 400) ** 0.5  # by the normal distribution
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)


def test_a_ratio_weighs_by_its_second_part() -> None:
    found = resampled("a", [(1.0, 1.0), (0.0, 9.0)], ratio)
    assert found.value == pytest.approx(0.1)


@pytest.mark.parametrize(("tries", "right", "k"), [(1, 1, 1), (5, 2, 1), (5, 2, 3), (5, 3, 3)])
def test_pass_at_k_is_the_share_of_draws_with_a_right_one(tries: int, right: int, k: int) -> None:
    draws = list(combinations(range(tries), k))
    hits = sum(any(number < right for number in draw) for draw in draws)
    assert pass_at_k(tries, right, k) == pytest.approx(hits / len(draws))
