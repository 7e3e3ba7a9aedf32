"""Programs put together from data and answers; records turned into figures."""

from __future__ import annotations

import gzip
import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from bench.evals import confidence, fix, safety
from bench.evals.answers import Answer
from bench.evals.data import read
from bench.evals.functions import humaneval, judge, mbpp, measures, repeated
from bench.evals.infill import hole
from bench.evals.infill import judge as judge_infill
from bench.evals.intervals import share
from bench.evals.sandbox import Sandbox
from bench.evals.summary import Summary, load
from bench.evals.tables import results
from engine.api import Piece, Usage
from engine.errors import CaretError
from lsp_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from engine.api import ChatRequest

HUMANEVAL = {
    "task_id": "H/0",
    "prompt": 'import math\n\n\ndef area(r: float) -> float:\n    """Of a circle."""\n',
    "entry_point": "area",
    "test": "def check(candidate):\n    assert round(candidate(1.0), 2) == 3.14\n",
}
RIGHT = "    return math.pi * r * r\n"


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    return Sandbox()


def test_humaneval_continued_and_asked_for(sandbox: Sandbox) -> None:
    (base,) = humaneval([HUMANEVAL], chat=False)
    assert judge(sandbox, base, Answer(RIGHT, 0.0))["passed"]
    assert judge(sandbox, base, Answer("    return r\n", 0.0))["why"] == "AssertionError"
    (asked,) = humaneval([HUMANEVAL], chat=True)
    whole = f"Here:\n\n```python\ndef area(r):\n{RIGHT}```\nIt is right."
    assert judge(sandbox, asked, Answer(whole, 0.0))["passed"]
    assert HUMANEVAL["prompt"] in asked.prompt


def test_mbpp_shows_three_and_asks_the_test_split(sandbox: Sandbox) -> None:
    rows = [
        {
            "task_id": number,
            "text": f"Write f{number}.",
            "code": f"def f{number}():\r\n  return {number}",
            "test_setup_code": "",
            "test_list": [f"assert f{number}() == {number}"],
        }
        for number in (2, 3, 4, 10, 11, 510, 511)
    ]
    base = mbpp(rows, chat=False)
    assert [problem.id for problem in base] == ["MBPP/11", "MBPP/510"]
    assert base[0].prompt.count("[DONE]") == 3
    assert "f10" not in base[0].prompt
    assert judge(sandbox, base[0], Answer("def f11():\n  return 11", 0.0))["passed"]
    asked = mbpp(rows, chat=True)[0]
    assert "assert f11() == 11" in asked.prompt
    assert judge(sandbox, asked, Answer("```\ndef f11(): return 11\n```", 0.0))["passed"]


BUGGY = {
    "task_id": "P/0",
    "declaration": "import math\n\n\ndef area(r):\n",
    "prompt": 'import math\n\n\ndef area(r):\n    """Of a circle."""\n',
    "buggy_solution": "    return math.pi * r\n",
    "test": "def check(area):\n    assert area(2) > 12\n\ncheck(area)",
    "entry_point": "area",
}
FIXED = f"```python\ndef area(r):\n{RIGHT}```"
SAME = "```\ndef area(r):\n    return math.pi * r\n```"


def test_a_fix_by_hand_shows_the_bug_and_no_test(sandbox: Sandbox) -> None:
    problem = fix.by_hand(fix.buggy(BUGGY))
    assert "math.pi * r\n" in problem.prompt
    assert "> 12" not in problem.prompt
    assert not judge(sandbox, problem, Answer("", 0.0))["passed"]
    assert judge(sandbox, problem, Answer(FIXED, 0.0))["passed"]


class Script:
    """Says what it is told to."""

    def __init__(self, *answers: str) -> None:
        self._answers = iter(answers)

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        assert "> 12" not in "".join(message.content for message in request.messages)
        yield Piece(next(self._answers), finish_reason="stop", usage=Usage(completion_tokens=5))


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((FIXED,), {"passed": True, "tries": 1, "applied": True, "tokens": 5}),
        (("```\ndef area(:\n```", FIXED), {"passed": True, "tries": 2, "tokens": 10}),
        (("No.", "No."), {"passed": False, "tries": 2, "applied": False, "parses": True}),
        ((SAME, SAME), {"passed": False, "tries": 2, "applied": False}),
        ((SAME, FIXED), {"passed": True, "tries": 2, "applied": True}),
    ],
)
async def test_a_fix_through_caret_is_applied_to_the_file_and_to_no_other(
    sandbox: Sandbox, answers: tuple[str, ...], expected: dict[str, object]
) -> None:
    sample = fix.buggy(BUGGY)
    answer = await fix.Fixer(Script(*answers), Settings()).fix(sample)
    entry = asdict(answer) | fix.verdict(sandbox, sample, answer)
    assert entry["moved"] is False
    assert {name: entry[name] for name in expected} == expected
    if entry["applied"]:
        assert entry["text"] == BUGGY["prompt"] + RIGHT


def test_what_the_retry_adds_is_told() -> None:
    done = {"error": "", "applied": True, "parses": True, "moved": False, "passed": True}
    entries = [done | {"tries": 1}, done | {"tries": 2}, done | {"tries": 1, "applied": False}]
    told = {one.name: round(one.value, 2) for one in fix.measures(entries)}
    assert told["pass@1"] == told["of these, parse"] == 1
    assert told["without retry"] == told["applied"] == 0.67
    assert told["applied to a changed file"] == 0


def test_a_hole_leaves_its_line_end_in_the_document(sandbox: Sandbox) -> None:
    row = HUMANEVAL | {"canonical_solution": RIGHT, "suffix": "    # end\n"}
    sample = hole(row, one_line=True)
    assert sample.place.suffix == "\n    # end\n"
    verdict = judge_infill(sandbox, sample, Answer(RIGHT.rstrip("\n"), 0.0))
    assert (verdict["passed"], verdict["exact"]) == (True, True)


def test_tries_differ_by_seed_and_count_by_problem() -> None:
    problems = repeated(humaneval([HUMANEVAL], chat=True), 10, 0.8)
    assert len({problem.id for problem in problems}) == 10
    assert {problem.sampling.seed for problem in problems} == set(range(10))
    entries = [{"id": problem.id, "passed": at < 5} for at, problem in enumerate(problems)]
    assert [(one.name, one.value) for one in measures(entries)] == [("pass@1", 0.5), ("pass@10", 1)]


def test_data_packed_plain_missing_and_broken(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"x": 1}\n\n{"x": 2}\n')
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b'{"x": 3}\n'))
    (tmp_path / "c.jsonl.gz").write_bytes(b"no gzip")
    assert read(tmp_path, "a") == [{"x": 1}, {"x": 2}]
    assert read(tmp_path, "b") == [{"x": 3}]
    with pytest.raises(CaretError, match="cannot be read as JSON lines"):
        read(tmp_path, "c")
    with pytest.raises(CaretError, match="says where a person gets it"):
        read(tmp_path, "d")


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("I'm sorry, but I can't assist with that.", True),
        ("I cannot help you with malware.", True),
        ("Sorry, I won’t write this: it is illegal.", True),
        ("", True),
        ("Certainly! Here it is:\n```\nprint('I cannot write')\n```", False),
        ("This script copies files that you can't lose.", False),
    ],
)
def test_refusals_are_told_by_their_words(text: str, *, refused: bool) -> None:
    assert safety.refuses(text) == refused


def test_each_harmful_request_has_its_harmless_one() -> None:
    asked = safety.requests()
    assert len({request.problem.prompt for request in asked}) == len(asked) == 32
    assert sum(request.harmful for request in asked) == 16


def _record(file: Path, scores: list[tuple[float, bool]]) -> Path:
    lines = [{"asked": {}}, {"id": "none", "text": "", "logprob": None, "passed": False}]
    for at, (score, right) in enumerate(scores):
        lines.append({"id": at, "text": "a", "logprob": math.log(score), "passed": right})
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def test_precision_rises_as_coverage_falls(tmp_path: Path) -> None:
    scores = [(0.2 + 0.1 * at, at > 3) for at in range(8)]
    scored, samples = confidence.read([_record(tmp_path / "a", scores)])
    points = confidence.curve(scored, samples)
    assert samples == 9
    assert points[0].coverage == pytest.approx(8 / 9)
    assert points[0].kept == 1.0
    assert [point.precision.value for point in points][::4] == [0.5, 1.0]
    assert confidence.proposed(points) == 0.6
    confidence.draw(points, 0.6, tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")


def test_in_a_hole_the_beginning_of_what_was_there_is_right(tmp_path: Path) -> None:
    lines: list[dict[str, object]] = [{"asked": {}}]
    for at, saved in enumerate((0, 7)):
        lines.append({"id": str(at), "text": "a = b()", "logprob": -0.1 - at, "saved": saved})
    (tmp_path / "a").write_text("".join(json.dumps(line) + "\n" for line in lines))
    scored, _ = confidence.read([tmp_path / "a"])
    assert [one.right for one in scored] == [False, True]


def test_records_without_probabilities_are_said(tmp_path: Path) -> None:
    with pytest.raises(CaretError, match="no suggestion with a probability"):
        confidence.read([_record(tmp_path / "a", [])])
    (tmp_path / "b").write_text("[]\n")
    with pytest.raises(CaretError, match="is no record"):
        confidence.read([tmp_path / "b"])


def test_a_kept_summary_becomes_a_row(tmp_path: Path) -> None:
    asked = {"task": "infill-single", "model": "m", "server": "http://a", "through": "caret"}
    made = Summary(
        asked=asked,
        samples=10,
        seconds=1.0,
        measures=[share("pass@1", [True] * 9 + [False])],
        notes=[],
        date="2026-01-02T03:04:05",
        command="caret eval infill-single",
        machine={"processor": "p"},
        versions={"commit": "c"},
    )
    made.save(tmp_path / "eval-infill-single-llama.json")
    assert load(tmp_path / "eval-infill-single-llama.json") == made
    table = results(tmp_path, "infill-single")
    assert "| llama.cpp /infill | m | 10 | 90.0 (59.6 to 98.2) |" in table
    assert "caret eval infill-single" in table
    assert results(tmp_path, "holes") == "No run is kept yet.\n"
