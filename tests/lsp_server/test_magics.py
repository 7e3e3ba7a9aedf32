"""In which language the text of a notebook's cell is."""

from __future__ import annotations

import pytest

from lsp_server.documents import Document
from lsp_server.magics import language_of_cell, without_magics


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", "x = 1", "python"),
        ("python", "", "python"),
        ("python", "%%bash\nls", "shellscript"),
        ("ipython", "\n  %%sh -e\nls", "shellscript"),
        ("python", "%%script lua\nx = 1", "lua"),
        ("python", "%%html\n<p>", "html"),
        ("python", "%%javascript\nx", "javascript"),
        ("python", "%%SQL\nSELECT 1", "sql"),
        ("python", "%%R -i x\ny <- x", "r"),
        ("python", "%%writefile a.ts\nx", "typescript"),
        ("python", "%%time\nx = 1", "python"),
        ("python", "%%timeit -n 3\nx = 1", "python"),
        ("python", "%%mystery\nx = 1", ""),
        ("python", "%sql\nSELECT 1", "sql"),
        ("python", "%md\r\n# A", "markdown"),
        ("python", "%sql SELECT 1\nx = 1", "python"),
        ("python", "%matplotlib\nx = 1", "python"),
        ("python", "%time x = 1\n", "python"),
        ("python", "# a\n%%bash\n", "python"),
        ("markdown", "%%bash", "markdown"),
        ("r", "%%bash", "r"),
    ],
)
def test_the_first_line_may_name_the_language(language: str, text: str, expected: str) -> None:
    assert language_of_cell(Document.open("a.ipynb", language, text)) == expected


def test_what_is_no_python_becomes_a_comment() -> None:
    magics = ["%time f()\n", "  !ls\n", "?f\n", "f.x??\n", "a = !ls\n", "b=%env X\n", "%%bash\n"]
    code = ["x = 1 % 2\n", "print('a?')\n", "x = a if b else c\n", "x != y\n", "\n"]
    assert list(without_magics(magics)) == [f"# {line}" for line in magics]
    assert list(without_magics(code)) == code
