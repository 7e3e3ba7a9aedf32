from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from lsp_server.documents import Document
from lsp_server.edits import workspace_edit
from lsp_server.instruct.change import Change
from lsp_server.snapshot import EditorSnapshot

URI = "file:///w/a.py"
ANNOTATING = types.ClientCapabilities(
    types.WorkspaceClientCapabilities(
        workspace_edit=types.WorkspaceEditClientCapabilities(
            document_changes=True,
            resource_operations=[types.ResourceOperationKind.Create],
            change_annotation_support=types.ChangeAnnotationsSupportOptions(),
        )
    )
)
LINES = st.lists(st.sampled_from(["", "a", "  b", "c = '😀'"]), max_size=6)


def made(before: str | None, after: str, client: types.ClientCapabilities) -> types.WorkspaceEdit:
    lines = Document.open("a", "", before or "").lines
    change = Change("a.py", None if before is None else before.replace("\r\n", "\n"), after)
    return workspace_edit(
        change, URI, lines=lines, version=7, label="Caret: Fix", encoding="utf-16", client=client
    )


@given(LINES, LINES, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_applied_it_gives_the_new_text(
    old: list[str], new: list[str], eol: str, ends: bool
) -> None:
    before, after = ("\n".join([*x, ""] if ends else x) for x in (old, new))
    document = Document.open("a", "", before.replace("\n", eol))
    edit = made(before.replace("\n", eol), after, types.ClientCapabilities())
    assert edit.changes is not None
    for change in reversed(edit.changes[URI]):
        start, end = (
            (p.line, _column(document, p)) for p in (change.range.start, change.range.end)
        )
        document.edit(start, end, change.new_text)
    own = eol if "\n" in before else "\n"
    assert "".join(document.lines) == after.replace("\n", own)


def _column(document: Document, position: types.Position) -> int:
    if position.line >= len(document.lines):
        return 0
    text = document.lines[position.line].encode("utf-16-le")[: 2 * position.character]
    return len(text.decode("utf-16-le"))


def test_a_client_that_can_asks_first() -> None:
    edit = made("a\nb\n", "a\nc\n", ANNOTATING)
    (change,) = edit.document_changes or ()
    assert isinstance(change, types.TextDocumentEdit)
    assert change.text_document.version == 7
    (text,) = change.edits
    assert isinstance(text, types.AnnotatedTextEdit)
    annotation = (edit.change_annotations or {})[text.annotation_id]
    assert annotation.needs_confirmation
    assert edit.changes is None


def test_a_new_file_is_made_first() -> None:
    edit = made(None, "x = 1\n", ANNOTATING)
    create, change = edit.document_changes or ()
    assert isinstance(create, types.CreateFile)
    assert isinstance(change, types.TextDocumentEdit)
    assert [text.new_text for text in change.edits] == ["x = 1\n"]  # type: ignore[union-attr]  # no snippets


def test_no_client_is_told_to_make_a_file_that_does_not_know_how() -> None:
    able = types.WorkspaceEditClientCapabilities(document_changes=True)
    client = types.ClientCapabilities(types.WorkspaceClientCapabilities(workspace_edit=able))
    (change,) = made(None, "x = 1\n", client).document_changes or ()
    assert isinstance(change, types.TextDocumentEdit)


def test_an_open_file_is_found_however_the_client_spells_its_path() -> None:
    """Else tests would go to the text on disk, and be refused for the unsaved one."""
    path, uri = "/w/c++ (@2)/test_a.py", "file:///w/c++%20(@2)/test_a.py"
    snapshot = EditorSnapshot(documents={uri: Document.open(path, "python", "x")})
    assert snapshot.uri_of(path) == uri
    assert snapshot.uri_of("/w/c++/b.py") == "file:///w/c%2B%2B/b.py"
