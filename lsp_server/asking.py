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
from lsp_server.workspace.ignore import caretignored

if TYPE_CHECKING:
    from lsp_server.arguments import Arguments
    from lsp_server.documents import Document, Encoding
    from lsp_server.instruct.commands import Command
    from lsp_server.workspace.link import Link
    from lsp_server.workspace.view import View

MOVED = (
    "The document changed since the command was given, so nothing was applied. Run the command "
    "again."
)


def ask_of(command: Command, arguments: Arguments, view: View, encoding: Encoding) -> Ask:
    """The request; its positions count in `encoding`.

    Raises:
        RequestError: the document may not be read, or is not the one that the editor has.
    """
    problems = tuple(problem_of(told) for told in arguments.diagnostics)
    place = None
    if arguments.uri:
        document = readable_document(arguments.uri, view)
        if arguments.version not in (None, document.version):
            raise RequestError(MOVED)
        place = place_of(document, arguments.range, view, encoding)
    return Ask(command, place, problems, arguments.instruction, arguments.text)


def readable_document(uri: str, view: View) -> Document:
    """An open document.

    Raises:
        RequestError: it is not open, or no model may read it.
    """
    document = view.documents.get(uri)
    if document is None:
        raise RequestError("The document is not open. Open the file, and try again.")
    reason = withheld(document, view.settings)
    root = view.folder_of(document.path)
    if root and caretignored(root, relative_path(document.path, [root])):
        reason = ".caretignore has it"
    if reason:
        raise RequestError(f"No model may read this document: {reason}.")
    return document


def place_of(
    document: Document, wanted: types.Range | None, view: View, encoding: Encoding
) -> Place:
    """A range of a document; without one, its beginning."""
    start = types.Position(0, 0)
    wanted = wanted or types.Range(start, start)
    root = view.folder_of(document.path)
    return Place(
        relative_path(document.path, [root] if root else []),
        document.language,
        plain("".join(document.lines)),
        _index(document, wanted.start, encoding),
        _index(document, wanted.end, encoding),
        root,
    )


def files_of(view: View) -> Files:
    """The files of the workspace."""
    opened = {
        document.path: plain("".join(document.lines))
        for document in view.documents.values()
        if not document.binary
    }
    return Files(tuple(view.roots), view.settings.privacy.exclude, opened)


def grounds_of(view: View, link: Link) -> Grounds:
    """What else may be read: no other file, where the model is not on this machine."""
    files = files_of(view)
    return Grounds(replace(files, roots=()) if view.settings.instruct.endpoint else files, link.ask)


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
