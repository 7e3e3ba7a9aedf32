"""Completions whose answer stands in another file, in each language whose definitions are found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

CARET = "‸"
FOLDER = Path(__file__).with_name("cross_file")


@dataclass(frozen=True, slots=True)
class Sample:
    """A workspace of two files, a caret in the second, and what only the first one tells."""

    name: str
    files: dict[str, str]
    """Path to text; the last one has the caret."""
    expected: str
    """Part of the right completion."""

    @property
    def language(self) -> str:
        return self.name.partition("-")[0]

    @property
    def path(self) -> str:
        return list(self.files)[-1]

    @property
    def text(self) -> str:
        """Of the caret's file, without the mark."""
        return self.files[self.path].replace(CARET, "")

    @property
    def caret(self) -> tuple[int, int]:
        """Line and column, from 0."""
        before = self.files[self.path].partition(CARET)[0]
        return before.count("\n"), len(before) - before.rfind("\n") - 1

    def write(self, folder: Path) -> None:
        """Put the files into a folder."""
        for path, text in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text.replace(CARET, ""), "utf-8")


def _read(file: Path) -> Sample:
    parts = re.split(r"^=== (.+)\n", file.read_text("utf-8"), flags=re.MULTILINE)[1:]
    *files, (_, expected) = zip(parts[::2], parts[1::2], strict=True)
    return Sample(file.stem, dict(files), expected.strip())


SAMPLES = [_read(file) for file in sorted(FOLDER.glob("*.txt"))]
