"""Open documents whose text goes no further than their own prompts."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from lsp_server.policy import excluding
from lsp_server.workspace import ignore

if TYPE_CHECKING:
    from lsp_server.documents import Document
    from lsp_server.snapshot import EditorSnapshot


def shareable(document: Document, snapshot: EditorSnapshot) -> bool:
    """Return whether prompts of other files may have text of this one; reads ignore files."""
    if document.binary or document.characters > ignore.MAX_BYTES:
        return False
    excluded = excluding(document.names, snapshot.settings.privacy.exclude, snapshot.roots)
    return excluded is None and not caretignored(document, snapshot)


def caretignored(document: Document, snapshot: EditorSnapshot) -> bool:
    """Return whether `.caretignore` files keep a document out by any of its paths; reads them."""
    for path in document.names:
        folder = snapshot.folder_of(path)
        inside = PurePosixPath(path).relative_to(folder).as_posix() if folder else ""
        if inside and ignore.caretignored(folder, inside):
            return True
    return False
