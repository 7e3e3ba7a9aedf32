"""Lines and columns as LSP counts them, and edits against a naive model."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server import documents
from lsp_server.documents import Document, column_to_units, split_lines, units_to_column

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
