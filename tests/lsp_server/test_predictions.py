"""Typing what was predicted finds the rest of it; any other change finds nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api import Snippet
from lsp_server.context import Site, site_at
from lsp_server.documents import split_lines
from lsp_server.predictions import KEPT, Prediction, Predictions

LETTERS = st.text("ab(\n", max_size=5)
WRITTEN = st.text("ab( \n", min_size=1, max_size=8)
SITE = Site("x = ", "\ny = 2\n")
FAR = "".join(f"line_{number} = {number}\n" for number in range(3000))


def remembering(site: Site, text: str) -> Predictions:
    known = Predictions()
    known.add(Prediction("a", site, text, 0.5))
    return known


def rest(known: Predictions, site: Site) -> str | None:
    found = known.find("a", site)
    return found.text if found else None


def typed(site: Site, text: str) -> Site:
    return replace(site, prefix=site.prefix + text)


def site_in(text: str, offset: int) -> Site:
    """The real window around an offset."""
    lines, above = split_lines(text), split_lines(text[:offset])
    return site_at(lines, len(above) - 1, len(above[-1]))


@given(LETTERS, WRITTEN, st.lists(st.integers(0, 8), max_size=8))
def test_typing_and_deleting_within_a_prediction(
    before: str, written: str, lengths: list[int]
) -> None:
    site = Site(before, "\nend\n")
    known = remembering(site, written)
    for length in lengths:
        left = written[length:]
        assert rest(known, typed(site, written[:length])) == (left if left.strip() else None)


@given(LETTERS, LETTERS, WRITTEN, LETTERS, LETTERS)
def test_a_hit_is_always_the_text_that_was_predicted(
    before: str, after: str, written: str, now_before: str, now_after: str
) -> None:
    """Against a model that knows the whole document; small alphabets meet by chance."""
    found = rest(remembering(Site(before, after), written), Site(now_before, now_after))
    if found is not None:
        assert now_before.startswith(before)
        typed = now_before[len(before) :]
        assert written.startswith(typed + found)
        assert typed + found == written or now_after != after
        assert now_after == after or now_after in (")" + after, "))" + after)


@given(st.integers(0, 2999), st.integers(0, 2999), WRITTEN, st.data())
def test_any_edit_in_the_windows_misses(
    caret_line: int, line: int, written: str, data: st.DataObject
) -> None:
    """Real windows in a long document; an edit that none of them shows changes nothing."""
    caret = FAR.index(f"line_{caret_line} ")
    edit = FAR.index(f"line_{line} ") + data.draw(st.integers(0, 5))
    if edit == caret:
        return
    text = FAR[:edit] + "?" + FAR[edit:]
    then, now = site_in(FAR, caret), site_in(text, caret + (edit < caret))
    seen = (then.prefix, then.suffix) != (now.prefix, now.suffix)
    left = rest(remembering(then, written), now)
    assert left is None if seen or not written.strip() else left == written


@pytest.mark.parametrize(
    ("written", "typed", "closers", "left"),
    [
        ("max(a, b)", "max(", ")", "a, b"),
        ("max(a, b) + 1", "max(a", ")", ", b"),
        ("max(a, b) + 1", "max(a, b)", "", " + 1"),
        ("f(g(1), 2)", "f(g(", "))", "1"),
        ("f(g(1), 2)", "f(g(1)", ")", ", 2"),
        ('print("hi")', "print(", ")", '"hi"'),
        ('print("hi")', 'print("', '")', "hi"),
        ("() => {\n  a()\n}", "() => {", "}", "\n  a()\n"),
        # on lines of their own after Enter
        ("{\n  return 1;\n}", "{\n  ", "\n}", "return 1;"),
        ("{\n  return 1;\n}", "{\n  return", "\n}", " 1;"),
        ("{\n  if (a) {\n    b\n  }\n}", "{\n  if (a) {\n    ", "\n  }\n}", "b"),
        ("f({\n  a,\n}, 1)", "f({\n  ", "\n})", "a,"),
        ("[\n    1,\n]", "[\n    ", "\n]", "1,"),
        # what is text for its quotes
        ('"""Say "a"."""', '"""', '"""', 'Say "a".'),
        ("`a ${b} c`", "`a ${", "}`", "b"),
        ("/** It is (a). */", "/**", " */", " It is (a)."),
        ("/**\n * It is.\n */", "/**\n * ", "\n */", "It is."),
        # it says nothing of where that is closed, or what was put in is no closer of this
        ("max(", "max(", ")", None),
        ("max(a", "max(", ")", None),
        ("max(a)", "max", ")", None),
        ("max(a)", "max(", "]", None),
        ("{\n  a\n}", "{\n  ", "\n\n}", None),
        ("a\n}", "a", "\n}", None),
    ],
)
def test_what_the_editor_closes_is_merged(
    written: str, typed: str, closers: str, left: str | None
) -> None:
    now = Site(SITE.prefix + typed, closers + SITE.suffix)
    assert rest(remembering(SITE, written), now) == left


def test_what_the_editor_closes_in_prose() -> None:
    site = Site("See ", "\n", "markdown")
    now = replace(site, prefix="See [", suffix="]\n")
    assert rest(remembering(site, "[the guide](guide.md) :)"), now) == "the guide"


def test_other_context_misses() -> None:
    known = remembering(SITE, "compute()")
    there = (Snippet("b.py", "def compute(): ..."),)
    assert rest(known, replace(SITE, context=there)) is None
    assert rest(remembering(replace(SITE, context=there), "f()"), SITE) is None


def test_the_windows_may_move() -> None:
    """A block of many lines is typed; both windows' edges pass several lines of their grids."""
    caret = FAR.index("line_1500 ")
    written = "".join(f"new_{number} = 1\n" for number in range(200))
    known = remembering(site_in(FAR, caret), written)
    firsts = set()
    for length in range(0, len(written) - 2, 7):
        text = FAR[:caret] + written[:length] + FAR[caret:]
        site = site_in(text, caret + length)
        firsts.add(site.first_line)
        assert rest(known, site) == written[length:]
        cut = text[:caret] + text[caret + 1 :] if length else FAR[:caret] + FAR[caret + 1 :]
        assert rest(known, site_in(cut, caret + length)) is None
    assert len(firsts) > 2


def test_the_window_below_may_move_with_what_is_put_in() -> None:
    caret = FAR.index("line_1500 ")
    known = remembering(site_in(FAR, caret), "{\n  a = 1\n}\n")
    text = FAR[:caret] + "{\n  \n}" + FAR[caret:]
    assert rest(known, site_in(text, caret + 4)) == "a = 1"
    assert rest(known, site_in(text.replace("line_1509", "other"), caret + 4)) is None


def test_text_that_went_from_the_end_is_an_edit() -> None:
    known = remembering(SITE, "f(\n)")
    assert rest(known, Site("x = f(\n", "")) is None
    assert rest(known, Site("x = f(\n", "\n", goes_on=True)) is None
    assert rest(known, Site("f(\n", SITE.suffix, first_line=1)) is None


def test_what_stands_after_the_caret_is_no_rest() -> None:
    known = remembering(Site("f(", "x)"), "maxx)")
    assert rest(known, Site("f(m", "x)")) == "axx)"
    assert rest(known, Site("f(max", "x)")) is None


def test_the_newest_comes_first() -> None:
    known = remembering(SITE, "f(a)")
    known.add(Prediction("a", typed(SITE, "f("), "b)", 0.5))
    assert rest(known, SITE) == "f(a)"
    assert rest(known, typed(SITE, "f(")) == "b)"
    assert rest(known, typed(SITE, "f(a")) == ")"


def test_bounded_and_by_document() -> None:
    known = remembering(SITE, "f(a)")
    assert known.find("b", SITE) is None
    known.add(Prediction("b", SITE, "g", 0.5))
    known.forget("a")
    assert rest(known, SITE) is None
    assert known.find("b", SITE)
    for _ in range(KEPT):
        known.add(Prediction("a", SITE, "f", 0.5))
    assert known.find("b", SITE) is None
