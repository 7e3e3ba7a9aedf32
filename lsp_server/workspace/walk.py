"""The files of a workspace that may be read, one after the other."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lsp_server.policy import printable
from lsp_server.workspace.disk import inside, read_regular
from lsp_server.workspace.ignore import MAX_BYTES, readable, rules_above, skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lsp_server.exclusion import Exclusion
    from lsp_server.workspace.faults import Faults
    from lsp_server.workspace.ignore import Rules

LANGUAGES = {
    ".py": "python",
    ".pyi": "python",
    ".cpp": "cpp",
    ".cc": "cpp",
    ".cxx": "cpp",
    ".hpp": "cpp",
    ".hh": "cpp",
    ".h": "cpp",
    ".c": "cpp",
    ".java": "java",
    ".php": "php",
    ".ts": "typescript",
    ".mts": "typescript",
    ".tsx": "typescriptreact",
    ".js": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".jsx": "javascript",
    ".cs": "csharp",
    ".sh": "shellscript",
    ".bash": "shellscript",
    ".go": "go",
    ".rs": "rust",
    ".lua": "lua",
    ".rb": "ruby",
    ".kt": "kotlin",
    ".swift": "swift",
    ".scala": "scala",
    ".sql": "sql",
    ".proto": "proto",
}
"""Suffix to language id; files with other suffixes are not indexed."""


MOST_ENTRIES = 500_000
"""Files and folders of a root that are looked at."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that may be read."""

    root: str
    path: str
    """Relative to the root, with slashes, and printable."""
    stamp: str
    """Differs when the file was written."""
    name: str
    """The path as the disk has it."""

    def read(self) -> str | None:
        """Return its text; None where there is none worth reading.

        Raises:
            OSError: it cannot be read.
        """
        if not inside(self.root, self.name):  # a folder became a link since
            return None
        data = read_regular(f"{self.root}/{self.name}", MAX_BYTES)
        return None if data is None else readable(data)


def language_of(path: str) -> str:
    """Language id by the suffix, or ""."""
    return LANGUAGES.get(os.path.splitext(path)[1].lower(), "")  # noqa: PTH122 - ten times as fast


def walk(root: str, exclusion: Exclusion, faults: Faults) -> Iterator[Entry | None]:
    """Yield the files under `root` by their names, a folder's files before its folders.

    None comes for each other file or folder, so that no step takes long. Symbolic links are not
    followed, so no file outside of the workspace is read but the ignore files above it, in its
    repository.
    """
    left = MOST_ENTRIES
    waiting = [("", rules_above(root))]
    while waiting:
        path, rules = waiting.pop()
        at = f"{root}/{path}" if path else root
        rules = rules.within(Path(at), path)
        faults.told(rules.problems)
        folders = []
        for entry in _entries(at, faults):
            left -= 1
            below = f"{path}/{entry.name}" if path else entry.name
            try:
                found = _looked_at(entry, root, below, rules, exclusion)
            except OSError as error:  # it is gone, or may not be looked at
                faults.left_out(f"{root}/{below}", error)
                continue
            if found is True:
                folders.append((below, rules))
            yield found if isinstance(found, Entry) else None
        if left < 0:
            faults.left_out(root, OverflowError(f"more than {MOST_ENTRIES:,} files and folders"))
            return
        waiting += reversed(folders)


def _entries(folder: str, faults: Faults) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except (OSError, ValueError) as error:
        faults.left_out(folder, error)
        return []


def _looked_at(
    entry: os.DirEntry[str], root: str, path: str, rules: Rules, exclusion: Exclusion
) -> Entry | bool:
    """Return a file that may be read, True for a folder that may be entered, else False.

    Raises:
        OSError: it is gone, or may not be looked at.
    """
    folder = entry.is_dir(follow_symlinks=False)
    if not folder and not language_of(path):
        return False
    if skipped(entry.name, f"{root}/{path}", exclusion, folder=folder):
        return False
    if rules.ignores(path, folder=folder):
        return False
    if folder:
        return True
    status = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode) or not 0 < status.st_size <= MAX_BYTES:
        return False
    return Entry(root, printable(path), f"{status.st_mtime_ns} {status.st_size}", path)
