"""LSP's positions and items to our sites and texts, and back."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lsprotocol import types

from lsp_server.context import Site, site_at
from lsp_server.documents import column_to_units, split_lines, units_to_column
from lsp_server.policy import refusal, relative_path

if TYPE_CHECKING:
    from lsp_server.documents import Encoding
    from lsp_server.snapshot import EditorSnapshot

_log = logging.getLogger(__name__)

_LABEL, _FILTER = 60, 200
_MAX = 2**31 - 1
"""The largest line or column of the protocol."""


def end_of_change(
    change: types.TextDocumentContentChangePartial, encoding: Encoding
) -> types.Position:
    """Where the text put in by a change ends."""
    start, lines = change.range.start, split_lines(change.text)
    column = 0 if len(lines) > 1 else start.character
    units = column_to_units(lines[-1], len(lines[-1]), encoding)
    line = start.line + len(lines) - 1
    return types.Position(min(line, _MAX), min(column + units, _MAX))


class Item(NamedTuple):
    """A suggestion as an editor gets it."""

    text: str
    """What takes the place of the word being typed."""
    name: str
    """What the editor calls it when it is shown or accepted."""


@dataclass(frozen=True, slots=True)
class Caret:
    """A site, and what a suggestion there replaces.

    That is the word being typed: a suggestion that repeats it stays right while the user types
    what it says, so editors need not take it away between two answers.
    """

    site: Site
    range: types.Range
    column: int
    """Index in the document's line."""
    language: str
    """Language id as the editor names it."""

    @classmethod
    def at(cls, snapshot: EditorSnapshot, uri: str, position: types.Position) -> Caret | None:
        """Return the cursor at a client's position; None where completion is refused."""
        document = snapshot.documents.get(uri)
        reason = "the document is not open"
        if document:
            reason = refusal(document, snapshot.settings, snapshot.roots) or ""
        if document is None or reason or position.line >= len(document.lines):
            _log.debug("No completion: %s", reason)
            return None
        line = document.lines[position.line]
        column = units_to_column(line, position.character, snapshot.encoding)
        lines, offset = snapshot.lines(uri)
        site = site_at(
            lines,
            offset + position.line,
            column,
            language=snapshot.language(uri),
            path=relative_path(document.path, snapshot.roots),
            window=snapshot.settings.context.window,
        )
        start, end = (
            types.Position(position.line, column_to_units(line, index, snapshot.encoding))
            for index in (column - len(site.word), column)
        )
        return cls(site, types.Range(start, end), column, document.sent_language)

    def inline_item(self, item: Item) -> types.InlineCompletionItem:
        """Ghost text."""
        return types.InlineCompletionItem(
            insert_text=item.text,
            filter_text=item.text,
            range=self.range,
            command=_accepted(item.name),
        )

    def popup_item(self, item: Item) -> types.CompletionItem:
        """Return an entry of the completion menu: plain text, whatever the editor's default is."""
        line = item.text.strip().splitlines()[0]
        return types.CompletionItem(
            label=line[:_LABEL],
            kind=types.CompletionItemKind.Text,
            detail="Caret",
            documentation=item.text,
            sort_text="\0",
            filter_text=line[:_FILTER],
            insert_text_format=types.InsertTextFormat.PlainText,
            text_edit=types.TextEdit(self.range, item.text),
            command=_accepted(item.name),
        )


def _accepted(name: str) -> types.Command:
    return types.Command("Accepted", "caret.accepted", arguments=[name])
