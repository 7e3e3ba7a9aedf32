"""What the editor has open, as far as context comes from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lsp_server.documents import Document
    from lsp_server.notebooks import Notebooks
    from lsp_server.settings import Settings


@dataclass(frozen=True, slots=True)
class View:
    """The editor's state that counts."""

    documents: Mapping[str, Document]
    """Open ones by URI."""
    roots: Sequence[str]
    """Paths of the workspace's folders."""
    settings: Settings
    notebooks: Notebooks | None = None
    """Those that some of the documents are cells of."""

    def lines(self, uri: str) -> tuple[Sequence[str], int]:
        """The lines in which a document's carets stand, and where among them its own begin."""
        if uri not in self.documents:
            return (), 0
        return self.notebooks.lines(uri) if self.notebooks else (self.documents[uri].lines, 0)

    @property
    def indexed(self) -> tuple[str, ...]:
        """Folders to index: none where nothing would be made of it.

        Another server than our own is sent no text of other files. A home folder or a whole disk
        is nobody's project.
        """
        settings = self.settings
        used = settings.context.definitions or settings.context.search
        if not (used and settings.completion.enable) or settings.fim.endpoint:
            return ()
        home = PurePosixPath(Path.home().as_posix())
        return tuple(root for root in self.roots if not home.is_relative_to(root))

    def root_of(self, path: str) -> str | None:
        """The innermost folder of the workspace that holds a file."""
        holding = [root for root in self.roots if PurePosixPath(path).is_relative_to(root)]
        return max(holding, key=len, default=None)

    def folder_of(self, path: str) -> str:
        """That one, else the file's own folder; "" for what is no file."""
        own = PurePosixPath(path).parent
        return self.root_of(path) or (str(own) if own.is_absolute() else "")
