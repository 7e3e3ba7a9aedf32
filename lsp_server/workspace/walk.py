"""The files of a workspace that may be read, one after the other."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lsp_server.workspace.ignore import MAX_BYTES, Rules, readable, rules_above, skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that may be read."""

    root: str
    path: str
    """Relative to the root, with slashes."""
    stamp: str
    """Differs when the file was written."""

    @property
    def language(self) -> str:
        """Language id by the suffix."""
        return language_of(self.path)

    def read(self) -> str | None:
        """Its text; None where there is none worth reading."""
        try:
            return readable(Path(self.root, self.path).read_bytes())
        except OSError:
            return None


def language_of(path: str) -> str:
    """Language id by the suffix, or ""."""
    return LANGUAGES.get(os.path.splitext(path)[1].lower(), "")  # noqa: PTH122 - ten times as fast


def walk(
    root: str, secrets: tuple[str, ...], path: str = "", rules: Rules | None = None
) -> Iterator[Entry]:
    """Files under `root` in the order of their names, a folder's files before its folders.

    Symbolic links are not followed, so no file outside of the workspace is read but the ignore
    files above it, in its repository.
    """
    rules = (rules or rules_above(root)).within(Path(root, path), path)
    try:
        with os.scandir(Path(root, path)) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return
    folders = []
    for entry in entries:
        at = f"{path}/{entry.name}" if path else entry.name
        if skipped(entry.name, f"{root}/{at}", secrets):
            continue
        if entry.is_dir(follow_symlinks=False):
            folders += [at] if not rules.ignores(f"{at}/") else []
        elif language_of(at) and entry.is_file(follow_symlinks=False) and not rules.ignores(at):
            status = entry.stat(follow_symlinks=False)
            if 0 < status.st_size <= MAX_BYTES:
                yield Entry(root, at, f"{status.st_mtime_ns} {status.st_size}")
    for folder in folders:
        yield from walk(root, secrets, folder, rules)
