"""Holes in a project's files whose answer stands in another one of them."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from bench.evals.answers import Place
from bench.evals.cuts import SEVEN, Cut, cuts
from bench.evals.syntax import tokens_of_code, tree_of
from engine.errors import CaretError
from lsp_server.exclusion import Exclusion
from lsp_server.workspace.definitions import definitions
from lsp_server.workspace.faults import Faults
from lsp_server.workspace.walk import language_of, walk

if TYPE_CHECKING:
    from engine.api import Snippet

_NAME = re.compile(r"[^\W\d]\w{4,}")


@dataclass(frozen=True, slots=True)
class CrossHole:
    """A hole in a file of a workspace."""

    id: str
    path: str
    language: str
    prefix: str
    suffix: str
    expected: str
    name: str = ""
    """That the other file defines; then the completion must be `expected`, not only have it."""
    context: bool = True

    def place(self, context: tuple[Snippet, ...], hint: str) -> Place:
        """The hole, with what is told about it."""
        place = Place(self.prefix, self.suffix, self.language, self.path)
        return replace(place, context=context, hint=hint)

    def right(self, text: str) -> bool:
        """Whether a completion is what was asked for; by hand it may go on over more lines."""
        line = text.partition("\n")[0]
        return line.strip() == self.expected.strip() if self.name else self.expected in text

    def named(self, text: str) -> bool:
        """Whether it has what only the other file tells."""
        return (self.name or self.expected) in text


def holes_in(folder: Path, files: int, each: int, seed: int) -> list[CrossHole]:
    """Ends of lines from where they name what exactly one other file defines.

    This file has the name nowhere else, not even in an import, and does use that other file: it
    names it, or something else of it.

    Raises:
        CaretError: there are none.
    """
    told = Definers(folder)
    tried = cuts([folder], SEVEN, files=files, each=each, seed=seed)
    lines = (cut for cut in tried if cut.kind == "line")
    holes = [_cross(cut, column) for cut in lines if (column := _told(cut, told)) is not None]
    if not holes:
        raise CaretError(f"No line in {folder} uses what only one other file defines. Try --files.")
    return holes


class Definers:
    """Which file defines a name, where one alone does."""

    def __init__(self, folder: Path) -> None:
        files: dict[str, set[str]] = defaultdict(set)
        found = walk(folder.as_posix(), Exclusion(()), Faults(print))
        for entry in filter(None, found):
            for definition in definitions(entry.read() or "", language_of(entry.path), fields=True):
                files[definition.name].add(entry.path)
        self._file = {name: min(paths) for name, paths in files.items() if len(paths) == 1}

    def other(self, name: str, path: str, names: set[str]) -> bool:
        """Whether a file that is not at `path` defines it, and these names tell of that file."""
        file = self._file.get(name, path)
        near = (
            known
            for known in names
            if known == PurePosixPath(file).stem or self._file.get(known) == file
        )
        return file != path and any(near)


def _told(cut: Cut, told: Definers) -> int | None:
    """Where in what was cut out the first name is that another file tells."""
    above, _, head = cut.prefix.rpartition("\n")
    around = [*above.split("\n"), *cut.suffix.split("\n")[1:]]
    names = set(_NAME.findall("\n".join([*around, head])))
    found = () if "import" in head + cut.truth else _NAME.finditer(cut.truth)
    new = (match for match in found if match[0] not in names)
    others = (match for match in new if told.other(match[0], cut.path, names))
    return next((match.start() for match in others if _is_code(cut, match.start())), None)


def _is_code(cut: Cut, at: int) -> bool:
    """Whether a token begins there that is no comment, and not in a string."""
    before = (cut.prefix + cut.truth[:at]).split("\n")
    tokens = tokens_of_code(tree_of(cut.prefix + cut.truth + cut.suffix, cut.language))
    return len(before[-1].encode()) in tokens[len(before) - 1]


def _cross(cut: Cut, at: int) -> CrossHole:
    """The hole from where the name begins: before it, another line may be as right."""
    prefix, truth = cut.prefix + cut.truth[:at], cut.truth[at:]
    name = _NAME.match(truth)
    assert name
    return CrossHole(cut.id, cut.path, cut.language, prefix, cut.suffix, truth, name[0])
