"""A workspace folder in use, with the real index process over real files."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from lsp_server.context import site_at
from lsp_server.documents import Document
from lsp_server.settings import Settings
from lsp_server.snapshot import EditorSnapshot
from lsp_server.workspace.gather import Gatherer
from lsp_server.workspace.link import Link
from lsp_server.workspace.recent import Recent
from lsp_server.workspace.typed import objects
from lsp_server.workspace.wanted import wanted, with_ways

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from engine.api import Snippet
    from lsp_server.context import Site
    from lsp_server.workspace.wanted import Wanted

PATIENCE_S = 60.0


class Desk:
    """A workspace folder, its open documents, and what gathers for them."""

    def __init__(self, folder: Path, link: Link, settings: Settings) -> None:
        self.folder, self.link = folder, link
        self.recent, self.clock = Recent(), 0.0
        self.gatherer = Gatherer(link, self.recent, lambda: self.clock)
        self.view = EditorSnapshot(settings, [folder.as_posix()])

    def uri(self, path: str) -> str:
        return (self.folder / path).as_uri()

    def open(self, path: str, text: str, language: str = "python") -> Document:
        file = os.path.normpath(self.folder / path)
        document = Document.open(file, language, text)
        self.view = replace(self.view, documents={**self.view.documents, self.uri(path): document})
        return document

    async def gather(
        self, path: str, line: int, column: int = 0, *, invoked: bool = False
    ) -> tuple[Snippet, ...]:
        document = self.view.documents[self.uri(path)]
        site = site_at(document.lines, line, column, language=document.language, path=path)
        return await self.gatherer.gather(self.uri(path), site, self.view, invoked=invoked)


@asynccontextmanager
async def at_desk(folder: Path, settings: Settings | None = None) -> AsyncIterator[Desk]:
    link = Link(lambda *_: None)
    desk = Desk(folder, link, settings or Settings())
    await link.use(desk.view)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while desk.view.indexed and link.files is None:
                await asyncio.sleep(0.01)
        yield desk
    finally:
        await link.aclose()


def at_hand(site: Site, lines: Sequence[str]) -> Wanted:
    """What is asked of the index for members."""
    return with_ways(wanted(site, lines), objects(site, lines))
