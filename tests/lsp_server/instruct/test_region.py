from __future__ import annotations

import pytest

from engine.errors import RequestError
from lsp_server.instruct.ask import Ask
from lsp_server.instruct.commands import COMMANDS
from lsp_server.instruct.place import Place, Problem
from lsp_server.instruct.region import task_of

TEXT = """import os
import sys

LIMIT = 3


@cache
def outer(x):
    # TODO(me): handle none
    def inner(y):
        return y

    return inner(x)


class Disk:
    radius = 1

    def area(self):
        return 0

# the median
# of some numbers

"""
LINES = TEXT.split("\n")


def line_of(text: str) -> int:
    return next(n for n, line in enumerate(LINES) if text in line)


def place(text: str, column: int = 0, until: str = "") -> Place:
    start = line_of(text), column
    end = (line_of(until), len(LINES[line_of(until)])) if until else start
    return Place("a.py", "python", TEXT, start, end)


@pytest.mark.parametrize(
    ("at", "until", "first", "last", "what"),
    [
        ("return y", "", "def inner", "return y", "the function `inner`"),
        ("return inner", "", "@cache", "return inner", "the function `outer`"),
        ("return 0", "", "def area", "return 0", "the function `area`"),
        ("LIMIT", "", "LIMIT", "LIMIT", "line 4"),
        ("import os", "", "import os", "import sys", "the code in lines 1 to 2"),
        ("import sys", "LIMIT", "import sys", "LIMIT", "the code in lines 2 to 4"),
        ("@cache", "return inner", "@cache", "return inner", "the function `outer`"),
    ],
)
def test_the_region_of_a_refactoring(at: str, until: str, first: str, last: str, what: str) -> None:
    task = task_of(Ask(COMMANDS["refactor"], place(at, until=until), instruction="x"))
    assert (task.region.first, task.region.last) == (line_of(first), line_of(last))
    assert task.what == what


def test_a_fix_holds_all_problems() -> None:
    rows = line_of("return y"), line_of("return inner")
    problems = tuple(Problem(row, row, "wrong") for row in rows)
    task = task_of(Ask(COMMANDS["fix"], place("return y"), problems))
    assert task.region.name == "outer"


def test_a_todo_is_found_in_its_function() -> None:
    task = task_of(Ask(COMMANDS["todo"], place("return inner")))
    assert (task.region.name, task.instruction) == ("outer", "handle none")
    with pytest.raises(RequestError, match="no TODO"):
        task_of(Ask(COMMANDS["todo"], place("LIMIT")))


def test_a_comment_of_several_lines_says_what_to_write() -> None:
    for at in (place("of some numbers"), Place("a.py", "python", TEXT, (22, 0), (22, 0))):
        task = task_of(Ask(COMMANDS["generate"], at))
        assert task.instruction == "the median\nof some numbers"


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (Ask(COMMANDS["explain"]), "needs a document"),
        (Ask(COMMANDS["ask"], instruction=" "), "needs a question"),
        (Ask(COMMANDS["debug"]), "paste the traceback"),
        (Ask(COMMANDS["fix"], place("LIMIT")), "nothing to fix"),
        (Ask(COMMANDS["doc"], place("LIMIT")), "no function or class here"),
        (Ask(COMMANDS["generate"], Place("a.py", "python", "\n\n")), "Say what to write"),
    ],
)
def test_what_is_missing_is_said(ask: Ask, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        task_of(ask)


def test_the_name_at_the_caret_is_explained() -> None:
    assert task_of(Ask(COMMANDS["explain"], place("LIMIT", 2))).what == "`LIMIT` on line 4"
