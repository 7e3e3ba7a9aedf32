"""Files of the workspace that a model may read: open documents first, then the disk."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from lsp_server.exclusion import exclusion_of
from lsp_server.workspace.disk import inside, read_regular
from lsp_server.workspace.ignore import MAX_BYTES, ignored, readable, skipped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Files:
    """What may be read, and where it is."""

    roots: Sequence[str] = ()
    """Paths of the workspace's folders."""
    exclude: tuple[str, ...] = ()
    """`caret.privacy.exclude`."""
    opened: Mapping[str, str] = field(default_factory=dict)
    r"""Path to text, with `\n` line ends, of open documents."""

    def find(self, path: str) -> tuple[str, str] | None:
        """Root and relative path of a file named by a program, absolute or not; None outside.

        A relative path, or one of another machine, is looked for from its end: so a container's
        `/app/src/a.py` is the workspace's `src/a.py`.
        """
        pure = PurePosixPath(path.replace("\\", "/"))
        for root in self.roots:
            if pure.is_absolute() and pure.is_relative_to(root):
                return self._there(root, pure.relative_to(root).as_posix())
        parts = [part for part in pure.parts if part not in ("/", ".", "..")]
        for skip in range(len(parts)):
            for root in self.roots:
                if found := self._there(root, "/".join(parts[skip:])):
                    return found
        return None

    def read(self, root: str, path: str) -> str | None:
        r"""The text of a file with `\n` line ends; None if it may not be read, or is not there."""
        file = f"{root}/{path}"
        if not self.allowed(root, path):
            return None
        if (text := self.opened.get(file)) is not None:
            return text
        if not inside(root, path):
            return None
        try:
            data = read_regular(file, MAX_BYTES)
        except OSError:
            return None
        text = None if data is None else readable(data)
        if text is None:
            return None
        return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")

    def allowed(self, root: str, path: str) -> bool:
        """Whether neither its name, nor `.gitignore`, nor `.caretignore` keep it out."""
        exclusion, at = exclusion_of(self.exclude, tuple(self.roots)), ""
        parts = path.split("/")
        for depth, part in enumerate(parts):
            at = f"{at}/{part}" if at else part
            if skipped(part, f"{root}/{at}", exclusion, folder=depth < len(parts) - 1):
                return False
        return not ignored(root, path)

    def takes(self, root: str, path: str) -> bool:
        """Return whether text may be written to a file: one that may be read, or a new one.

        A symbolic link on the way, also one that leads nowhere, could lead out of the workspace.
        """
        if not inside(root, path):
            return False
        return not os.path.lexists(f"{root}/{path}") or self.read(root, path) is not None

    def _there(self, root: str, path: str) -> tuple[str, str] | None:
        file = f"{root}/{path}"
        return (root, path) if file in self.opened or Path(file).is_file() else None
