"""What is left of what the model wrote."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server import postprocess
from lsp_server.brackets import loose
from lsp_server.context import Site
from lsp_server.postprocess import Place
from lsp_server.shape import shape_of
from lsp_server.syntax import Syntax


def polish(text: str, site: Site, *, unfinished: bool) -> str:
    place = Place(site, shape_of(site, "auto"), Syntax(site), unfinished)
    return postprocess.polish(text, place)


def test_docstrings() -> None:
    assert doctest.testmod(postprocess, extraglobs={"Site": Site}).failed == 0


@pytest.mark.parametrize(
    ("prefix", "suffix", "text", "expected"),
    [
        # auto-inserted closers
        ("f(", ")", "a, b)", "a, b"),
        ("f(", ")", "g(x)", "g(x)"),
        ("f(g(", "))", "x), y)", "x"),
        ("f(g(", ")", "x), y)", "x), y"),
        ('print("', '")', 'hi")', "hi"),
        ('print("', '")', "hi :)", "hi :)"),
        ("if (x) {", "}", "\n  y();\n}", "\n  y();\n"),
        ("a[", "];", "i];", "i"),
        # closers that nothing waits for
        ("x = 1", "", "0)", "0"),
        ("", "", "}", ""),
        ("if (x) {\n  ", "\n}", "y();\n}", "y();"),
        ("class A {\n  void f() {\n    ", "\n}", "y();\n  }", "y();\n  }"),
        ("class A {\n  void f() {\n    ", "\n}", "y();\n  }\n}", "y();\n  }"),
        # the rest of the line comes again
        ("x = ", " + 1", "a + 1", "a"),
        ("f(", "x, y)", "a, x, y)", "a, "),
        ("return ", ";", "x;", "x"),
        ("f(", "x)", "prefi", "prefi"),
        ("f(", "x)", "max", "max"),
        # the lines below come again
        ("    ", "\n    return x\n", "a()\n    return x", "a()"),
        ("    ", "\n\n    b()\n    c()\n", "a()\n    b()\n    c()", "a()"),
        ("    ", "\n    return x\n", "return x", ""),
        ("def f():\n", "\nreturn x", "    return x", "    return x"),
        # noise
        ("x", "", "  \n", ""),
        ("x", "", "", ""),
        ("    i += 1\n    ", "", "i += 1", ""),
        # white space at the end
        ("x = ", "", "1  \n\n", "1"),
    ],
)
def test_polish(prefix: str, suffix: str, text: str, expected: str) -> None:
    assert polish(text, Site(prefix, suffix), unfinished=False) == expected


def test_half_a_line_goes_when_it_is_not_the_only_one() -> None:
    site = Site("def f():", "", "python")
    assert polish("\n    a = 1\n    b = ", site, unfinished=True) == "\n    a = 1"
    assert polish(" return veryl", site, unfinished=True) == " return veryl"


CODE = st.text("ab ()[]{}\n\"';,", max_size=20)


@given(CODE, CODE, CODE)
def test_text_is_only_taken_from_its_end(prefix: str, suffix: str, text: str) -> None:
    site = Site(prefix, suffix)
    polished = polish(text, site, unfinished=False)
    assert text.startswith(polished)


@given(st.text("a()[{\n", max_size=20), st.text("a()\n", max_size=20))
def test_no_closer_without_an_opener(prefix: str, text: str) -> None:
    before = len(loose(prefix, "")[0])
    site = Site(prefix, "")
    polished = polish(text, site, unfinished=False)
    assert len(loose(prefix + polished, "")[0]) == before
