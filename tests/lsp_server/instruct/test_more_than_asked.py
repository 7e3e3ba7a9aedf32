"""Answers with more than was asked for, or less."""

from __future__ import annotations

import pytest

from lsp_server.instruct.change import NoCodeError
from tests.answers import TEXT, after, block, made, told


def test_an_import_brings_only_what_the_file_lacks() -> None:
    text = "from typing import (\n    Any,\n)\n\n\ndef f(x):\n    return x\n"
    new = "from __future__ import annotations\nfrom typing import Any, Optional, Sequence\n\n"
    new += "def f(x: Any) -> Optional[int]:\n    return x"
    result = after("fix", 6, block(new), text)
    head = "from typing import (\n    Any,\n)\nfrom typing import Optional\n\n\n"
    assert result == head + "def f(x: Any) -> Optional[int]:\n    return x\n"


def test_an_import_over_several_lines_is_taken_whole() -> None:
    new = "from math import (\n    pi,\n    tau,\n)\n\ndef helper(x):\n    return x * pi * tau"
    assert "import math\nfrom math import (\n    pi,\n    tau,\n)\n" in after("fix", 6, block(new))


def test_of_a_whole_file_the_function_and_its_import_are_taken() -> None:
    whole = TEXT.replace("import math", "import math\nimport re").replace("/ 2", "/ 3")
    result = after("fix", 6, block(whole.replace("return x", "return re.escape(x)")))
    expected = TEXT.replace("import math", "import math\nimport re")
    assert result == expected.replace("return x", "return re.escape(x)")


TWO = """class A:
    @property
    def size(self):
        return self._size

    @size.setter
    def size(self, value):
        self.size = value


class B:
    @property
    def size(self):
        return 0
"""


def test_of_several_with_one_name_the_one_in_question_is_taken() -> None:
    whole = TWO.replace("self.size = value", "self._size = value").replace("return 0", "return 1")
    assert after("fix", 7, block(whole), TWO) == TWO.replace("self.size =", "self._size =")
    assert after("fix", 13, block(whole), TWO) == TWO.replace("return 0", "return 1")


def test_of_a_php_file_the_method_is_taken() -> None:
    text = "<?php\nclass Disk {\n    function area() {\n        return 1;\n    }\n}\n"
    whole = text.replace("return 1", "return max(1, 2)")
    assert after("fix", 3, block(whole), text, language="php") == whole
    method = "function area() {\n    return max(1, 2);\n}"
    assert after("fix", 3, block(method), text, language="php") == whole


def test_an_answer_that_loses_the_function_is_refused() -> None:
    assert told("fix", 6, block("return x + 1")) == ["`helper` would be gone"]
    with pytest.raises(NoCodeError, match="other code than the function `half`"):
        made(
            "refactor", 15, block("class Disk:\n    def area(self):\n        pass"), instruction="x"
        )


def test_a_rewritten_function_may_have_a_new_name() -> None:
    assert "def same(x):" in after(
        "refactor", 6, block("def same(x):\n    return x"), instruction="x"
    )


def test_an_answer_that_repeats_the_file_is_refused() -> None:
    text = "import sys\n\n\ndef f():\n    return 1\n\n\nsys.exit(f() + x)\n"
    assert told("fix", 7, block(text.replace("+ x", "+ 1")), text) == ["`f` is there already"]


def test_a_docstring_that_the_answer_lacks_stays() -> None:
    text = 'class A:\n    def f(self):\n        """Two\n\n        lines."""\n        return x\n'
    result = after("fix", 1, block("def f(self):\n    return 1"), text)
    assert result == text.replace("return x", "return 1")
    assert made("fix", 1, block("def f(self):\n    return x"), text) is None


def test_white_space_at_line_ends_is_no_reason_for_an_edit() -> None:
    text = "def f(x):\n    y = x  \n    \n    return x\n"
    result = after("fix", 3, block("def f(x):\n    y = x\n\n    return y"), text)
    assert result == text.replace("return x", "return y")
