"""A change as the protocol's edit, in the forms that a client understands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.capabilities import get_capability

from lsp_server.documents import body, column_to_units, line_end

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsp_server.documents import Encoding
    from lsp_server.instruct.change import Change, LineEdit

_ANNOTATION = "caret"
_EDIT = "workspace.workspace_edit"


def workspace_edit(
    change: Change,
    uri: str,
    *,
    lines: Sequence[str],
    version: int | None,
    label: str,
    encoding: Encoding,
    client: types.ClientCapabilities,
) -> types.WorkspaceEdit:
    """The edit of the document with these `lines`, which have their line ends.

    A client that can shows it before it is applied. A document that is not open has no version.
    """
    edits = [_text_edit(edit, lines, encoding) for edit in change.edits]
    if not get_capability(client, f"{_EDIT}.document_changes"):
        return types.WorkspaceEdit(changes={uri: edits})
    annotated = bool(get_capability(client, f"{_EDIT}.change_annotation_support"))
    document = types.OptionalVersionedTextDocumentIdentifier(uri, version)
    changes: list[types.CreateFile | types.TextDocumentEdit] = []
    if change.before is None and _makes_files(client):
        changes.append(
            types.CreateFile(uri, options=types.CreateFileOptions(ignore_if_exists=True))
        )
    shown = [_annotated(edit) if annotated else edit for edit in edits]
    changes.append(types.TextDocumentEdit(document, shown))
    annotation = types.ChangeAnnotation(label, needs_confirmation=True, description=change.path)
    return types.WorkspaceEdit(
        document_changes=changes,
        change_annotations={_ANNOTATION: annotation} if annotated else None,
    )


def _makes_files(client: types.ClientCapabilities) -> bool:
    """True if an edit may say that a file is made; other clients make it when they edit it."""
    known = get_capability(client, f"{_EDIT}.resource_operations") or ()
    return types.ResourceOperationKind.Create in known


def _annotated(edit: types.TextEdit) -> types.AnnotatedTextEdit:
    return types.AnnotatedTextEdit(_ANNOTATION, edit.range, edit.new_text)


def _text_edit(edit: LineEdit, lines: Sequence[str], encoding: Encoding) -> types.TextEdit:
    eol = line_end(lines, min(edit.first, len(lines) - 1)) if lines else "\n"
    first, last = types.Position(edit.first, 0), types.Position(edit.last, 0)
    if edit.last < len(lines):
        return types.TextEdit(types.Range(first, last), "".join(f"{x}{eol}" for x in edit.lines))
    end, text = _end(lines, len(lines) - 1, encoding), eol.join(edit.lines)
    if edit.first >= len(lines) > 0:  # behind the last line
        return types.TextEdit(types.Range(end, end), eol + text)
    if not edit.lines and edit.first:  # the line end before them goes too
        first = _end(lines, edit.first - 1, encoding)
    return types.TextEdit(types.Range(first, end), text)


def _end(lines: Sequence[str], row: int, encoding: Encoding) -> types.Position:
    line = body(lines[row])
    return types.Position(row, column_to_units(line, len(line), encoding))
