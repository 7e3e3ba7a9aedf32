"""An entry of the completion menu: one line's edit in plain text."""

from __future__ import annotations

import pytest
from lsprotocol import types

from lsp_server.carets import Caret, Item
from lsp_server.documents import Document
from lsp_server.snapshot import EditorSnapshot

URI = "file:///w/a.py"


def popup(line: str, text: str) -> tuple[types.CompletionItem, str]:
    """The entry for a text at the mark in a line, and the line with its edit applied literally."""
    before, _, after = line.partition("‸")
    document = Document.open("/w/a.py", "python", f"x\n{before}{after}\ny\n")
    snapshot = EditorSnapshot(documents={URI: document})
    units = len(before.encode("utf-16-le")) // 2
    caret = Caret.at(snapshot, URI, types.Position(1, units))
    assert caret is not None
    item = caret.popup_item(Item(caret.site.word + text, "1"))
    edit = item.text_edit
    assert isinstance(edit, types.TextEdit)
    assert edit.range.start.line == edit.range.end.line == 1
    whole = (before + after).encode("utf-16-le")
    head, rest = whole[: 2 * edit.range.start.character], whole[2 * edit.range.end.character :]
    return item, f"{head.decode('utf-16-le')}{edit.new_text}{rest.decode('utf-16-le')}"


@pytest.mark.parametrize(
    ("line", "text", "expected"),
    [
        ("x = max(‸)", "1, 2", "x = max(1, 2)"),
        ("x = ma‸()", "x", "x = max()"),
        ("f('‸')", "$1 ${2:a} \\ }", "f('$1 ${2:a} \\ }')"),
        ("😀 = größ‸]", "e[$0", "😀 = größe[$0]"),
        ("if x:‸", "\n    y()", "if x:\n    y()"),
        ("‸", "\n\nx = 1", "\n\nx = 1"),
    ],
)
def test_the_edit_is_plain_text_within_the_line(line: str, text: str, expected: str) -> None:
    item, edited = popup(line, text)
    assert edited == expected
    assert item.insert_text_format == types.InsertTextFormat.PlainText


def test_label_and_filter_are_one_bounded_line_that_begins_with_the_word() -> None:
    item, _ = popup("x = compu‸", "te(" + "a, " * 900 + ")\n\ny")
    assert item.label.startswith("compute(a, ")
    assert len(item.label) == 60
    assert item.filter_text is not None
    assert item.filter_text.startswith(item.label)
    assert len(item.filter_text) == 200
    assert "\n" not in item.filter_text
