"""How much a definition says about what is written at a caret. Pure functions."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from lsp_server.workspace.definitions import comment
from lsp_server.workspace.found import Found

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lsp_server.workspace.wanted import Wanted

AWAITED = 1.5
"""Weight of an import that nothing uses yet: it was made for what is being written, or what is
far away."""
_IMPORTED, _NEAR = 2.0, 1.2
"""Factors for definitions in imported files, and in the same folder."""
_MEMBER, _STRANGE = 0.7, 0.2
"""Factors for members: of types that the caret's file names, and of others."""
_NOT_IMPORTED = 0.2
"""Factor for what the file would have to import first."""
_EXPLICIT = ("python", "typescript", "typescriptreact", "javascript")
"""Languages in which nothing of another file is known that is not imported."""
_INDEXES = ("__init__", "index", "mod", "init", "lib")
"""Files that are imported by the name of their folder."""

_LONGEST = 200
"""Characters of a module's names."""

Part = tuple[str, str, str]
"""path, brief, name: of a definition in a module."""
Row = tuple[str, int, str, str, str, str]
"""path, line, text, brief, owner, stem: of a definition, and of its file."""


def scored(rows: Sequence[Row], weight: float, name: str, about: Wanted) -> Iterator[Found]:
    """The definitions of a name that has some weight around the caret; they share it."""
    for path, line, text, brief, owner, stem in rows:
        score = weight / len(rows) ** 0.5
        score *= _linked(name, owner, path, stem, about) * _owned(owner, about)
        yield Found(path, line, text, score, "definition", brief)


def whole(rows: Sequence[Part], weight: float, about: Wanted) -> Found:
    """A module that is named around the caret: what it defines."""
    path = rows[0][0]
    text = "\n".join(brief for _, brief, _ in rows)
    names = ", ".join(name for _, _, name in rows)
    brief = f"{comment(about.language)} {names}"[:_LONGEST]
    return Found(
        path, 0, text, weight * _linked("", "", path, stem_of(path), about), "definition", brief
    )


def stem_of(path: str) -> str:
    """The name by which a file is imported."""
    pure = PurePosixPath(path)
    stem = pure.name.split(".")[0]
    return pure.parent.name if stem in _INDEXES else stem


def _linked(name: str, owner: str, path: str, stem: str, about: Wanted) -> float:
    """How sure the caret's file uses what stands in the one at `path`.

    A header and its source have one stem. A member is used without being imported.
    """
    here, there = PurePosixPath(about.path).parent, PurePosixPath(path).parent
    near = _NEAR if here == there else 1
    if stem in about.imports or stem == stem_of(about.path):
        return _IMPORTED * near
    imported = name in about.imports and any(part in about.imports for part in there.parts)
    known = imported or owner or about.language not in _EXPLICIT
    return near if known else _NOT_IMPORTED


def _owned(owner: str, about: Wanted) -> float:
    """Of a question, which has no file, every type may be meant."""
    if not owner:
        return 1
    named = not about.path or owner in about.names or owner in about.imports
    return _MEMBER if named else _STRANGE
