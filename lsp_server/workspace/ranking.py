"""How much a definition says about what is written at a caret. Pure functions."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from lsp_server.workspace.declared import JAVASCRIPTS
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
EXPLICIT = ("python", *JAVASCRIPTS)
"""Languages in which nothing of another file is known that is not imported."""
_INDEXES = ("__init__", "index", "mod", "init", "lib")
"""Files that are imported by the name of their folder."""
_LONGEST = 200
"""Characters that a type or a module is told in,"""
LONGEST = 600
"""and one that stands before the caret."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

Part = tuple[str, str, str]
"""path, brief, name: of a definition in a module."""
Row = tuple[str, int, str, str, str, str]
"""path, line, text, brief, owner, stem: of a definition, and of its file."""


def scored(rows: Sequence[Row], weight: float, name: str, about: Wanted) -> Iterator[Found]:
    """The definitions of a name that has some weight around the caret; they share it."""
    for path, line, text, brief, owner, stem in rows:
        score = weight / len(rows) ** 0.5
        score *= linked(name, owner, path, stem, about) * _owned(owner, about)
        yield Found(path, line, text, score, "definition", brief)


def of_module(rows: Sequence[Part], weight: float, about: Wanted) -> Found:
    """A module that is named around the caret: what it defines."""
    path = rows[0][0]
    text = "\n".join(brief for _, brief, _ in rows)
    names = f"{comment(about.language)} {', '.join(name for _, _, name in rows)}"
    score = weight * linked("", "", path, stem_of(path), about)
    return Found(path, 0, text, score, "definition", names)


def telling(found: Sequence[Found], about: Wanted) -> list[Found]:
    """Briefly first what has words of names around the caret, and no more names than fit."""
    begin, weights = f"{comment(about.language)} ", _weights(about)
    return [replace(item, brief=_in_order(item.brief, begin, weights)) for item in found]


def listed(found: Found, about: Wanted) -> Found:
    """The same for what stands before the caret, of which more is told."""
    begin, weights = f"{comment(about.language)} ", _weights(about)
    return replace(found, brief=_in_order(found.brief, begin, weights, LONGEST))


def _weights(about: Wanted) -> dict[str, float]:
    """Of the words of names around the caret."""
    weights: dict[str, float] = {}
    for name, weight in about.names.items():
        for word in _words(name):
            weights[word] = max(weights.get(word, 0), weight)
    return weights


def _in_order(brief: str, begin: str, weights: dict[str, float], longest: int = _LONGEST) -> str:
    """With the names that weigh most first, and none that is cut.

    >>> _in_order("class Run: # stop(), get_status()", "# ", {"status": 1.0})
    'class Run: # get_status(), stop()'
    >>> _in_order("class Run: # stop(), get_status()", "# ", {}, 25)
    'class Run: # stop()'
    """
    head, begins, names = brief.partition(begin)
    if not begins:
        return brief
    order = sorted(names.split(", "), key=lambda name: -_shared(name, weights))
    return cut(head + begins + ", ".join(order), longest)


def cut(text: str, longest: int) -> str:
    """Between two names, where it is too long."""
    return text if len(text) <= longest else text[:longest].rpartition(", ")[0] or text[:longest]


def _shared(name: str, weights: dict[str, float]) -> float:
    """What its words weigh; of two names that weigh nothing a public one comes first."""
    words = _words(name)
    weight = sum(weights.get(word, 0) for word in words) / max(len(words), 1)
    return weight or -0.01 * name.startswith("_")


def _words(name: str) -> list[str]:
    """Those that an identifier is made of, in lower case.

    >>> _words("maxHTTPRetries_left")
    ['max', 'http', 'retries', 'left']
    """
    return [word.lower() for word in _WORD.findall(name)]


def stem_of(path: str) -> str:
    """The name by which a file is imported."""
    pure = PurePosixPath(path)
    stem = pure.name.split(".")[0]
    return pure.parent.name if stem in _INDEXES else stem


def linked(name: str, owner: str, path: str, stem: str, about: Wanted) -> float:
    """How sure the caret's file uses what stands in the one at `path`.

    A header and its source have one stem. A member is used without being imported.
    """
    here, there = PurePosixPath(about.path).parent, PurePosixPath(path).parent
    near = _NEAR if here == there else 1
    if stem in about.imports or stem == stem_of(about.path):
        return _IMPORTED * near
    return near if owner or known(name, path, stem, about) else _NOT_IMPORTED


def known(name: str, path: str, stem: str, about: Wanted) -> bool:
    """Whether the caret's file knows what stands in the one at `path`, without its being named."""
    if about.language not in EXPLICIT or stem in about.imports or path == about.path:
        return True
    folders = PurePosixPath(path).parent.parts
    return name in about.taken and any(part in about.imports for part in folders)


def _owned(owner: str, about: Wanted) -> float:
    """Of a question, which has no file, every type may be meant."""
    if not owner:
        return 1
    named = not about.path or owner in about.names or owner in about.imports
    return _MEMBER if named else _STRANGE
