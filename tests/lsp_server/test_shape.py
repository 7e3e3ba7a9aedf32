"""Line, block or inside of the line."""

from __future__ import annotations

import pytest

from lsp_server.context import Site
from lsp_server.shape import Shape, shape_of

LINE, INLINE = Shape("line"), Shape("inline")


@pytest.mark.parametrize(
    ("prefix", "suffix", "expected"),
    [
        # text after the caret
        ("x = f(", "a, b)", INLINE),
        ("if (", ") {\n", INLINE),
        # closers after the caret
        ("x = a[", "]", Shape("block", 1, "bracket", closed=True)),
        ('print("', '")', LINE),
        # a line
        ("x = 1\n", "", LINE),
        ("def f(a:", "", LINE),
        ("def f():\n    a = 1\n", "\n    return a\n", LINE),
        # a block begins on this line
        ("def f():", "", Shape("block", 1)),
        ("    for x in y:", "\n    return z\n", Shape("block", 5)),
        ("if (x) {", "}", Shape("block", 1, "bracket", closed=True)),
        ("if (x) {", "", Shape("block", 1, "bracket")),
        ("if true; then", "\nfi", Shape("block", 1, "word", closed=True)),
        ("while read x; do", "\necho", Shape("block", 1, "word")),
        # the caret stands in an empty one
        ("def f():\n    ", "", Shape("block", 1)),
        ("class A {\n\tvoid f() {\n\t\t", "\n\t}\n}", Shape("block", 5, "bracket", closed=True)),
        ("f() {\n\n", "", Shape("block", 1, "bracket")),
        ('def f():\n    """Say."""\n    ', "", Shape("block", 1)),
        ('def f():\n    r"""Say\n\n    it all.\n    """\n    ', "\nx", Shape("block", 1)),
        ("int f() {\n  // Why.\n  ", "\n}", Shape("block", 1, "bracket", closed=True)),
        ('x = """\n    it all.\n    """\n', "", LINE),
        # the block has its body already
        ("def f():\n", "\n    return 1\n", LINE),
        ("if (x) {", "\n  y();\n}", LINE),
    ],
)
def test_auto(prefix: str, suffix: str, expected: Shape) -> None:
    language = "shellscript" if prefix.endswith(("then", "do")) else "python"
    assert shape_of(Site(prefix, suffix, language), "auto") == expected


def test_never_and_always() -> None:
    body, middle = Site("def f():", ""), Site("def f():\n    a = 1\n    ", "\n    return a")
    assert shape_of(body, "never") == LINE
    assert shape_of(middle, "always") == Shape("block", 4)
    assert shape_of(Site("def f():\n", "\n    return 1\n"), "always") == Shape("block", 1)
    assert shape_of(Site("x = ", "y"), "always") == INLINE
