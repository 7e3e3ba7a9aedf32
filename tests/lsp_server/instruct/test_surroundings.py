from __future__ import annotations

import pytest

from lsp_server.instruct import budget
from lsp_server.instruct.place import Place
from lsp_server.instruct.surroundings import surroundings
from lsp_server.instruct.syntax import enclosing

FILLER = "\n\n".join(f"def filler_{n}(x):\n    return x + {n} + x + {n} + x" for n in range(200))
TEXT = f"""import math

LIMIT = 3
OTHER = 4

{FILLER}


def helper(x):
    return x * 2


class Disk:
    radius = 1

    def area(self):
        return helper(math.pi) * LIMIT

    def unused(self):
        return 0


{FILLER.replace("filler", "more")}
"""
MARK = "[… here …]"


def around(text: str, needle: str, room: int, language: str = "python") -> str:
    line = text[: text.index(needle)].count("\n")
    region = enclosing(text, language, line, line)
    assert region
    return surroundings(Place("a.py", language, text), region, MARK, room)


def test_a_short_file_is_shown_whole() -> None:
    text = "import a\n\n\ndef f():\n    return a.b\n\n\ndef g():\n    return f()\n"
    assert around(text, "a.b", 100) == f"import a\n\n\n{MARK}\n\n\ndef g():\n    return f()"


def test_where_there_is_nothing_else_nothing_is_shown() -> None:
    assert around("\n\ndef f():\n    return 1\n\n", "return", 100) == ""


def test_of_a_long_file_what_the_code_names_is_shown() -> None:
    shown = around(TEXT, "helper(math", 300)
    assert "import math\n" in shown
    assert "LIMIT = 3" in shown
    assert "def helper(x):\n    return x * 2\n" in shown
    assert f"class Disk:\n    radius = 1\n\n{MARK}\n\n    def unused(self):" in shown
    assert "x + 7" not in shown
    assert shown.index("import math") < shown.index(budget.CUT) < shown.index(MARK)


@pytest.mark.parametrize("room", [0, 20, 50, 100, 300, 1000, 3000, 100_000])
def test_it_fits_its_room_and_grows_with_it(room: int) -> None:
    shown = around(TEXT, "helper(math", room)
    assert budget.tokens(shown) <= room
    assert shown.count(MARK) == (room > 0 and shown != "")
    assert "return helper(math.pi)" not in shown
    if room == 100_000:
        assert shown == TEXT.replace(
            "    def area(self):\n        return helper(math.pi) * LIMIT", MARK
        ).strip("\n")


def test_signatures_come_before_bodies_that_nobody_names() -> None:
    shown = around(TEXT, "helper(math", 1500)
    assert "def filler_7(x):" in shown
    assert "+ 7 + x" not in shown


def test_other_languages() -> None:
    text = (
        "#include <a.h>\nstatic const int LIMIT = 3;\nint twice(int a) {\n  return a;\n}\n"
        + "int z;\n" * 500
    )
    text += "int f(void) {\n  return twice(LIMIT);\n}\n"
    shown = around(text, "twice(LIMIT)", 120, "c")
    assert (
        "#include <a.h>\nstatic const int LIMIT = 3;\nint twice(int a) {\n  return a;\n}\n" in shown
    )
