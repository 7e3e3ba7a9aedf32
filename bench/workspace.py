"""A folder with its index, and what is gathered for a caret in it: as the language server does."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from lsp_server.context import site_at
from lsp_server.settings import Settings
from lsp_server.snapshot import EditorSnapshot
from lsp_server.workspace.gather import Gatherer
from lsp_server.workspace.hints import Hints
from lsp_server.workspace.link import Link
from lsp_server.workspace.recent import Recent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from engine.api import Snippet
    from lsp_server.context import Site
    from lsp_server.documents import Document

_POLL_S = 0.02


class Workspace:
    """A folder whose index is on its way."""

    def __init__(self, root: Path, link: Link) -> None:
        self.root, self._link = root, link

    async def indexed(self) -> int:
        """Wait for it; the number of files."""
        while self._link.files is None:
            await asyncio.sleep(_POLL_S)
        return self._link.files

    async def gather(
        self, document: Document, line: int, column: int
    ) -> tuple[tuple[Snippet, ...], float]:
        """What comes for a caret at a new place within the deadline, and milliseconds it took."""
        gatherer = Gatherer(self._link, Recent())
        context = await gatherer.gather(*self._place(document, line, column))
        return context, gatherer.last_ms

    async def hint(self, document: Document, line: int, column: int) -> str:
        """What comes about the object before a caret, and about what is called."""
        return await Hints(self._link).at(*self._place(document, line, column))

    def _place(
        self, document: Document, line: int, column: int
    ) -> tuple[str, Site, EditorSnapshot]:
        uri, path = f"file://{document.path}", self._path(document)
        view = EditorSnapshot(Settings(), [self.root.as_posix()], documents={uri: document})
        return (
            uri,
            site_at(document.lines, line, column, language=document.language, path=path),
            view,
        )

    def opened(self, document: Document) -> None:
        """The document's text counts, not its file's."""
        text = "".join(document.lines)
        self._link.opened(self.root.as_posix(), self._path(document), text)

    def closed(self, document: Document) -> None:
        """The file's text counts again."""
        self._link.closed(self.root.as_posix(), self._path(document))

    def _path(self, document: Document) -> str:
        return document.path.removeprefix(f"{self.root.as_posix()}/")


@asynccontextmanager
async def workspace(root: Path) -> AsyncIterator[Workspace]:
    """Its index is begun; the index's process ends with the block."""
    link = Link(lambda *_: None)
    try:
        await link.use(EditorSnapshot(Settings(), [root.as_posix()]))
        yield Workspace(root, link)
    finally:
        await link.aclose()
