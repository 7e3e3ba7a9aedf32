"""Where a text has filled the hole that it was asked for."""

from __future__ import annotations

import pytest

from lsp_server.context import Site
from lsp_server.hole import filling, is_past


@pytest.mark.parametrize(
    ("prefix", "suffix", "text", "filled"),
    [
        # all, where the model ends it
        ("for a in ", "\n\nd()\n", "b:\n    c()", "b:\n    c()"),
        ("if a:\n    b()\n", "\nd()\n", "else:\n    c()\n", "else:\n    c()\n"),
        # to the line below, though the model goes on
        ("if a:\n    ", "\n    c()\n", "b()\n    c()\n    d()", "b()\n"),
        # within the block
        ("def f():\n    ", "\n", "return a\n\n\nprint(f())\nprint(", "return a\n\n\n"),
        ("def f():\n    ", "\n    b()\n", "a()\nf()\nc", "a()\n"),
        ("def f():\n    ", "", "a()\n\nprint(f())", "a()\n\n"),
        ("def f():\n    ", "\n\nc()\n", "a()\n\n\nb()\n", "a()\n\n\n"),
        ("def f():\n    ", "", "a()\n\n# Use.\nb()", "a()\n\n"),
        ("a = 1\n", "\nc()\n", "def f():\n    b()\n\n\nd()\n", "def f():\n    b()\n\n\nd()\n"),
        ("int f() {\n  ", "", "a();\n}\n", "a();\n}\n"),
        ("if a:\n    ", "", "b()\nelse:\n    c()\n", "b()\nelse:\n    c()\n"),
        # nothing, where it writes anew what stands further below, or goes round in circles
        (
            "if a:\n    ",
            "\n    b()\n    c()\n    d()\n",
            "e()\n    f()\n    c()\n    d()",
            "",
        ),
        ("a = ", "\n", "1\ngo()\ngo()\ngo()\n", ""),
    ],
)
def test_what_fills_it(prefix: str, suffix: str, text: str, filled: str) -> None:
    assert filling(text, Site(prefix, suffix, "python"), ended=True) == filled


def test_a_directive_at_the_margin_stands_in_a_block() -> None:
    text = "a();\n#else\n  b();\n#endif\n}\n"
    assert filling(text, Site("int f() {\n  ", "", "cpp"), ended=True) == text


def test_a_text_that_was_cut_off_does_not_tell() -> None:
    site = Site("if a:\n    ", "\n    c()\n", "python")
    assert filling("b()\n    d()", site, ended=False) == ""
    assert filling("b()\n    c()\n    d", site, ended=False) == "b()\n"


def test_no_more_is_read_behind_it() -> None:
    site = Site("if a:\n    ", "\n    c()\n", "python")
    assert not is_past("b()\n    c()", site)
    assert is_past("b()\n    c()\n", site)
    assert is_past("go()\n    go()\n    go()\n", site)
    further = Site("if a:\n    ", "\n    b()\n    c()\n    d()\n", "python")
    assert not is_past("e()\n    c()\n    d()", further)
    assert is_past("e()\n    c()\n    d()\n", further)
