"""What a parser says of a suggestion, read anew only where it touches the window."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.context import Site, site_at
from lsp_server.documents import split_lines
from lsp_server.syntax import AFTER, BEFORE, PARSE_S, Syntax, errors
from lsp_server.workspace.grammars import parser

BODY = "".join(
    f"def f_{n}(a):\n    if a:\n        return {n}\n    return a\n\n\n" for n in range(9_000)
)
PIECES = st.lists(
    st.sampled_from(["a", " = ", "1", "(", ")", "{", "}", "if a:", "\n", "    ", "'", ";", "é"]),
    max_size=12,
).map("".join)


@given(PIECES, PIECES, PIECES, st.sampled_from(["javascript", "cpp", "lua"]))
def test_it_is_as_if_read_anew(prefix: str, suffix: str, text: str, language: str) -> None:
    anew = Syntax(Site(prefix + text, suffix, language)).now
    assert bool(Syntax(Site(prefix, suffix, language)).errors(text)) == bool(anew)


@given(PIECES, PIECES, PIECES)
def test_no_error_of_the_grammar_is_missed_in_python(prefix: str, suffix: str, text: str) -> None:
    """Python's own complaints depend on where the caret is: only the grammar's can be compared."""
    source = f"x = 1\n{prefix}{text}{suffix}".encode()
    anew = errors(parser("python")[0].parse(source).root_node)
    assert bool(Syntax(Site("x = 1\n" + prefix, suffix, "python")).errors(text)) >= bool(anew)


@pytest.mark.parametrize(
    ("language", "prefix", "suffix", "allowed"),
    [
        ("python", "a = 1\n", "\n", 0),
        ("python", "a = (", "\nb = 1\n", 0),
        ("python", "if (", "\n    b()\nelse:\n    c()\n", 0),
        ("python", "x = (\ny = ", "\n", 1),
        ("javascript", "if (a", "\n  b()\n}\nc()\n", 0),
        ("javascript", "f(a", "\n  b,\n  c)\n", 0),
        ("php", "<?php\nfunction f() {\n  $a = ", "\n}\n", 0),
        ("", "((", "", 0),
    ],
)
def test_errors_that_are_the_carets_own_are_not_allowed(
    language: str, prefix: str, suffix: str, allowed: int
) -> None:
    assert Syntax(Site(prefix, suffix, language)).allowed == allowed


@pytest.mark.parametrize("prefix", ["    pri", "if a:\n    pri"])
def test_a_line_that_begins_at_a_strange_depth_may_go_on(prefix: str) -> None:
    assert not Syntax(Site(prefix, "\n", "python")).is_worse("nt(x)")


@pytest.mark.parametrize(
    ("prefix", "suffix", "text"),
    [
        ("while a:", "\n    b()\n", "\n    if c:"),
        ("def f():\n    if a:\n        b()\n", "\n    c()\n", "    else:"),
    ],
)
def test_a_line_that_has_a_body_is_at_no_strange_depth(prefix: str, suffix: str, text: str) -> None:
    assert Syntax(Site(prefix, suffix, "python")).is_worse(text)


def test_lines_at_another_depth_break_python() -> None:
    assert Syntax(Site("a = 1\n", "\nb = 1\n", "python")).is_worse("c = 1\n    d = 2")


def test_the_window_of_a_long_file_is_whole() -> None:
    """54,000 lines, of which few are read."""
    lines = split_lines(BODY)
    line = 6 * 5_000 + 1
    site = site_at(lines, line, len("    if a"), language="python")
    syntax = Syntax(site)
    assert BODY.count("\n") > 50_000
    assert len(syntax.source) <= BEFORE + AFTER
    assert syntax.now == 0
    assert not syntax.is_worse(" and a")
    assert syntax.is_worse(" and")


@pytest.mark.parametrize(
    ("language", "text"),
    [("lua", ")" * 4_000), ("shellscript", ")" * 4_000), ("ruby", "`" * 4_000)],
)
def test_a_text_that_takes_a_parser_too_long_counts_as_unknown(
    language: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count()
    monkeypatch.setattr("time.thread_time", lambda: next(ticks) * PARSE_S / 20)
    around = Syntax(Site(text, "", language))

    assert not around.is_known
    assert not around.is_whole("x")
    assert not around.is_worse("(")
    assert next(ticks) < 40  # looks at the clock: it gave up, and did not try again


@pytest.mark.parametrize(
    "text",
    ["(" * 24_000, "-" * 24_000, "a." * 12_000, "not " * 6_000, "[" * 24_000, "lambda:" * 3_000],
)
def test_a_deep_text_ends_nothing(text: str) -> None:
    around = Syntax(Site(text, "", "python"))
    assert around.errors("x") >= 0
    assert around.allowed >= 0
