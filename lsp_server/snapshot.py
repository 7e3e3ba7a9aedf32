"""The editor's state at one moment: all that a request reads of it, from its start to its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from lsp_server.exclusion import real_path
from lsp_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lsp_server.documents import Document, Encoding
    from lsp_server.notebooks import Notebooks


@dataclass(frozen=True, slots=True)
class EditorSnapshot:
    """Settings, folders and documents that belong together.

    Nothing in it changes: an edit makes a new `Document`, and so does every change of the settings.
    """

    settings: Settings = field(default_factory=Settings)
    roots: Sequence[str] = ()
    """Paths of the workspace's folders."""
    encoding: Encoding = "utf-16"
    """Unit in which the client counts columns."""
    documents: Mapping[str, Document] = field(default_factory=dict)
    """Open documents by URI."""
    notebooks: Notebooks | None = None
    """Notebooks whose cells are among the documents."""
    generation: int = 0
    """The number of changes of settings and folders before it."""
    _lines: dict[str, tuple[Sequence[str], int]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """Results of `lines`: those of a notebook are put together from all its cells."""

    def lines(self, uri: str) -> tuple[Sequence[str], int]:
        """Return a document's lines among those of its notebook, and the index of its first one."""
        if uri not in self.documents:
            return (), 0
        if uri not in self._lines:
            self._lines[uri] = (
                self.notebooks.lines(uri) if self.notebooks else (self.documents[uri].lines, 0)
            )
        return self._lines[uri]

    def uri_of(self, path: str) -> str:
        """Return the URI of a file: the client's own spelling, where it has the file open."""
        opened = (uri for uri, document in self.documents.items() if path in document.names)
        return next(opened, None) or Path(path).as_uri()

    def language(self, uri: str) -> str:
        """Return the language id of an open document."""
        return self.notebooks.language(uri) if self.notebooks else self.documents[uri].language

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
        home = _home()
        real = {real_path(root): root for root in reversed(self.roots)}
        projects = (root for at, root in real.items() if not home.is_relative_to(at))
        return tuple(sorted(projects, key=list(self.roots).index))

    def root_of(self, path: str) -> str | None:
        """Return the innermost folder of the workspace that holds a file; None if none does."""
        holding = [root for root in self.roots if PurePosixPath(path).is_relative_to(root)]
        return max(holding, key=len, default=None)

    def folder_of(self, path: str) -> str:
        """Return `root_of(path)`, else the file's own folder; "" if there is no file."""
        own = PurePosixPath(path).parent
        return self.root_of(path) or (str(own) if own.is_absolute() else "")


def _home() -> PurePosixPath:
    """The home folder; the top of the file system where there is none."""
    try:
        return PurePosixPath(real_path(Path.home().as_posix()))
    except RuntimeError:
        return PurePosixPath("/")
