"""Places in real files where somebody types some lines again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import engine
import lsp_server
from engine.errors import CaretError

ROOTS = (Path(lsp_server.__file__).parent, Path(engine.__file__).parent)
OWN = ("context.py", "launch.py", "scheduler.py", "predictions.py")
"""Typed by default: Caret's own, which are on every machine and in no model's training data."""
LANGUAGES = {
    ".py": "python",
    ".ts": "typescript",
    ".js": "javascript",
    ".java": "java",
    ".cpp": "cpp",
    ".cs": "csharp",
    ".php": "php",
    ".sh": "shellscript",
    ".go": "go",
    ".rs": "rust",
    ".lua": "lua",
}
"""Suffix to LSP language id."""
_ABOVE, _BELOW, _APART = 20, 10, 12
"""Lines that must stand above a place, below it, and between two of them."""
_SHORTEST, _LONGEST = 12, 90
"""Characters of a line worth typing, its indent not counted."""
_NO_CODE = ("#", "//", '"""', "*", "import", "from")


@dataclass(frozen=True, slots=True)
class Site:
    """Some lines of a file that are about to be typed."""

    file: Path
    line: int
    """Index of the first of them."""
    before: str
    """All text before the caret, the first line's indent included."""
    typed: str
    """What will be typed."""
    after: str
    """All text after the caret."""

    @property
    def language(self) -> str:
        """LSP language id."""
        return LANGUAGES.get(self.file.suffix, "plaintext")

    @property
    def name(self) -> str:
        """For people: `context.py:81`."""
        return f"{self.file.name}:{self.line + 1}"


def own_files() -> list[Path]:
    """Sources of this installation."""
    found = {path.name: path for root in ROOTS for path in root.glob("*.py")}
    return [found[name] for name in OWN if name in found]


def find_sites(files: list[Path], count: int, lines: int, seed: int) -> list[Site]:
    """`count` places in each file, of so many `lines`, chosen by `seed`.

    Raises:
        CaretError: a file cannot be read, or none has such a place.
    """
    chance = random.Random(seed)
    found = [
        site
        for file in files
        for site in _in_file(file, _read(file), count=count, lines=lines, chance=chance)
    ]
    if not found:
        raise CaretError(
            "None of the files has a place to type at: they need more lines of code "
            f"({_ABOVE + _BELOW} around it), or --lines must be smaller."
        )
    return found


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CaretError(f"{file} cannot be read: {error}") from None


def _in_file(file: Path, text: str, *, count: int, lines: int, chance: random.Random) -> list[Site]:
    all_lines = text.split("\n")
    last = len(all_lines) - lines - _BELOW
    good = [at for at in range(_ABOVE, last) if _worth(all_lines[at : at + lines])]
    chance.shuffle(good)
    taken: list[int] = []
    for at in good:
        if len(taken) < count and all(abs(at - other) > _APART for other in taken):
            taken.append(at)
    return [_site(file, all_lines, at, lines) for at in sorted(taken)]


def _worth(lines: list[str]) -> bool:
    stripped = [line.strip() for line in lines]
    lengths = all(_SHORTEST <= len(line) <= _LONGEST for line in stripped)
    code = not any(line.startswith(_NO_CODE) for line in stripped)
    return lengths and code and lines[0].startswith((" ", "\t"))


def _site(file: Path, lines: list[str], at: int, count: int) -> Site:
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    return Site(
        file=file,
        line=at,
        before="\n".join([*lines[:at], indent]),
        typed="\n".join(lines[at : at + count])[len(indent) :],
        after="\n" + "\n".join(lines[at + count :]),
    )
