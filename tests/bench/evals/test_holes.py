"""Holes are cut where code is, in seven languages, and each harm is seen when it is done."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bench.evals.answers import Answer
from bench.evals.cuts import SEVEN, Cut, cuts
from bench.evals.holes import closed, judge, measures, saved, typed
from bench.evals.syntax import parses, surplus_closers
from engine.errors import CaretError

SOURCES = Path(__file__).with_name("sources")
ALL = cuts([SOURCES], SEVEN, files=5, each=8, seed=0)


def test_lines_and_blocks_in_seven_languages() -> None:
    found = Counter((cut.language, cut.kind) for cut in ALL)
    assert {language for language, _ in found} == set(SEVEN)
    assert all(found[language, kind] >= 2 for language in SEVEN for kind in ("line", "block"))


@pytest.mark.parametrize("cut", ALL, ids=lambda cut: cut.id)
def test_what_was_cut_out_fits_and_does_no_harm(cut: Cut) -> None:
    assert cut.prefix + cut.truth + cut.suffix == (SOURCES / cut.path).read_text()
    assert cut.suffix.startswith("\n")
    assert cut.kind == "block" or "\n" not in cut.truth
    verdict = judge(cut, Answer(cut.truth, 0.0))
    assert (verdict["exact"], verdict["similarity"], verdict["parses"]) == (True, 1.0, True)
    assert not verdict["repeats"]
    assert not verdict["closes"]
    assert verdict["saved"] == len(cut.truth.rstrip())


def test_the_same_holes_each_time() -> None:
    again = cuts([SOURCES], SEVEN, files=5, each=8, seed=0)
    assert again == ALL
    assert cuts([SOURCES], SEVEN, files=5, each=8, seed=1) != ALL


def _hole(before: str, truth: str, after: str, language: str = "java") -> Cut:
    return Cut("a:1:line", "line", language, "A.java", before, truth, after)


HEAD = "class A {\n  void f() {\n    "
TAIL = "\n    second();\n  }\n}\n"


def test_what_was_cut_out_is_typed_key_by_key() -> None:
    block = replace(_hole(HEAD, "f(a);\n    b;", TAIL), kind="block")
    keys = typed([block])
    whole = ["f(a);", "(a);", "a);", ");", ";", ""]
    assert [key.truth for key in keys] == [*(f"{rest}\n    b;" for rest in whole), "b;"]
    assert {key.prefix + key.truth + key.suffix for key in keys} == {HEAD + block.truth + TAIL}
    assert len({key.id for key in keys}) == len(keys)


def test_a_repeated_line_is_seen() -> None:
    hole = _hole(HEAD, "first();", TAIL)
    assert judge(hole, Answer("first();\n    second();", 0.0))["repeats"]
    assert not judge(hole, Answer("first();", 0.0))["repeats"]
    assert not judge(hole, Answer("", 0.0))["repeats"]
    same = replace(hole, truth="second();")
    assert not judge(same, Answer("second();", 0.0))["repeats"]


def test_an_unmatched_closer_is_seen() -> None:
    hole = _hole(HEAD, "first();", TAIL)
    verdict = judge(hole, Answer("first();\n  }", 0.0))
    assert verdict["closes"]
    assert not verdict["parses"]
    assert not judge(hole, Answer('first("}");', 0.0))["closes"]


def test_the_closer_of_a_case_in_bash_is_none() -> None:
    text = "case $1 in\n  a) echo ;;\nesac\n"
    hole = _hole("case $1 in\n  a) ", "echo ;;", "\nesac\n", "shellscript")
    assert parses(text, "shellscript")
    assert not judge(hole, Answer("echo ;;", 0.0))["closes"]
    assert surplus_closers("f() { echo; }\n}\n", "shellscript") == 1


@pytest.mark.parametrize(
    ("text", "characters"),
    [("return total + 1", 16), ("return total", 12), ("return tot", 0), ("return x", 0), ("", 0)],
)
def test_only_what_is_right_saves_typing(text: str, characters: int) -> None:
    assert saved("return total + 1", text) == characters


def test_measures_of_all_and_of_what_was_shown() -> None:
    hole = _hole(HEAD, "first();", TAIL)
    answers = [Answer("first();", 1.0), Answer("", 1.0), Answer("first();\n  }", 1.0)]
    entries = [{"text": one.text, **judge(hole, one)} for one in answers]
    found = {measure.name: measure.value for measure in measures(entries)}
    assert found["exact match"] == pytest.approx(1 / 3)
    assert found["characters saved by an oracle user"] == pytest.approx(1 / 3)
    assert found["adds an unmatched closer"] == pytest.approx(1 / 2)
    assert found["does not parse when accepted"] == pytest.approx(1 / 2)


def test_a_folder_without_code_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def broken(:\n" * 100)
    with pytest.raises(CaretError, match="No file of python lies in"):
        cuts([tmp_path], ["python"], files=1, each=1, seed=random.randrange(9))


def test_a_caret_in_brackets_that_an_editor_closed() -> None:
    line = Cut("f.py:2:line", "line", "python", "f.py", "def f(a):\n    ", "g(a, b[0]) + 1", "\n")
    (hole,) = closed([line, replace(line, truth="return a"), replace(line, kind="block")])
    assert (hole.prefix, hole.truth, hole.suffix) == ("def f(a):\n    g(", "a, b[0]", ")\n")
    with pytest.raises(CaretError, match="has brackets"):
        closed([replace(line, truth="return a")])


def test_what_did_not_parse_before_need_not_parse() -> None:
    line = Cut("f.js:1:line", "line", "javascript", "f.js", "if (", "a", ")\n")
    assert judge(line, Answer("b", 0.1))["parses"]
    whole = replace(line, suffix=") {}\n")
    assert not judge(whole, Answer("b + ", 0.1))["parses"]
