"""Where statements and blocks end in each kind of language, fed character by character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.context import Site
from lsp_server.shape import shape_of
from lsp_server.stopping import Ending
from lsp_server.syntax import Syntax

CASES = {
    "python": [
        ("", "", "if x:\n    a\n\n    b\n", "c\n"),
        ("", "", "try:\n    a\nexcept E:\n    b\n", "c\n"),
        ("try:", "", "\n    a\nfinally:\n    b\n", "c\n"),
        ("x = ", "", "f(\n    1,\n    2,\n)", "\ny"),
        ("x = ", "", "1 + \\\n    2", "\ny = 3\n"),
        ("x = ", "", '"""\na\n"""', "\ny\n"),
        ("def f():", "", '\n    x = """\na\n"""\n    return x\n', "g()\n"),
        ('def f():\n    """Say.\n\n    ', '\n    """\n', "It says it all.", "\n    It ends.\n"),
        ("class A:\n    ", "", "def f(self):\n        a\n\n        b\n\n", "    def g(self):\n"),
        ("if ", "\n    b()\n", "a:", "\n    c()\n"),
    ],
    "javascript": [
        ("", "", "if (a) {\n  b()\n}", "\nc()\n"),
        ("", "", "if (a) {\n  b()\n}", " else {\n  d()\n}\nc()\n"),
        ("x = ", "", "`a\nb`", "\nc\n"),
        ("return ", "", 's.replace(/\\)/g, "");', "\nc\n"),
        ("  if (a", "\n    b()\n  }", ") {", "\n    c()\n"),
        ("", "", "try {\n  a()\n} catch (e) {\n  b()\n}", "\nc()\n"),
        ("", "", "do {\n  a()\n} while (b);", "\nc()\n"),
        ("x.then(", "", "() => {\n  a()\n}, 10);", "\nc()\n"),
        ("const f = ", "", "(a) => {\n  return { b: '}' };\n};", "\nc()\n"),
    ],
    "cpp": [
        ("switch (a) {", "", "\ncase 1:\n  b();\n  break;\n\ndefault:\n  c();\n}", "\nd();\n"),
        ("void f() {", "", "\n  a();\n#ifdef B\n  b();\n#endif\n}", "\n\nvoid g() {\n"),
        ("int x = ", "", "a ||\n        b;", "\nc();\n"),
    ],
    "rust": [
        ("if ", "", "c == ')' {\n    a();\n}", "\nb();\n"),
    ],
    "php": [
        ("<?php\nputenv($a . '=ex", "\n$b = 1;\n", "ample.com');", "\n$c = 2;\n$d = 3;\n"),
    ],
    "java": [
        ("class A {\n  ", "\n}", "void f() {\n    a();\n\n    b();\n  }", "\n\n  void g() {\n"),
    ],
    "shellscript": [
        ("", "", "if a; then\n  b\nelse\n  c\nfi", "\nd\n"),
        ("case $1 in", "", "\n-a)\n  b\n  ;;\n*)\n  c\n  ;;\nesac", "\nd\n"),
        ("case $1 in\n  -a)", "\n  *)", "\n    b\n    c\n    ;;", "\n  -b)\n"),
        ("case $1 in", "", "\n-a | --all)\n  b\n  ;;\n[Yy]*)\n  c\n  ;;\nesac", "\nd\n"),
        ("case $1 in\n  -a | --all)", "\n  *)", "\n    b\n    c\n    ;;", "\n  -b)\n"),
        ("f() {", "", "\n  a\n\n  b\n}", "\ng\n"),
        ("a", '"\n', '="$1"', '\nb="$2"\n'),
        ("if a; then\n  ", "\nfi", "if b; then\n    c\n  fi", "\nfi\n"),
    ],
    "ruby": [
        ("def f(a)", "", "\n  a.each do |b|\n    p b\n  end\nend", "\n\ndef g\n"),
        ("", "", "if a\n  b\nelsif c\n  d\nelse\n  e\nend", "\nf\n"),
        ("  def f", "\n  end\nend\n", "\n    a\n\n    b\n", "  end\n"),
        ("x = ", "", "[\n  1,\n]", "\ny\n"),
    ],
    "lua": [
        ("local function f(a)", "", "\n  return a\nend", "\n\nlocal b\n"),
        ("", "", "if a then\n  b()\nelse\n  c()\nend", "\nd()\n"),
        ("on(", "", "function(a)\n  b()\nend)", "\nc()\n"),
        ("", "", "repeat\n  a()\nuntil b", "\nc()\n"),
    ],
}


def kept(language: str, prefix: str, suffix: str, text: str) -> str | None:
    """What is kept of a text that never ends; None if all of it was asked for."""
    site = Site(prefix, suffix, language)
    ending = Ending(site, shape_of(site, "auto"), Syntax(site))
    for size in range(len(text) + 1):
        end = ending.find(text[:size], final=False)
        if end is not None:
            return text[:end]
    return None


@pytest.mark.parametrize(
    ("language", "prefix", "suffix", "whole", "more"),
    [(language, *case) for language, cases in CASES.items() for case in cases],
)
def test_it_ends_with_the_statement_or_block(
    language: str, prefix: str, suffix: str, whole: str, more: str
) -> None:
    found = kept(language, prefix, suffix, whole + more)
    assert found is not None
    assert found.rstrip() == whole.rstrip()


@pytest.mark.parametrize("unit", ["go(1)\n", "a = 1\nb = 2\n", "\n"])
def test_circles_end(unit: str) -> None:
    found = kept("python", "def f():\n    ", "", ("    " + unit).lstrip() + ("    " + unit) * 9)
    assert found is not None
    assert found.count(unit.split("\n")[0]) < 4


def test_a_line_that_goes_round_ends() -> None:
    found = kept("python", "x = [", "", "1, 2, " * 50)
    assert found is not None
    assert len(found) < 200


def test_white_space_without_end_is_nothing() -> None:
    assert kept("python", "    ", "", " " * 200) == ""


def test_pieces_of_any_size_end_alike() -> None:
    for language, cases in CASES.items():
        for prefix, suffix, whole, more in cases:
            site, text = Site(prefix, suffix, language), whole + more
            at_once = Ending(site, shape_of(site, "auto"), Syntax(site)).find(text, final=True)
            assert text[:at_once].rstrip() == whole.rstrip()


LINES = st.lists(
    st.sampled_from(
        [
            "a = 1",
            "if a:",
            "f(",
            "  b,",
            ")",
            "} else {",
            "{",
            "try {",
            "}",
            "end",
            "else",
            "`",
            '"""',
            "",
        ]
    ),
    max_size=8,
).map("\n".join)


@given(
    st.sampled_from(["", "if a {", "def f():", "x = ", "f("]),
    LINES,
    st.sampled_from(sorted(CASES)),
    st.integers(2, 9),
)
def test_it_does_not_matter_how_it_comes(prefix: str, text: str, language: str, size: int) -> None:
    site = Site(prefix, "\nz = 1\n", language)
    assert ended(site, text, 1) == ended(site, text, size)


def ended(site: Site, text: str, size: int) -> str:
    """What is kept of a text that comes in pieces of so many characters."""
    ending = Ending(site, shape_of(site, "auto"), Syntax(site))
    for until in range(size, len(text) + size, size):
        end = ending.find(text[:until], final=False)
        if end is not None:
            return text[:end]
    return text[: ending.find(text, final=True)]
