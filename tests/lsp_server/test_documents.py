"""Lines and columns as LSP counts them, and edits against a naive model."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server import documents
from lsp_server.documents import Document, column_to_units, split_lines, units_to_column

if TYPE_CHECKING:
    from collections.abc import Iterable

TEXT = st.text("ab\n\r\t é😀\u2028\x0c", max_size=30)


@given(TEXT)
def test_lines_are_cut_where_lsp_cuts_them(text: str) -> None:
    assert "".join(split_lines(text)) == text
    assert (
        split_lines(text)
        == re.findall(r"[^\r\n]*(?:\r\n|\n|\r|\Z)", text)[: len(split_lines(text))]
    )
    assert len(split_lines(text)) == 1 + len(re.findall(r"\r\n|\n|\r", text))


@given(st.data())
def test_an_edit_is_the_splice_of_the_whole_text(data: st.DataObject) -> None:
    text, new = data.draw(TEXT), data.draw(TEXT)
    lines = split_lines(text)
    spots = [
        (row, column)
        for row, line in enumerate(lines)
        for column in range(len(documents.body(line)) + 1)
    ]
    start, end = sorted((data.draw(st.sampled_from(spots)), data.draw(st.sampled_from(spots))))
    document = Document.open("a.py", "python", text)

    document.edit(start, end, new)

    first, last = (sum(map(len, lines[:row])) + column for row, column in (start, end))
    expected = text[:first] + new + text[last:]
    assert document.lines == split_lines(expected)
    assert document.characters == len(expected)


def test_many_lines_are_read_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = split_lines("a\r\nb\n" * 50)
    taken: list[int] = []

    def noted(lines: Iterable[str], most: int) -> list[str]:
        taken.append(most)
        return [*islice(lines, most)]

    monkeypatch.setattr(documents, "_LINES", 7)
    monkeypatch.setattr(documents, "islice", noted)
    assert split_lines("a\r\nb\n" * 50) == whole
    assert taken == [7] * 16


def test_an_edit_past_the_end_is_at_the_end() -> None:
    document = Document.open("a.py", "python", "a\nb")
    document.edit((0, 99), (7, 3), "c")
    assert document.lines == ["ac"]


def test_replacing_all() -> None:
    document = Document.open("a.py", "python", "a\r\nb")
    document.replace("x\n")
    assert (document.lines, document.characters) == (["x\n", ""], 2)


@pytest.mark.parametrize(
    ("encoding", "units"),
    [("utf-8", [0, 2, 6, 7]), ("utf-16", [0, 1, 3, 4]), ("utf-32", [0, 1, 2, 3])],
)
def test_columns_in_every_encoding(encoding: documents.Encoding, units: list[int]) -> None:
    line = "é😀x\r\n"
    assert [column_to_units(line, column, encoding) for column in range(4)] == units
    assert [units_to_column(line, unit, encoding) for unit in units] == [0, 1, 2, 3]
    assert units_to_column(line, 99, encoding) == 3


def test_half_a_surrogate_pair_is_a_character() -> None:
    assert column_to_units("\ud800x", 1, "utf-8") == 3
    assert units_to_column("\ud800x", 1, "utf-16") == 1


def test_binary_is_seen_at_opening() -> None:
    assert Document.open("a", "", "\x7fELF\0").binary
    assert not Document.open("a", "", "text").binary


LINE = st.text("ab(é讷😀\u0301\u200d", max_size=40)
COLUMNS = st.integers(-1, 90)


@given(
    LINE,
    st.lists(st.tuples(COLUMNS, COLUMNS, LINE), min_size=1, max_size=4),
    st.sampled_from(["utf-8", "utf-16", "utf-32"]),
    st.sampled_from(["\n", "\r\n", ""]),
    st.integers(1, 8),
)
def test_changes_within_a_line_are_those_of_the_document(
    line: str,
    changes: list[tuple[int, int, str]],
    encoding: documents.Encoding,
    end: str,
    piece: int,
) -> None:
    plain = Document.open("a", "", f"x\n{line}{end}")
    at_once = plain.copy(None)
    expected = []
    for start, stop, text in changes:
        columns = sorted(
            units_to_column(plain.lines[1], column, encoding) for column in (start, stop)
        )
        expected.append(tuple(columns))
        plain.edit((1, columns[0]), (1, columns[1]), text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "_PIECE", piece)
        assert at_once.edit_line(1, changes, encoding) == expected

    assert (at_once.lines, at_once.characters) == (plain.lines, plain.characters)


def measured(changes: int, length: int) -> int:
    """Characters that are measured for so many changes of one line."""
    work = 0

    def counted(line: str, *args: Any) -> int:
        nonlocal work
        work += len(line)
        return column_to_units(line, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "column_to_units", counted)
        document = Document.open("a", "", "é" * length)
        spread = [(n * (length // changes), n * (length // changes), "x") for n in range(changes)]
        document.edit_line(0, spread, "utf-8")
    return work


def test_many_changes_of_a_long_line_measure_it_once() -> None:
    length = 400_000
    assert measured(100, length) < length + 100 * 10_000
    assert measured(200, length) - measured(100, length) < 100 * 10_000


def test_halves_of_a_character_become_one() -> None:
    document = Document.open("a", "", "x")
    document.edit_line(0, [(1, 1, "\ud83d")], "utf-16")
    document.edit_line(0, [(2, 2, "\ude00")], "utf-16")
    assert document.lines == ["x😀"]
    document.edit((0, 2), (0, 2), "\ud83d\n")
    document.edit((0, 2), (0, 3), "\ud83d\ude00")
    assert document.lines == ["x😀😀\n", ""]


@pytest.mark.parametrize(("units", "column"), [(0, 0), (1, 1), (2, 1), (3, 2), (9, 2), (-3, 0)])
def test_a_column_inside_of_a_character_is_behind_it(units: int, column: int) -> None:
    assert units_to_column("😀x", units, "utf-16") == column
    assert units_to_column("讷x", units, "utf-8") == (
        1 if 0 < units < 3 else max(min(units, 4) - 2, 0)
    )
