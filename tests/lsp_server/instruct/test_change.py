from __future__ import annotations

import pytest

from lsp_server.instruct.change import Change, NoCodeError, complaints_about
from lsp_server.instruct.target import Target
from tests.answers import TEXT, after, block, made, task, told


def test_a_method_takes_its_own_place_and_indentation() -> None:
    new = "def area(self):\n    return math.pi * self.r**2"
    result = after("todo", 11, block(new))
    old = "    def area(self):\n        # TODO: use math.pi\n        return 0\n"
    assert result == TEXT.replace(old, "    def area(self):\n        return math.pi * self.r**2\n")


def test_a_method_that_begins_at_the_margin_and_goes_on_as_it_stood() -> None:
    new = "def area(self):\n        return 1"
    assert "    def area(self):\n        return 1\n\n    def half" in after("todo", 11, block(new))


def test_of_a_whole_class_only_the_method_is_taken() -> None:
    new = "class Disk:\n    def area(self):\n        return 2\n\n    def half(self):\n        pass"
    result = after("todo", 11, block(new))
    assert "return 2" in result
    assert "self.area() / 2" in result


def test_new_imports_go_to_the_others() -> None:
    new = "import math\nimport re\n\ndef helper(x):\n    return re.escape(x)"
    result = after("fix", 6, block(new))
    assert "import math\nimport re\n\n\ndef helper(x):\n    return re.escape(x)\n" in result


def test_imports_that_nothing_uses_are_left_out() -> None:
    new = "from shapes import helper\nfrom typing import *\n\ndef helper(x):\n    return x + 1"
    assert after("fix", 6, block(new)) == TEXT.replace("    return x\n", "    return x + 1\n")


def test_a_first_import_goes_behind_the_docstring() -> None:
    text = '"""Doc."""\n\n\ndef f(x):\n    return x\n'
    result = after("fix", 4, block("import re\n\ndef f(x):\n    return re.escape(x)"), text)
    assert result.startswith('"""Doc."""\n\n\nimport re\n\ndef f(x):\n    return re.')


def test_a_function_nobody_asked_for_is_left_out_of_a_fix() -> None:
    new = "def helper(x):\n    return x + 1\n\ndef median(values):\n    return 0"
    result = after("fix", 6, block(new))
    assert "return x + 1" in result
    assert "median" not in result


def test_a_refactoring_may_bring_a_new_function() -> None:
    new = "def _twice(x):\n    return 2 * x\n\ndef helper(x):\n    return _twice(x)"
    assert "def _twice(x):" in after("refactor", 6, block(new), instruction="Split it.")


def test_a_todo_that_is_done_goes() -> None:
    new = "def area(self):\n    # TODO: use math.pi\n    return math.pi"
    assert "TODO" not in after("todo", 11, block(new))


def test_edits_touch_only_the_lines_that_differ() -> None:
    new = block("def area(self):\n    # TODO: use math.pi\n    return 3")
    change = made("refactor", 11, new, instruction="Return 3.")
    assert change is not None
    (edit,) = change.edits
    assert (edit.first, edit.last, edit.lines) == (12, 13, ("        return 3",))


def test_code_as_it_is_changes_nothing() -> None:
    assert made("fix", 6, block("def helper(x):\n    return x")) is None


@pytest.mark.parametrize("answer", ["No code.", "```python\ndef helper(", "```\n\n```"])
def test_an_answer_without_a_whole_block_is_none(answer: str) -> None:
    with pytest.raises(NoCodeError):
        made("fix", 6, answer)


def test_what_does_not_parse_is_told_in_words() -> None:
    (said,) = told("fix", 6, block("def helper(x):\n    return (x"))
    assert "line 7" in said
    assert "never closed" in said


def test_a_file_that_did_not_parse_may_go_on_like_that() -> None:
    text = "x = (\n\n\ndef g(a):\n    return a\n"
    assert told("fix", 4, block("def g(a):\n    return 1"), text) == []


@pytest.mark.parametrize("language", ["javascript", "go", "rust", "java", "c", "cpp"])
def test_faults_are_found_by_the_grammar(language: str) -> None:
    good = "int f() { return 1; }\n"
    good = {
        "javascript": "function f() { return 1 }\n",
        "go": "package p\n\nfunc f() int { return 1 }\n",
        "rust": "fn f() -> i32 { 1 }\n",
        "java": "class A { int f() { return 1; } }\n",
    }.get(language, good)
    asked = task("refactor", 2, good, language, instruction="Shorter.")
    assert complaints_about(asked, Change("a", good, good + "\n")) == []
    assert complaints_about(asked, Change("a", good, good.replace("}", "", 1)))


def test_generated_code_stands_below_its_comment() -> None:
    text = "x = 1\n\n# double x\n\ny = 2\n"
    assert after("generate", 2, block("x *= 2"), text) == "x = 1\n\n# double x\nx *= 2\n\ny = 2\n"


def test_generated_code_takes_the_place_of_a_blank_line() -> None:
    text = "def f(x):\n    # double x\n    \n    return x\n"
    expected = "def f(x):\n    # double x\n    x *= 2\n    return x\n"
    assert after("generate", 2, block("x *= 2"), text) == expected


def test_generated_code_repeats_nothing_of_the_file() -> None:
    text = "import math\n\n\ndef f():\n    return 1\n\n\n# the second\n"
    new = "import math\nimport re\n\ndef f():\n    return 1\n\ndef g():\n    return re.I"
    result = after("generate", 7, block(new), text)
    assert result.count("def f") == result.count("import math") == result.count("import re") == 1
    assert result.index("import re") < result.index("def f")
    assert result.index("# the second") < result.index("def g")
    with pytest.raises(NoCodeError):
        made("generate", 7, block("import math\n\ndef f():\n    return 1"), text)


def test_tests_make_a_file() -> None:
    target = Target("tests/test_shapes.py", "pytest")
    change = made("test", 6, block("def test_it():\n    assert 1"), target=target)
    assert change == Change("tests/test_shapes.py", None, "def test_it():\n    assert 1\n")


def test_tests_are_added_to_the_file_that_there_is() -> None:
    before = "import pytest\n\n\ndef test_a():\n    assert 1\n"
    target = Target("tests/test_shapes.py", "pytest", before=before)
    new = "import pytest\nfrom shapes import helper\n\ndef test_b():\n    assert helper(1)"
    change = made("test", 6, block(new), target=target)
    assert change is not None
    assert change.after.startswith("import pytest\nfrom shapes import helper\n\n\ndef test_a():")
    assert change.after.endswith("assert 1\n\n\ndef test_b():\n    assert helper(1)\n")


def test_tests_get_the_imports_that_they_lack() -> None:
    text = "from math import pi, tau\n\nLIMIT = 3\n\n\ndef half(x):\n    return x * pi / LIMIT\n"
    new = "import pytest\n\ndef test_half():\n    one = tau\n    assert half(one) < LIMIT + pi"
    change = made(
        "test", 5, block(new), text, target=Target("tests/test_a.py", "pytest", module="app.a")
    )
    assert change is not None
    added = "from math import pi, tau\nfrom app.a import LIMIT, half\n"
    assert change.after == new.replace("pytest\n", f"pytest\n{added}", 1) + "\n"


def test_tests_in_a_file_that_imports_the_names_need_none() -> None:
    before = "from shapes import helper\n\n\ndef test_a():\n    assert helper(1)\n"
    target = Target("tests/test_shapes.py", "pytest", before=before, module="shapes")
    change = made("test", 6, block("def test_b():\n    assert helper(2)"), target=target)
    assert change is not None
    assert change.after.count("import") == 1


def test_of_a_documented_function_only_the_comment_is_taken() -> None:
    new = 'def helper(y):\n    """Give it back.\n\n    Always.\n    """\n    return y + 1'
    expected = TEXT.replace(
        "def helper(x):\n", 'def helper(x):\n    """Give it back.\n\n    Always.\n    """\n'
    )
    assert after("doc", 6, block(new)) == expected


def test_the_docstring_of_a_class_around_it_is_not_its_own() -> None:
    new = 'class Disk:\n    """A disk."""\n\n    def area(self):\n        """The area."""'
    assert '        """The area."""\n        # TODO' in after("doc", 12, block(new))


@pytest.mark.parametrize(
    ("other", "begins"),
    [('"""Other."""', '    """New.\n\n'), ('"""\n    Other.\n    """', '    """\n    New.\n\n')],
)
def test_a_docstring_begins_as_the_file_has_it(other: str, begins: str) -> None:
    text = f"def f(x):\n    return x\n\n\ndef g():\n    {other}\n"
    new = 'def f(x):\n    """\n    New.\n\n    Old.\n    """\n    return x'
    assert after("doc", 1, block(new), text).startswith(f"def f(x):\n{begins}    Old.\n")


def test_an_old_docstring_goes() -> None:
    text = 'def f(\n    x,\n):\n    """Old\n    one.\n    """\n    return x\n'
    expected = 'def f(\n    x,\n):\n    """New."""\n    return x\n'
    assert after("doc", 6, block('def f(x):\n    """New."""\n    return x'), text) == expected


def test_a_docstring_stands_above_a_comment() -> None:
    result = after("doc", 12, block('def area(self):\n    """The area."""'))
    assert 'def area(self):\n        """The area."""\n        # TODO' in result


def test_a_function_on_one_line_cannot_have_a_docstring() -> None:
    with pytest.raises(NoCodeError):
        made("doc", 0, block('def f(x):\n    """Doc."""'), "def f(x): return x\n")


@pytest.mark.parametrize(
    ("language", "text", "comment"),
    [
        ("go", "package p\n\nfunc F() int {\n\treturn 1\n}\n", "// F is one."),
        ("javascript", "\nconst a = 1;\nfunction F() {\n  return 1;\n}\n", "/**\n * Is one.\n */"),
        ("rust", "struct A;\n\nfn F() -> i32 {\n    1\n}\n", "/// Is one."),
    ],
)
def test_other_comments_stand_above(language: str, text: str, comment: str) -> None:
    lines = text.split("\n")
    old = next(line for line in lines if "F()" in line)
    answer = block(f"{comment}\n{old}\n  changed\n}}")
    assert after("doc", 3, answer, text, language=language) == text.replace(
        old, f"{comment}\n{old}"
    )
    again = text.replace(old, f"{comment.replace('one', 'two')}\n{old}")
    row = again.split("\n").index(old)
    assert after("doc", row, answer, again, language=language) == text.replace(
        old, f"{comment}\n{old}"
    )
