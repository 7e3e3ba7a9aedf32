"""What is left of what the model wrote."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server import postprocess
from lsp_server.brackets import CLOSERS, loose
from lsp_server.context import Site
from lsp_server.postprocess import Place
from lsp_server.shape import shape_of
from lsp_server.syntax import Syntax


def polish(text: str, site: Site, *, unfinished: bool) -> str:
    place = Place(site, shape_of(site, "auto"), Syntax(site), unfinished)
    return postprocess.polish(text, place)


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


@pytest.mark.parametrize(
    ("language", "prefix", "suffix", "text", "expected"),
    [
        # what follows comes again, in other white space
        ("python", "    ", "\n    return f(x, y)\n", "a()\n    return f(x,y)", "a()"),
        ("python", "", "\na()\n\nb()\nc()\n", "x()\na()\nb()\nc()", "x()"),
        ("python", "if a:\n    ", "\n    return x\n", "return x", ""),
        # what precedes comes again
        ("python", "a()\nb()\n", "", "a()\nb()", ""),
        ("python", "total = ", "", "total = sum(x)", ""),
        ("python", "x = x", "", " + 1", " + 1"),
        # the file parsed and would not any more
        ("python", "a = 1\n", "\nb = 2\n", "c = (1,", ""),
        ("python", "a = 1\n", "\nb = 2\n", "c = 1\nd = (", "c = 1"),
        ("python", "f(", ")\n", "a b c", ""),
        ("javascript", "if (a", "\n  b()\n}\n", ") {\n  c()\n}", ") {\n  c()"),
        ("cpp", "auto f = g([&] { return a", ");\n", "; },", "; }"),
        # what repeats, but is needed twice
        ("python", "return ", "encode(s))\n", "encode(", "encode("),
        ("python", "f(", ")\n", "a) + g(b", "a) + g(b"),
        # a closer behind the caret that the model took for its own
        ("python", "x = bin(", ")[2:]\n", "sum(int(d) for d in n", "sum(int(d) for d in n)"),
        ("javascript", "f(", ");\n", "[g(", "[g()]"),
        ("python", "f(", ")\n", "g(a", "g(a)"),
        # an empty line brings no depth of its own
        ("python", "if a:\n    b()\n", "\nc()\n", "else:\n    d()\nif e:", "else:\n    d()"),
        # nor does the model always know it; several lines are no matter of one depth
        ("python", 'def f():\n    """Pi."""\n', "\n    return m.pi", "import m", "    import m"),
        (
            "python",
            "while a:\n    if b:\n        c()\n",
            "\n        d()",
            "        if e:",
            "    if e:",
        ),
        ("python", "def f():\n    a()\n", "\n    return b", "b = 1\nc = 2", ""),
        # in a file that is broken elsewhere, it need not be mended
        ("python", "def f(:\n    pass\n\n\nx = ", "\n", "1", "1"),
        # bracket of a template string
        ("javascript", "x = `a ${", "", "b}`;", "b}`;"),
        # brackets in prose
        ("markdown", "", "", "1) one :)", "1) one :)"),
        ("cpp", "// It is (", "", "see below) :)", "see below) :)"),
        ("python", "x = 1  # So (", ")\n", "or not)", "or not"),
        # circles
        ("python", "", "", "f(1)\nf(1)\nf(1)\nf(1)", "f(1)"),
        # credentials
        ("python", "key = ", "", "'AKIA" + "Q" * 16 + "'", ""),
        ("python", "def f():\n    ", "", "a = 1\n    k = 'ghp_" + "a1" * 18 + "'", "a = 1"),
        ("python", "", "", "-----BEGIN RSA PRIVATE KEY-----", ""),
        ("python", "url = ", "", "'postgres://bob:hunter22@db/x'", ""),
        ("python", "url = ", "", "f'postgres://{user}:{password}@db/x'", None),
        ("python", "api_key = ", "", "os.environ['API_KEY']", None),
        ("python", "api_key = ", "", "'abcdef0123456789abcdef01'", ""),
        # the file's own indentation
        ("cpp", "void f() {\n\ta();\n}\nvoid g() {", "\n}", "\n    b();\n", "\n\tb();"),
        ("python", "if a:\n  b()\nif c:", "", "\n    d()\n    if e:\n        f()", None),
        ("python", "for a in b:\n  c()\nif d:\n", "", "    e()", "  e()"),
        # at any depth, tabs for spaces and spaces for tabs
        ("cpp", "{\n    a;\n    if (b) {", "\n}", "\n\t\tc;\n\t}", "\n        c;\n    }"),
        ("cpp", "{\n    a;", "\n    b;\n}", "\n\tc;", "\n    c;"),
        ("cpp", "{\n\ta;\n\tif (b) {", "\n}", "\n        c;\n    }", "\n\t\tc;\n\t}"),
        ("cpp", "{\n\ta;\n\t", "\n}", "if (b) {\n        c;\n    }", "if (b) {\n\t\tc;\n\t}"),
        ("cpp", "{\n\tif (b) {\n\t\ta;", "\n}", "\n    }", "\n\t}"),
        ("cpp", "{\n\ta;\n\tif (b) {", "\n}", "\n\t    c;\n\t}", "\n\t\tc;\n\t}"),
        ("cpp", "{\n  a;\n  if (b) {", "\n}", "\n        c;\n    }", "\n    c;\n  }"),
        # not where spaces align
        (
            "cpp",
            "{\n\ta;\n\tif (b) {",
            "\n}",
            "\n\t\tc(d,\n\t\t  e);\n\t}",
            "\n\t\tc(d,\n\t\t  e);\n\t}",
        ),
        ("cpp", "{\n  x = f(a", "\n}", ",\n        b);", ",\n        b);"),
        # where nothing is indented yet, as the language is
        ("go", "func main() {", "\n}", "\n    f()\n", "\n\tf()"),
        ("makefile", "all: a.o", "\n", "\n    cc a.o", "\n\tcc a.o"),
        # which the line above shows at an empty caret's line, or the line below
        ("python", "def f():\n    for a in b:\n", "\n    c()", "        d()", "        d()"),
        ("python", "def f():\n    a = 1\n", "\n    c()", "    b = 2", "    b = 2"),
        ("python", "if a:\n    b\nif c:\n", "\n        d()\n", "        e()", "        e()"),
    ],
)
def test_rules(language: str, prefix: str, suffix: str, text: str, expected: str | None) -> None:
    """None where the text stays as it is, but for its indentation."""
    polished = polish(text, Site(prefix, suffix, language), unfinished=False)
    if expected is None:
        assert polished.split() == text.split()
    else:
        assert polished == expected


CODE = st.text("ab ()[]{}\n\"';,:", max_size=24)
LANGUAGE = st.sampled_from(["python", "javascript", "cpp", "shellscript", "ruby", "lua", ""])
LINES = st.lists(
    st.sampled_from(
        ["a = 1", "b(x, y)", "if a:", "for (;;) {", "}", "end", "return total_sum", "f(", ")", ""]
    ),
    max_size=5,
)


@st.composite
def code(draw: st.DrawFn) -> str:
    """Lines at random depths."""
    lines = draw(LINES)
    depths = [draw(st.integers(0, 2)) for _ in lines]
    return "\n".join("    " * depth + line for depth, line in zip(depths, lines, strict=True))


@given(CODE, CODE, CODE, LANGUAGE)
def test_text_is_only_taken_from_its_end(
    prefix: str, suffix: str, text: str, language: str
) -> None:
    """But for closers, where one that follows would else close what the text opens."""
    polished = polish(text, Site(prefix, suffix, language), unfinished=False)
    kept = polished if suffix.lstrip()[:1] not in CLOSERS else polished.rstrip(")]}")
    assert "".join(text.split()).startswith("".join(kept.split()))


@given(st.text("a()[{\n", max_size=20), st.text("a()\n", max_size=20))
def test_no_closer_without_an_opener(prefix: str, text: str) -> None:
    before = len(loose(prefix, "")[0])
    site = Site(prefix, "")
    polished = polish(text, site, unfinished=False)
    assert len(loose(prefix + polished, "")[0]) == before


@given(code(), code(), code(), LANGUAGE)
def test_nothing_ends_with_the_lines_below(
    prefix: str, suffix: str, text: str, language: str
) -> None:
    site = Site(prefix + "\n", "\n" + suffix, language)
    polished = polish(text, site, unfinished=False)
    written = [line for line in polished.split("\n") if line.strip()]
    if written and site.below:
        assert written[-1].rstrip() != site.below[0].rstrip()


@given(code(), code(), code(), st.sampled_from(["python", "javascript", "lua"]))
def test_what_parsed_still_does(prefix: str, suffix: str, text: str, language: str) -> None:
    site = Site(prefix + "\n", "\n" + suffix, language)
    if Syntax(site).now:
        return
    assert not Syntax(site).errors(polish(text, site, unfinished=False))


@given(code(), code(), code(), LANGUAGE)
def test_polishing_twice_changes_nothing(
    prefix: str, suffix: str, text: str, language: str
) -> None:
    site = Site(prefix + "\n", "\n" + suffix, language)
    polished = polish(text, site, unfinished=False)
    assert polish(polished, site, unfinished=False) == polished


@pytest.mark.parametrize(
    ("head", "text", "expected"),
    [
        ("x = lock.", "read()  # None if it is free", "read()"),
        ("x = lock.", 'read("# a")\ny = 1  # one', 'read("# a")\ny = 1  # one'),
        ("x = 'lock.", "read #1'", "read #1'"),
        ("x = lock.", "# a comment", "# a comment"),
    ],
)
def test_a_comment_that_a_hint_has_prompted(head: str, text: str, expected: str) -> None:
    told = Site(head, "\n", "python", hint="# class Lock: read()\n")
    place = Place(told, shape_of(told, "auto"), Syntax(told))
    assert postprocess.drop_prompted_comment(text, place) == expected
    place = Place(replace(told, hint=""), place.shape, place.syntax)
    assert postprocess.drop_prompted_comment(text, place) == text


def test_a_rule_that_fails_leaves_nothing_to_suggest(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(text: str, _: Place) -> str:
        raise RecursionError(text)

    monkeypatch.setattr(postprocess, "RULES", (broken, *postprocess.RULES))
    site = Site("x = ", "", "python")
    assert postprocess.polish("1", Place(site, shape_of(site, "auto"), Syntax(site))) == ""
    assert "broken failed" in caplog.text
