"""Notebooks as LSP synchronises them: cells are documents, their order is kept here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsp_server.documents import Document
from lsp_server.magics import language_of_cell, without_magics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lsprotocol import types


class Notebooks:
    """Which cells a notebook has, and which notebook a cell is in."""

    def __init__(
        self, documents: dict[str, Document], names_of: Callable[[str], tuple[str, ...]]
    ) -> None:
        """Cells are put into `documents`, and taken out again; `names_of` is as in `policy`."""
        self._documents, self._names_of = documents, names_of
        self._cells: dict[str, list[str]] = {}

    def copy(self, documents: dict[str, Document]) -> Notebooks:
        """The notebooks as they are now, over `documents`; later changes do not reach the copy."""
        copy = Notebooks(documents, self._names_of)
        copy._cells = {**self._cells}
        return copy

    def open(self, params: types.DidOpenNotebookDocumentParams) -> None:
        """Keep a notebook and its cells; those that it had before are gone."""
        notebook = params.notebook_document
        self._close(self._cells.pop(notebook.uri, ()))
        self._cells[notebook.uri] = [cell.document for cell in notebook.cells]
        self._open(notebook.uri, params.cell_text_documents)

    def change(self, params: types.DidChangeNotebookDocumentParams) -> None:
        """Put cells in and out; their text is changed elsewhere."""
        notebook, changed = params.notebook_document.uri, params.change.cells
        if not (changed and changed.structure) or notebook not in self._cells:
            return
        array = changed.structure.array
        new = [cell.document for cell in array.cells or ()]
        cells = self._cells[notebook]
        end = array.start + array.delete_count
        self._cells[notebook] = [*cells[: array.start], *new, *cells[end:]]
        self._close(cell.uri for cell in changed.structure.did_close or ())
        self._open(notebook, changed.structure.did_open or ())

    def close(self, params: types.DidCloseNotebookDocumentParams) -> None:
        """Forget a notebook and all of its cells."""
        self._close(self._cells.pop(params.notebook_document.uri, ()))
        self._close(cell.uri for cell in params.cell_text_documents)

    def cells(self, notebook: str) -> tuple[str, ...]:
        """Return the cells of a notebook; none of what is no notebook."""
        return tuple(self._cells.get(notebook, ()))

    def forget(self, notebook: str) -> None:
        """Keep a notebook no longer; its cells become documents of their own."""
        self._cells.pop(notebook, None)

    def notebook_of(self, uri: str) -> str | None:
        """Return the notebook that a document is a cell of."""
        return next((notebook for notebook, cells in self._cells.items() if uri in cells), None)

    def by_cell(self) -> dict[str, str]:
        """Return the notebook of each cell."""
        return {cell: notebook for notebook, cells in self._cells.items() for cell in cells}

    def language(self, uri: str) -> str:
        """Return the language of a document, which is a magic's in some cells.

        Raises:
            KeyError: there is no such document.
        """
        document = self._documents[uri]
        return language_of_cell(document) if self.notebook_of(uri) else document.language

    def lines(self, uri: str) -> tuple[list[str], int]:
        """The lines in which a document's carets stand, and where among them its own begin.

        Those of a cell lie between those of the other cells in its language, with a blank line
        between two cells, as in a script.

        Raises:
            KeyError: there is no such document.
        """
        document = self._documents[uri]
        notebook = self.notebook_of(uri)
        order = self._cells[notebook] if notebook else [uri]
        if len(order) == 1:
            return document.lines, 0
        at = order.index(uri)
        above, below = (
            _joined(self._documents, part, language_of_cell(document))
            for part in (order[:at], order[at + 1 :])
        )
        own = [*document.lines[:-1], f"{document.lines[-1]}\n", "\n"] if below else document.lines
        return [*above, *own, *below], len(above)

    def _open(self, notebook: str, items: Iterable[types.TextDocumentItem]) -> None:
        path, *others = self._names_of(notebook)
        for item in items:
            self._documents[item.uri] = Document.open(
                path, item.language_id, item.text, item.version, tuple(others)
            )

    def _close(self, uris: Iterable[str]) -> None:
        for uri in uris:
            self._documents.pop(uri, None)


def _joined(documents: Mapping[str, Document], uris: Iterable[str], language: str) -> list[str]:
    """Return the lines of the cells in a language, each cell with a blank line behind it."""
    cells = [documents[uri] for uri in uris if uri in documents]
    return [
        line
        for cell in cells
        if language_of_cell(cell) == language
        for line in (*_plain(cell), "\n")
    ]


def _plain(cell: Document) -> Iterable[str]:
    """Return the lines of a cell, each with its end, as other cells are to see them."""
    lines = (*cell.lines[:-1], f"{cell.lines[-1]}\n")
    return without_magics(lines) if cell.language == "python" else lines
