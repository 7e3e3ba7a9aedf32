r"""A suggestion is bounded whatever a model writes, and is text that an editor can take."""

from __future__ import annotations

import pytest

from engine.api import Piece
from lsp_server.brackets import wanted_closers
from lsp_server.context import Site
from lsp_server.draft import MOST_CHARACTERS, MOST_LINES, Draft
from lsp_server.overlap import drop_lines_below, drop_tail_overlap
from lsp_server.repetition import cut_circles, stutter
from lsp_server.shape import shape_of
from tests.steps import steps

SITE = Site("def f():\n    x = ", "\n    return x\n", "python")


def written(*pieces: str, site: Site = SITE, by_hand: bool = False) -> str:
    draft = Draft(site, shape_of(site, "always", fills=by_hand))
    for piece in pieces:
        if draft.add(Piece(piece)):
            break
    draft.add(Piece(finish_reason="stop"))
    return draft.text()


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (("f(\r\n        1,\r", "\n        2)"), "f(\n        1,\n        2)"),
        (("f(\r        1)",), "f(\n        1)"),
        (("'\ud83d", "\ude00'"), "'😀'"),
        (("'a\ud83d", "'"), "'a'"),
        (("1 + 1\ud83d",), "1 + 1"),
        (("1 + 1\r",), "1 + 1"),
        (("'a\x00\x1b[31mb'",), "'a[31mb'"),
        (("\ufeff1 + 1",), "1 + 1"),
        (("'e\u0301 \u05d0\u2028\x85'",), "'e\u0301 \u05d0\u2028\x85'"),
    ],
)
def test_a_suggestion_is_text_that_an_editor_takes(
    pieces: tuple[str, ...], expected: str, by_hand: bool
) -> None:
    """Its line ends are one kind, its characters whole, and no control is among them."""
    assert written(*pieces, by_hand=by_hand) == expected


@pytest.mark.parametrize("text", ["\n", "a\n", "([{", "()", "x", "ab ", ")\n", "f(a)[0]\n"])
def test_no_more_is_read_than_a_suggestion_may_hold(text: str) -> None:
    """Also where it comes in one piece, as from a server that does not stream."""
    site = Site("x = ", "()" * 500 + "\ny\n")
    one = steps(lambda: written(text * MOST_CHARACTERS, site=site, by_hand=True))
    two = steps(lambda: written(text * MOST_CHARACTERS * 2, site=site, by_hand=True))
    assert two <= one * 1.1
    assert written("a = 1\nb = a\n" * MOST_LINES, by_hand=True).count("\n") < MOST_LINES


def test_a_circle_is_cut_where_it_begins_however_long_it_is() -> None:
    assert stutter("x = [" + "0, 1, " * 2_000) == 15
    assert cut_circles("y = 2\nx = [" + "0, 1, " * 2_000) == "y = 2\nx = [0, 1, 0, 1"


def test_endings_are_tried_in_one_reading() -> None:
    """Each of twelve overlaps was counted anew, and the whole text with each."""
    text, site = "()" * 700, Site("x = ", "()" * 400)
    assert steps(lambda: drop_tail_overlap(text, site)) < 40 * len(text)


def test_few_lines_below_are_compared() -> None:
    site = Site("", "\n" + "a\n" * 3_000 + "b\n")
    one = steps(lambda: drop_lines_below("a\n" * 400 + "c", site))
    two = steps(lambda: drop_lines_below("a\n" * 800 + "c", site))
    assert two < 3 * one


def test_brackets_of_a_window_are_read_once_each() -> None:
    """Their lines were measured for each of them."""
    one = steps(lambda: wanted_closers(Site("(" * 2_000, "\n" + ")" * 2_000)))
    two = steps(lambda: wanted_closers(Site("(" * 4_000, "\n" + ")" * 4_000)))
    assert two < 2.2 * one
