"""Holes in real files: where they are cut, and the files that they are cut from."""

from __future__ import annotations

import random
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.evals.syntax import Span, bodies, parses, tokens_of_code, tree_of
from engine.errors import CaretError
from lsp_server.workspace.walk import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tree_sitter import Tree

Kind = Literal["line", "block"]
SEVEN = ("python", "cpp", "java", "php", "typescript", "csharp", "shellscript")
"""Languages that holes are cut from unless a person names others."""
_SMALLEST, _LARGEST = 500, 60_000
"""Bytes of a file."""
_LONGEST_LINE = 200
_LONGEST_BODY = 8
"""Lines of a block that is cut out."""
_SHORTEST = 4
"""Characters cut out, white space not counted."""
_SKIPPED = {"test", "tests", "testing", "site-packages", "dist-packages", "node_modules", ".git"}


@dataclass(frozen=True, slots=True)
class Cut:
    """A file with a hole at the caret."""

    id: str
    """`path:line:kind`."""
    kind: Kind
    """line: to the end of the caret's line; block: a whole body, the caret on its first line."""
    language: str
    path: str
    prefix: str
    truth: str
    suffix: str


def default_folder() -> Path:
    """Code that is on every machine: Python's own library."""
    return Path(sysconfig.get_path("stdlib"))


def cuts(
    folders: Sequence[Path], languages: Sequence[str], *, files: int, each: int, seed: int
) -> list[Cut]:
    """Up to `each` holes in up to `files` files of each language, chosen by `seed`.

    Raises:
        CaretError: there is no file to cut from.
    """
    found = [
        cut
        for language in languages
        for cut in _of_language(folders, language, files=files, each=each, seed=seed)
    ]
    random.Random(seed).shuffle(found)
    if not found:
        raise CaretError(
            f"No file of {', '.join(languages)} lies in {', '.join(map(str, folders))} that holes "
            f"can be cut from: {_SMALLEST:,} to {_LARGEST:,} bytes that parse."
        )
    return found


def _of_language(
    folders: Sequence[Path], language: str, *, files: int, each: int, seed: int
) -> Iterator[Cut]:
    chance = random.Random(f"{seed} {language}")
    paths = [(folder, path) for folder in folders for path in _files(folder, language)]
    chance.shuffle(paths)
    taken = 0
    for folder, path in paths:
        if taken == files:
            return
        text = _read(path)
        if text is None or not parses(text, language):
            continue
        name = path.relative_to(folder).as_posix()
        found = list(in_text(text, language, name, chance, each))
        taken += bool(found)
        yield from found


def _files(folder: Path, language: str) -> list[Path]:
    """In an order that does not depend on the file system."""
    suffixes = {suffix for suffix, known in LANGUAGES.items() if known == language}
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in suffixes
        and not _SKIPPED & set(path.relative_to(folder).parts)
        and path.is_file()
    )


def _read(path: Path) -> str | None:
    """Its text with plain line ends; None where it is no code that somebody wrote by hand."""
    try:
        size = path.stat().st_size
        text = path.read_text("utf-8") if _SMALLEST <= size <= _LARGEST else ""
    except (OSError, UnicodeDecodeError):
        return None
    return text if text and max(map(len, text.split("\n"))) <= _LONGEST_LINE else None


def in_text(text: str, language: str, name: str, chance: random.Random, each: int) -> Iterator[Cut]:
    """Holes in one file, lines and blocks in turns, none inside of another's lines."""
    tree, lines = tree_of(text, language), text.split("\n")
    places = [*_blocks(tree, lines), *_lines(tree, lines, chance)]
    chance.shuffle(places)
    used: set[int] = set()
    kinds: list[Kind] = ["line", "block"] * each
    for kind in kinds[:each]:
        for place in places:
            span = range(place.span.first, place.span.last + 1)
            if place.kind == kind and not used & set(span):
                used |= set(span)
                yield _cut(place, lines, language, name)
                break


@dataclass(frozen=True, slots=True)
class _Place:
    kind: Kind
    span: Span
    column: int


def _blocks(tree: Tree, lines: list[str]) -> Iterator[_Place]:
    for span in bodies(tree):
        first = lines[span.first]
        size = span.last - span.first + 1
        if size <= _LONGEST_BODY and first.strip():
            yield _Place("block", span, len(first) - len(first.lstrip()))


def _lines(tree: Tree, lines: list[str], chance: random.Random) -> Iterator[_Place]:
    """One caret in each line of code: before its first token, or before another one."""
    for number, columns in sorted(tokens_of_code(tree).items()):
        column = chance.choice([columns[0], chance.choice(columns)])
        line = lines[number]
        if line.isascii() and len(line[column:].strip()) >= _SHORTEST:
            yield _Place("line", Span(number, number), column)


def _cut(place: _Place, lines: list[str], language: str, name: str) -> Cut:
    first, last = place.span.first, place.span.last
    whole = "\n".join(lines[first : last + 1])
    return Cut(
        id=f"{name}:{first + 1}:{place.kind}",
        kind=place.kind,
        language=language,
        path=name,
        prefix="\n".join([*lines[:first], whole[: place.column]]),
        truth=whole[place.column :],
        suffix="\n".join(["", *lines[last + 1 :]]) if last + 1 < len(lines) else "",
    )
