"""The parts that differ, and that finding them takes no more than the lines do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.instruct.change import Change
from lsp_server.instruct.difference import changes, matches

LINES = st.lists(st.sampled_from(["", "}", "a", "b", "c", "return"]), max_size=80)


class Line(str):
    """Counts how often lines are compared or hashed."""

    __slots__ = ()
    steps = 0

    def __eq__(self, other: object) -> bool:
        Line.steps += 1
        return str.__eq__(self, str(other))

    def __hash__(self) -> int:
        Line.steps += 1
        return str.__hash__(self)


def steps(functions: int) -> int:
    """Return the steps for an import and many changes in a file of similar functions."""
    old = ["import os", ""] + ["def f(x):", "    y = x", "    return y", ""] * functions
    new = ["import os", "import re", ""]
    for number in range(functions):
        new += ["def f(x):", "    y = re.x" if number % 3 else "    y = x", "    return y", ""]
    Line.steps = 0
    assert list(changes([*map(Line, old)], [*map(Line, new)]))
    return Line.steps


def test_twice_the_lines_are_twice_the_work() -> None:
    assert steps(4_000) < 2.2 * steps(2_000)


def test_few_edits_of_a_long_file() -> None:
    old = "import os\n" + "def f(x):\n    return x\n\n" * 3_000
    rows = old.split("\n")
    rows[8_990] = "    return 2 * x"
    after = "\n".join(["import re", *rows])
    first, second = Change("a.py", old, after).edits
    assert (first.first, first.last, first.lines) == (0, 0, ("import re",))
    assert (second.first, second.last, second.lines) == (8_990, 8_991, ("    return 2 * x",))


@given(LINES, LINES)
def test_the_changes_make_the_new_of_the_old(old: list[str], new: list[str]) -> None:
    made, at = list[str](), 0
    for first, last, start, end in changes(old, new):
        made += [*old[at:first], *new[start:end]]
        at = last
    assert [*made, *old[at:]] == new
    runs = matches(old, new)
    assert all(old[at : at + size] == new[to : to + size] for at, to, size in runs)
