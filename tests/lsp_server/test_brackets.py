"""Which brackets stand open, and which closers may still be written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lsp_server.brackets import Balance, Bracket, loose, wanted_closers
from lsp_server.context import Site
from lsp_server.lexing import after_string, open_quote


def strays(text: str, site: Site) -> list[Bracket]:
    """Closers of a completion that close something outside of it."""
    return loose(after_string(text, open_quote(site)), site.language)[0]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("f(\")\", ')')", "python", ("", "")),
        ("x = 1  # :)", "python", ("", "")),
        ("int x; // :)\n}", "cpp", ("}", "")),
        ("/* :) */ (", "java", ("", "(")),
        ("n = len(a) // 2)", "python", (")", "")),
        ("echo ${#list[@]}", "shellscript", ("", "")),
        ("case $1 in\n  a|b) f ;;\n  *) g $(h) ;;", "shellscript", ("", "")),
        ("-h | --help) f ;;", "shellscript", ("", "")),
        ('[Yy]*) f ;;\n"a b") g ;; @(c|d)) h', "shellscript", ("", "")),
        ("case $1 in a) f $(g) ;; (b) h", "shellscript", ("", "")),
        ("x=$(\n  case $1 in\n    a) f ;;\n  esac\n)", "shellscript", ("", "")),
        ("x=$(\n  f | g)\ny=(\n  a)", "shellscript", ("", "")),
        ("echo a)", "shellscript", (")", "")),
        ("fn f<'a>(x: &'a str) {", "rust", ("", "{")),
        ("c == ')' || c == '\\''", "rust", ("", "")),
        ("c == ')", "rust", ("", "")),
        ("f::<'a>(')') + g(&'a)", "rust", ("", "")),
        ("don't (stop) now)", "", (")", "")),
        ("1) one :)\n2) two (", "markdown", ("", "")),
        ("`a(${b}` + (", "typescript", ("", "(")),
        (r"return s.replace(/\)/g, '').split(/[(/]/)", "javascript", ("", "")),
        (r"/\(/.test(a) ? x => /{/ : b / (c) / d)", "typescript", (")", "")),
        ("a = b / (c, d / e", "javascript", ("", "(")),
        ("<a b={c} /> (</a>", "typescriptreact", ("", "(")),
        ("/2) + 1\n", "javascript", (")", "")),
        ("f'{x' + (", "python", ("", "(")),
        ("( [ { )", "", ("", "")),
        ('"(', "", ("", "")),
    ],
)
def test_loose_brackets(text: str, language: str, expected: tuple[str, str]) -> None:
    closers, openers = loose(text, language)
    assert ("".join(b.char for b in closers), "".join(b.char for b in openers)) == expected


@pytest.mark.parametrize(
    ("prefix", "suffix", "expected"),
    [
        ("f(g(", "", "))"),
        ("f(g(", "))", ""),
        ("if (x) {\n  ", "\n}", ""),
        ("class A {\n  void f() {\n    ", "\n}", "}"),
        ("class A {\n  void f() {\n    g(", "\n  }\n}", ")"),
        ("x = [\n    1,\n", "\n]", ""),
        ("done()\n", "", ""),
    ],
)
def test_wanted_closers(prefix: str, suffix: str, expected: str) -> None:
    assert "".join(wanted_closers(Site(prefix, suffix))) == expected


@pytest.mark.parametrize(
    ("head", "quote"),
    [
        ('print("a', '"'),
        ('print("a"', ""),
        ("print('a", "'"),
        ('x = "a" + "', '"'),
        ('x="a', '"'),
        ("it's", ""),
        ('"', '"'),
        ("", ""),
    ],
)
@pytest.mark.parametrize("language", ["python", "shellscript"])
def test_the_string_that_the_caret_stands_in(head: str, quote: str, language: str) -> None:
    assert open_quote(Site(head, "", language)) == quote


@pytest.mark.parametrize("language", ["typescript", "go"])
@pytest.mark.parametrize(
    ("prefix", "quote"),
    [
        ("// the ` char\ng(", ""),
        ("s = '`'\ng(", ""),
        ("/* ` */ g(", ""),
        ("s = `a\n" + "b // c", "`"),
        ("s = `a` + `", "`"),
        ("// don't ` it\ns = `a 'b", "`"),
        ("s = `a\n` + 'b", "'"),
    ],
)
def test_the_template_that_the_caret_stands_in(prefix: str, quote: str, language: str) -> None:
    assert open_quote(Site(prefix, "", language)) == quote


@pytest.mark.parametrize(
    ("head", "language", "end"),
    [
        ("f(a)  # it's (", "python", "\n"),
        ("// it's (", "cpp", "\n"),
        ("// it's (/", "cpp", "\n"),
        ("-- it's (", "lua", "\n"),
        ("--[[ it's (", "lua", ""),
        ("/* it's (", "cpp", ""),
        ("f('# a') + g(", "python", ""),
    ],
)
def test_the_comment_that_the_caret_stands_in(head: str, language: str, end: str) -> None:
    assert open_quote(Site(head, "", language)) == end
    assert [b.char for b in strays(":)\nb)", Site(head, "", language))] == [")"] * (1 + (not end))


def test_a_lifetime_is_no_string() -> None:
    assert open_quote(Site("fn f(x: &'a", "", "rust")) == ""
    assert [b.char for b in strays(" T) {", Site("fn f(x: &'a", "", "rust"))] == [")"]


def test_strays_begin_after_the_string_ends() -> None:
    assert [b.offset for b in strays(':) ok")', Site('print("', ""))] == [6]
    assert [b.char for b in strays("a)\nb]", Site("f(", ""))] == [")", "]"]


@given(
    st.lists(st.sampled_from([*"(){}[]a'\"`#|\n/=\\", "case", "//", "/*", "*/"])),
    st.sampled_from(["python", "typescript", "cpp", "rust", "lua", "shellscript", ""]),
)
@example(["//", "'", ")", "("], "shellscript")
@example(["a'", ")", "("], "shellscript")
@example(['"a"', "b", ")"], "shellscript")
def test_in_pieces_it_is_as_at_once(pieces: list[str], language: str) -> None:
    balance, text = Balance(language), ""
    for piece in pieces:
        text += piece
        balance.feed(text)
        assert (balance.closers, balance.openers) == loose(text, language)


class Counted(str):
    """A text that counts the characters of it that are looked through or copied."""

    work = 0

    def rfind(self, *args: Any) -> int:
        Counted.work += args[2] - args[1]
        return super().rfind(*args)

    def __getitem__(self, key: Any) -> str:
        found = super().__getitem__(key)
        Counted.work += len(found)
        return found


def work_on(text: str, language: str) -> int:
    Counted.work = 0
    loose(Counted(text), language)
    return Counted.work


@pytest.mark.parametrize("language", ["python", "shellscript"])
@pytest.mark.parametrize("unit", ["(", ")", "[)", "(\n", "a) x ;;\n", "case x in a) b ;; ", " x)"])
def test_twice_the_brackets_are_twice_the_work(unit: str, language: str) -> None:
    once, twice = (work_on(unit * times, language) for times in (2_000, 4_000))
    assert twice <= 2.2 * once + 1_000


@pytest.mark.parametrize("kind", ["([", "[(", "({["])
def test_openers_that_never_close_are_not_searched_for_each_closer(kind: str) -> None:
    balance = Balance("")
    balance.feed(kind[0] * 3_000 + kind[-1] * 3_000 + ")" * 3_000)
    assert len(balance.openers) + len(balance.closers) <= 6_000
