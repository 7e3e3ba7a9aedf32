"""Where completions end, fed character by character as they stream."""

from __future__ import annotations

import pytest

from lsp_server.context import Site
from lsp_server.shape import shape_of
from lsp_server.stopping import Ending
from lsp_server.syntax import Syntax


def stream(text: str, site: Site, multiline: str = "auto") -> tuple[str, bool]:
    """(what is kept, whether the rest was never asked for)."""
    shape = shape_of(site, multiline)  # type: ignore[arg-type]  # a literal in every call
    ending = Ending(site, shape, Syntax(site))
    for size in range(len(text) + 1):
        end = ending.find(text[:size], final=False)
        if end is not None:
            return text[:end], True
    end = ending.find(text, final=True)
    assert end is not None
    return text[:end], False


@pytest.mark.parametrize(
    ("prefix", "suffix", "text", "kept"),
    [
        # one line
        ("x = ", "", "1\ny = 2", "1"),
        ("x = 1", "", "\ny = 2\nz = 3", "\ny = 2"),
        ("if a:\n    b\n", "", "    x = 1\n    y = 2", "    x = 1"),
        ("", "", "\n\n\nimport this", ""),
        ("f(a", "b)", "x, \n", "x, "),
        ("f(a", "b)", "\nx", ""),
        # a block that ends where the indentation falls
        ("def f():", "", "\n    a\n\n    b\n\n\ndef g():", "\n    a\n\n    b\n\n\n"),
        ("def f():\n", "", "    a\n    b\nc", "    a\n    b\n"),
        ("  if x:\n", "", "    a\n  else:\n", "    a\n"),
        ("def f():\n\t", "", "a\n\tb\nend = 1", "a\n\tb\n"),
        # with the closer that is still missing
        ("int f() {", "", "\n  a;\n}\n\nint g", "\n  a;\n}"),
        ("  f(() => {", "", "\n    a;\n  });\n  b", "\n    a;\n  });"),
        ("  if (x) {", "", "\n    a;\n  } else {\n    b;", "\n    a;\n  }"),
        ("if x; then", "", "\n  a\nfi\nb", "\n  a\nfi"),
        ("if x; then", "", "\n  a\nfile=1\nb", "\n  a\n"),
        ("for x in y; do", "", "\n  a\ndone < f\n", "\n  a\ndone < f"),
        # or without, when it follows
        ("int f() {\n", "\n}", "  a;\n  b;\n}\n", "  a;\n  b;\n"),
        ("if x; then\n", "\nfi", "  a\nfi\n", "  a\n"),
        # a bracket closed on a deeper line or on the same one
        ("f(", "", "a, b)\nc", "a, b)"),
        ("f(", "", "\n    a,\n    b)\nc", "\n    a,\n    b)"),
        ("x = {", "", '"}": 1}\ny', '"}": 1}'),
        # the line below comes again
        ("if a:\n", "\nb = 1\n", "    c\n    d\nb = 1\n", "    c\n    d\n"),
        ("{\n", "\nb = 1\n", "  c\nb = 1\n", "  c\n"),
    ],
)
def test_ends_while_it_streams(prefix: str, suffix: str, text: str, kept: str) -> None:
    shell, braces = prefix.endswith(("then", "do", "then\n")), prefix.rstrip().endswith(") {")
    language = "shellscript" if shell else "cpp" if braces else "python"
    assert stream(text, Site(prefix, suffix, language)) == (kept, True)


@pytest.mark.parametrize(
    ("prefix", "suffix", "text", "kept"),
    [
        ("x = ", "", "1", "1"),
        ("def f():", "", "\n    a\n    b", "\n    a\n    b"),
        ("int f() {", "", "\n  a;\n}", "\n  a;\n}"),
        ("if x; then", "", "\n  a\nfi", "\n  a\nfi"),
        ("{\n", "\n  b = 1\n", "", ""),
    ],
)
def test_ends_with_the_model(prefix: str, suffix: str, text: str, kept: str) -> None:
    assert stream(text, Site(prefix, suffix)) == (kept, False)


def test_always_takes_the_rest_of_the_block() -> None:
    site = Site("def f():\n    a\n    ", "\n    z\n")
    assert stream("b\n    c\n    z\n", site, "always") == ("b\n    c\n", True)
    assert stream("b\nx", site, "always") == ("b\n", True)
