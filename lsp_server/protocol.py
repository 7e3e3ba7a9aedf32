"""The methods that keep documents and notebooks, and that run commands."""

from __future__ import annotations

import asyncio
import inspect
import logging
from functools import cache, partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.protocol import lsp_method

from lsp_server.documents import Document, Encoding, split_lines, units_to_column
from lsp_server.notebooks import Notebooks
from lsp_server.policy import names_of, path_of
from lsp_server.rpc import Rpc
from lsp_server.statistics.spans import Edit
from lsp_server.workspace.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

T = TypeVar("T")

_LONG_TEXT, _MANY_CHANGES = 500_000, 100
"""Characters of a text, and changes in a message, that are dealt with on a thread."""
NOTEBOOKS = types.NotebookDocumentSyncOptions(
    [types.NotebookDocumentFilterWithNotebook(notebook="*")]
)
"""All of them, with cells in any language."""
_TEXTS = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.NOTEBOOK_DOCUMENT_DID_OPEN,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE,
)
_CLOSE = {"jsonrpc": "2.0", "method": types.TEXT_DOCUMENT_DID_CLOSE}

_log = logging.getLogger(__name__)


class CaretProtocol(Rpc):
    """Keeps what the client tells of its documents."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - pygls's own
        super().__init__(*args, **kwargs)
        self.documents: dict[str, Document] = {}
        """Open documents by URI."""
        self.notebooks = Notebooks(self.documents, self.names_of)
        self.recent = Recent()
        self._edited = asyncio.Event()
        self._edited.set()
        self.on_edit: Callable[[str, Edit | None], None] = lambda *_: None
        """Told of each edit after it; None is one of the whole document, or its end."""

    def encoding(self) -> Encoding:
        """What the client's columns count."""
        encoding: Encoding = self.workspace.position_encoding  # type: ignore[assignment]  # one of the three
        return encoding

    def names_of(self, uri: str) -> tuple[str, ...]:
        """Return the paths of a document, as the workspace's folders are now."""
        return names_of(uri, self._roots())

    def _roots(self) -> list[str]:
        return [path_of(at) for at in self.workspace.folders]

    def place_documents(self) -> None:
        """The workspace has other folders: give open documents their paths anew."""
        roots, notebooks = self._roots(), self.notebooks.by_cell()
        placed = cache(lambda uri: names_of(uri, roots))
        for uri, document in self.documents.items():
            names = placed(notebooks.get(uri, uri))
            if names != document.names:
                self.documents[uri] = document.at(names)

    async def edited(self) -> None:
        """Wait until the last message has changed the documents as it says."""
        while not self._edited.is_set():  # a long message may go on at once
            await self._edited.wait()

    def _made(self, make: Callable[[], T], *, long: bool) -> Generator[Any, T, T]:
        """Make something for a message; what takes long on a thread, while no other is handled."""
        if not long:
            return make()
        self._edited.clear()
        try:
            return (yield asyncio.to_thread, (make,), None)
        finally:
            self._edited.set()

    def missed(self, message: dict[str, Any]) -> None:
        """Forget a document whose text or change cannot be read: what is known of it is wrong."""
        params = message.get("params")
        told = params if isinstance(params, dict) else {}
        uris = [each.get("uri") for each in told.values() if isinstance(each, dict)]
        if message["method"] in _TEXTS:
            for uri in {uri for uri in uris if isinstance(uri, str)}:
                self._lose(uri)

    def _lose(self, uri: str) -> None:
        cells = self.notebooks.cells(uri)
        lost = [each for each in (uri, *cells) if each in self.documents]
        if not lost:
            return
        self.notebooks.forget(uri)
        for each in lost:
            closed = {"params": {"textDocument": {"uri": each}}}
            self.handle_message(self.structure_message(_CLOSE | closed))
        news = "Caret: a change of {} cannot be read. Close the file and open it again."
        told = types.ShowMessageParams(types.MessageType.Warning, news.format(path_of(uri) or uri))
        self.notify(types.WINDOW_SHOW_MESSAGE, told)

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> Any:  # noqa: ANN401 - a pygls generator
        """Keep the document."""
        item = params.text_document
        path, *others = self.names_of(item.uri)
        text = item.language_id, item.text, item.version
        opened = partial(Document.open, path, *text, tuple(others))
        self.documents[item.uri] = yield from self._made(opened, long=len(item.text) > _LONG_TEXT)
        self.on_edit(item.uri, None)  # a client may open it again instead of changing it

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> Any:  # noqa: ANN401 - a pygls generator
        """Edit the document, then tell the server."""
        yield from self._change(params.text_document, params.content_changes)
        yield self.fm.features[types.TEXT_DOCUMENT_DID_CHANGE], (params,), None

    def _change(
        self,
        changed: types.VersionedTextDocumentIdentifier,
        changes: Sequence[types.TextDocumentContentChangeEvent],
    ) -> Any:  # noqa: ANN401 - a part of a pygls generator
        uri = changed.uri
        document = self.documents.get(uri)
        if document is None:
            _log.warning("ignored a change of a document that is not open")
            return
        document = document.copy(changed.version)
        many = len(changes) > _MANY_CHANGES
        long = many or any(len(change.text) > _LONG_TEXT for change in changes)
        change = partial(_edit, document, changes, self.encoding())
        edits = yield from self._made(change, long=long)
        self.documents[uri] = document
        for edit in edits[-1:] if many else edits:
            if edit:
                lines = edit.text.count("\n") + 1
                self.recent.edited(uri, edit.start[0], edit.end[0], lines)
            self.on_edit(uri, None if many else edit)  # many are a new text

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> Any:  # noqa: ANN401 - a pygls generator
        """Forget the document, then tell the server."""
        self.documents.pop(params.text_document.uri, None)
        self.on_edit(params.text_document.uri, None)
        yield self.fm.features[types.TEXT_DOCUMENT_DID_CLOSE], (params,), None

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(self, params: types.ExecuteCommandParams) -> Any:  # type: ignore[override]  # noqa: ANN401 - any result
        """Run a command as one task: pygls runs it apart from the request, which cannot end it."""
        command = self.fm.commands.get(params.command)
        if command is None:
            raise JsonRpcInvalidParams(f"There is no command {params.command!r}.")
        result = command(params)
        return await result if inspect.isawaitable(result) else result

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def lsp_notebook_document__did_open(self, params: types.DidOpenNotebookDocumentParams) -> None:
        """Keep the notebook."""
        self.notebooks.open(params)

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def lsp_notebook_document__did_change(
        self, params: types.DidChangeNotebookDocumentParams
    ) -> Any:  # noqa: ANN401 - a pygls generator
        """Change cells and their texts, then tell the server of those that are gone."""
        self.notebooks.change(params)
        cells = params.change.cells
        for number, content in enumerate((cells and cells.text_content) or (), start=1):
            yield from self._change(content.document, content.changes)
            yield from self._made(lambda: None, long=number % _MANY_CHANGES == 0)  # others go on
        yield from self._closed((cells and cells.structure and cells.structure.did_close) or ())

    @lsp_method(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def lsp_notebook_document__did_close(self, params: types.DidCloseNotebookDocumentParams) -> Any:  # noqa: ANN401 - a pygls generator
        """Forget the notebook, then tell the server of its cells."""
        self.notebooks.close(params)
        yield from self._closed(params.cell_text_documents)

    def _closed(self, cells: Iterable[types.TextDocumentIdentifier]) -> Any:  # noqa: ANN401 - a pygls generator
        """To the server, a cell is a document that is closed."""
        for cell in cells:
            self.on_edit(cell.uri, None)
            params = types.DidCloseTextDocumentParams(cell)
            yield self.fm.features[types.TEXT_DOCUMENT_DID_CLOSE], (params,), None


def _edit(
    document: Document,
    changes: Sequence[types.TextDocumentContentChangeEvent],
    encoding: Encoding,
) -> list[Edit | None]:
    """Make changes, and return them by indices."""
    return [
        edit
        for row, group in groupby(changes, _row)
        for edit in _edits(document, row, [*group], encoding)
    ]


def _edits(
    document: Document,
    row: int | None,
    changes: Sequence[types.TextDocumentContentChangeEvent],
    encoding: Encoding,
) -> Iterator[Edit | None]:
    """Make changes and yield them by indices; None is a new text.

    Those within one line are made at once, unless its end may join another one.
    """
    above = document.lines[row - 1 : row] if row and row < len(document.lines) else []
    if row is not None and row < len(document.lines) and not "".join(above).endswith("\r"):
        parts = [_columns(change) for change in changes]
        columns = document.edit_line(row, parts, encoding)
        for (start, end), (_, _, text) in zip(columns, parts, strict=True):
            yield Edit((row, start), (row, end), text)
        return
    for change in changes:
        if isinstance(change, types.TextDocumentContentChangePartial):
            ends = change.range.start, change.range.end
            first, last = sorted(_index(document, end, encoding) for end in ends)
            document.edit(first, last, change.text)
            yield Edit(first, last, change.text)
        else:
            document.replace(change.text)
            yield None


def _index(document: Document, position: types.Position, encoding: Encoding) -> tuple[int, int]:
    if position.line >= len(document.lines):
        return position.line, 0
    line = document.lines[position.line]
    return position.line, units_to_column(line, position.character, encoding)


def _row(change: types.TextDocumentContentChangeEvent) -> int | None:
    """Return the line that a change lies in with its text, or None."""
    if not isinstance(change, types.TextDocumentContentChangePartial):
        return None
    row = change.range.start.line
    return (
        row if row == change.range.end.line and split_lines(change.text) == [change.text] else None
    )


def _columns(change: types.TextDocumentContentChangeEvent) -> tuple[int, int, str]:
    """Return where a change within one line begins and ends, and its text."""
    assert isinstance(change, types.TextDocumentContentChangePartial)
    return change.range.start.character, change.range.end.character, change.text
