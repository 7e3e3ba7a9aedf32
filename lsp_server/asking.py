"""A request of the editor as plain data: the document at this moment, and what else may be read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lsprotocol import types

from engine.errors import RequestError
from lsp_server.documents import units_to_column
from lsp_server.instruct.ask import Ask
from lsp_server.instruct.files import Files
from lsp_server.instruct.grounds import Grounds
from lsp_server.instruct.place import Place, Problem
from lsp_server.policy import relative_path, withheld
from lsp_server.workspace import privacy

if TYPE_CHECKING:
    from lsp_server.arguments import Arguments
    from lsp_server.documents import Document, Encoding
    from lsp_server.instruct.commands import Command
    from lsp_server.snapshot import EditorSnapshot
    from lsp_server.workspace.link import Link

MOVED = (
    "The document changed since the command was given, so nothing was applied. Run the command "
    "again."
)


def ask_of(command: Command, arguments: Arguments, snapshot: EditorSnapshot) -> Ask:
    """Return the request as plain data; ignore files are read, so a thread is the place for it.

    Raises:
        RequestError: the document may not be read, or is not the one that the editor has.
    """
    problems = tuple(problem_of(told) for told in arguments.diagnostics)
    place = None
    if arguments.uri:
        document = readable_document(arguments.uri, snapshot)
        if arguments.version not in (None, document.version):
            raise RequestError(MOVED)
        place = place_of(document, arguments.range, snapshot)
    return Ask(command, place, problems, arguments.instruction, arguments.text)


def readable_document(uri: str, snapshot: EditorSnapshot) -> Document:
    """Return an open document; reads the ignore files around it.

    Raises:
        RequestError: it is not open, or no model may read it.
    """
    document = snapshot.documents.get(uri)
    if document is None:
        raise RequestError("The document is not open. Open the file, and try again.")
    if reason := unreadable(document, snapshot):
        raise RequestError(f"No model may read this document: {reason}.")
    return document


def unreadable(document: Document, snapshot: EditorSnapshot) -> str | None:
    """Return why a document may be no part of a question, or None; reads ignore files."""
    if reason := withheld(document, snapshot.settings, snapshot.roots):
        return reason
    return ".caretignore has it" if privacy.caretignored(document, snapshot) else None


def place_of(document: Document, wanted: types.Range | None, snapshot: EditorSnapshot) -> Place:
    """A range of a document; without one, its beginning."""
    start = types.Position(0, 0)
    wanted = wanted or types.Range(start, start)
    root = snapshot.folder_of(document.path)
    return Place(
        relative_path(document.path, [root] if root else []),
        document.language,
        plain("".join(document.lines)),
        _index(document, wanted.start, snapshot.encoding),
        _index(document, wanted.end, snapshot.encoding),
        root,
    )


def files_of(snapshot: EditorSnapshot) -> Files:
    """Return the files of the workspace, with the open documents that a model may read.

    It reads the ignore files around them.
    """
    opened = {
        document.path: plain("".join(document.lines))
        for document in snapshot.documents.values()
        if unreadable(document, snapshot) is None
    }
    return Files(tuple(snapshot.roots), snapshot.settings.privacy.exclude, opened)


def grounds_of(snapshot: EditorSnapshot, link: Link) -> Grounds:
    """What else may be read: no other file, where the model is not on this machine."""
    files = files_of(snapshot)
    return Grounds(
        replace(files, roots=()) if snapshot.settings.instruct.endpoint else files, link.ask
    )


def problem_of(told: types.Diagnostic) -> Problem:
    """A diagnostic of any server."""
    message = told.message if isinstance(told.message, str) else told.message.value
    return Problem(told.range.start.line, told.range.end.line, message, told.source or "")


def plain(text: str) -> str:
    r"""A text with `\n` line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _index(document: Document, position: types.Position, encoding: Encoding) -> tuple[int, int]:
    if position.line >= len(document.lines):
        return len(document.lines) - 1, len(document.lines[-1])
    return position.line, units_to_column(
        document.lines[position.line], position.character, encoding
    )
