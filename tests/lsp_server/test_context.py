"""The window around the caret: bounded, and still while one types."""

from __future__ import annotations

import pytest

from lsp_server.context import (
    CHAR_GRID,
    PREFIX_CHARS,
    PREFIX_GRID,
    SUFFIX_CHARS,
    SUFFIX_GRID,
    Site,
    site_at,
)
from lsp_server.documents import body, split_lines


def test_small_documents_are_taken_whole() -> None:
    site = site_at(split_lines("a\nbc\nd"), 1, 1, language="python", path="x.py")
    assert site == Site("a\nb", "c\nd", "python", "x.py")
    assert (site.head, site.tail, site.word, site.above, site.below) == ("b", "c", "b", "a", ["d"])


def test_line_ends_become_newlines_and_are_remembered() -> None:
    site = site_at(split_lines("a\r\nb\rc\r\n"), 3, 0)
    assert (site.prefix, site.suffix, site.eol) == ("a\nb\nc\n", "", "\r\n")
    assert site_at(split_lines("a"), 0, 1).eol == "\n"


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert site_at(["a\ud800b"], 0, 3).prefix == "a\ufffdb"


@pytest.mark.parametrize("head", ["x.fo", "", "  ", "a + ", "größe", "$el"])
def test_the_typed_word(head: str) -> None:
    expected = {"x.fo": "fo", "größe": "größe", "$el": "$el"}.get(head, "")
    assert Site(f"above\n{head}", "").word == expected


def test_the_window_is_bounded_and_its_edges_stand_on_the_grid() -> None:
    lines = split_lines("".join(f"line {n} of a long document\n" for n in range(50_000)))
    firsts, lasts = set(), set()
    for line in range(30_000, 30_064):
        site = site_at(lines, line, 3)
        assert PREFIX_CHARS / 2 < len(site.prefix) <= PREFIX_CHARS + len(lines[line])
        assert SUFFIX_CHARS / 2 < len(site.suffix) <= SUFFIX_CHARS + len(lines[line])
        firsts.add(site.prefix.split("\n", 1)[0])
        lasts.add(site.suffix.rstrip("\n").rsplit("\n", 1)[1])
    numbers = [int(text.split()[1]) for text in firsts]
    assert len(numbers) <= 2
    assert all(number % PREFIX_GRID == 0 for number in numbers)
    assert all((int(text.split()[1]) + 1) % SUFFIX_GRID == 0 for text in lasts)


def test_typing_on_a_line_moves_no_edge() -> None:
    lines = split_lines("x = 1  # some line\n" * 5_000)
    before = site_at(lines, 2_000, 0)
    typed = [*lines[:2_000], "for item in things:" + lines[2_000], *lines[2_001:]]
    after = site_at(typed, 2_000, 19)
    assert after.prefix == before.prefix + "for item in things:"
    assert after.suffix == before.suffix


def test_typing_in_a_full_window_moves_no_edge() -> None:
    lines = split_lines(("x" * 124 + "\n") * 5_000)  # 2 steps of the grid fill the window
    sites = [site_at(lines, 2_048, column) for column in range(125)]
    assert [len(site.prefix) for site in sites] == list(range(PREFIX_CHARS, PREFIX_CHARS + 125))


def test_a_very_long_line_is_cut_on_a_grid_of_characters() -> None:
    line = "".join(f"{n:07} " for n in range(10_000))
    sites = [site_at([line], 0, column) for column in range(40_000, 40_000 + 100)]
    assert all(0 <= len(site.prefix) - PREFIX_CHARS < CHAR_GRID for site in sites)
    assert len({site.prefix[:20] for site in sites}) == 1
    assert all(len(site.suffix) == SUFFIX_CHARS for site in sites)


def test_long_lines_below_come_as_far_as_they_fit() -> None:
    lines = split_lines("a\n" + ("b" * 999 + "\n") * 100)
    assert len(site_at(lines, 0, 0).suffix) == 2 + SUFFIX_CHARS


def test_a_larger_window_takes_more_of_the_document() -> None:
    lines = ["x = 1  # and so on, and on\n"] * 4000
    usual, large = site_at(lines, 2000, 0), site_at(lines, 2000, 0, window=7168)
    assert len(usual.prefix) <= PREFIX_CHARS < len(large.prefix) <= 4 * 7168
    assert len(usual.suffix) <= SUFFIX_CHARS < len(large.suffix) <= 2 * 7168
    assert usual.line == large.line == 2000


@pytest.mark.parametrize(
    ("head", "word"),
    [("x = pri", "pri"), ("$el", "$el"), ("a.", ""), ("", ""), ("a" * 16_000 + "'", "")],
)
def test_the_word_before_the_caret(head: str, word: str) -> None:
    assert Site(f"y\n{head}", "").word == word


@pytest.mark.parametrize("eol", ["\r\n", "\r"])
@pytest.mark.parametrize("row", [0, 1, 1_500, 2_999])
def test_the_prompt_is_the_same_with_any_line_ends(eol: str, row: int) -> None:
    lines = [f"    total = price_{n} * {n}" + "\n" * (n % 7 == 0) for n in range(3_000)]
    text = "\n".join(lines)
    plain, other = (split_lines(each) for each in (text, "\ufeff" + text.replace("\n", eol)))
    column = len(body(plain[row])) // 2
    bom = row == 0
    expected, site = site_at(plain, row, column), site_at(other, row, column + bom)
    assert (site.prefix, site.suffix) == (expected.prefix, expected.suffix)
    assert (site.first_line, site.goes_on) == (expected.first_line, expected.goes_on)
    assert site.eol == eol


def test_an_inserted_line_ends_as_the_carets_line() -> None:
    lines = split_lines("a\r\nb\nc\rd")
    assert [site_at(lines, row, 1).eol for row in range(4)] == ["\r\n", "\n", "\r", "\r"]


@pytest.mark.parametrize("column", [0, 7, 20_000, 20_001, 20_002, 39_999])
def test_a_line_of_long_characters_is_cut_between_them(column: int) -> None:
    line = ("讷👩\u200d👩\u200d👧é\u0302ا" * 5_000)[:40_000]
    site = site_at([line], 0, column)
    assert line[:column].endswith(site.prefix)
    assert line[column:].startswith(site.suffix)
    assert (site.prefix + site.suffix).encode()
