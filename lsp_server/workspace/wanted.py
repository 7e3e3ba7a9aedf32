"""What the text around a caret is about: the names to look up, and the words to search for."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lsp_server.workspace.importing import importing_lines
from lsp_server.workspace.origins import origins

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lsp_server.context import Site
    from lsp_server.workspace.declared import Chain

ABOVE, BELOW = 40, 10
"""Lines around the caret in which names count."""
NAMES = 48
WORDS = 12
_NEAR = 6
"""Lines above the caret within which a name counts twice and more."""
_IMPORTED = 0.25
"""What a name in the imports weighs besides."""
_NAME = re.compile(r"[^\W\d]\w{2,63}")
_IMPORTED_NAME = re.compile(r"[^\W\d]\w{0,63}")
"""Modules may have short names, where variables with short ones say nothing."""
_STRING = re.compile(r"""(?<!\\)(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')""")
"""From no quote behind a backslash on: where none ends it, each would be tried up to the end."""
_KEYWORDS = frozenset(
    """
    abstract and any assert async await bool boolean break byte case catch char class const
    continue def default delete del do done double echo elif else elseif end enum esac except
    export extends extern false final finally float fn for foreach from func function global go
    goto if impl implements import in include inline instanceof int interface internal is lambda
    let local long match mod module mut namespace new nil none nonlocal not null number object or
    override package pass private protected pub public raise range readonly rescue ret return self
    sealed short signed sizeof static str string struct super switch template then this throw
    throws trait true try type typedef typename typeof undefined union unless unsigned use using
    var virtual void volatile when where while with yield
    """.split()  # noqa: SIM905 - a list of 150 quoted words reads worse
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to ask the index for."""

    language: str
    """Of definitions and pieces; "" for all."""
    path: str
    """Of the caret's file, relative to its workspace folder."""
    names: dict[str, float]
    """Name to weight, the awaited ones first, then the heaviest."""
    imports: tuple[str, ...]
    """Names that stand in the file's imports: modules, and what is taken from them."""
    taken: tuple[str, ...]
    """Those of them that the file knows thereby."""
    awaited: tuple[str, ...]
    """Those of these that nothing around the caret uses yet."""
    words: tuple[str, ...]
    """For the search, the most telling first."""
    object: tuple[Chain, ...] = ()
    """Ways to the type of what stands before the caret, the likeliest first."""
    called: tuple[Chain, ...] = ()
    """Ways to what is called around the caret."""
    origins: dict[str, str] = field(default_factory=dict)
    """As of `origins.origins`."""


def wanted(site: Site, top: Sequence[str]) -> Wanted:
    """Names near the caret weigh the more the nearer they are; imported ones always count.

    Args:
        site: The caret.
        top: Lines of its file from the first one on, for the imports.
    """
    lines, line = (site.prefix + site.suffix).split("\n"), site.prefix.count("\n")
    weights: defaultdict[str, float] = defaultdict(float)
    import_lines = dict(importing_lines(top, site.language))
    there = {number - site.first_line for number in import_lines}
    for index in range(max(line - ABOVE, 0), min(line + BELOW + 1, len(lines))):
        if index in there:
            continue
        distance = line - index if index <= line else 2 * (index - line)
        for name in names_in(lines[index]):
            weights[name] += 1 / (1 + distance / _NEAR)
    words = sorted(weights, key=weights.__getitem__, reverse=True)[:WORDS]
    imports = imported_names(import_lines.values())
    taken = imported_names(map(_taken, import_lines.values()))
    others = (text for number, text in enumerate(lines) if number not in there)
    used = {name for text in others for name in _IMPORTED_NAME.findall(text)}
    for name in imports:
        weights[name] += _IMPORTED
    awaited = dict.fromkeys(name for name in taken if name not in used)
    heaviest = sorted(weights, key=lambda name: (name in awaited, weights[name]), reverse=True)
    names = {name: weights[name] for name in heaviest[:NAMES]}
    return Wanted(
        site.language,
        site.path,
        names,
        tuple(imports),
        tuple(taken),
        tuple(awaited),
        tuple(words),
        origins=origins(import_lines.values(), site.language),
    )


def with_ways(about: Wanted, ways: tuple[tuple[Chain, ...], tuple[Chain, ...]]) -> Wanted:
    """The same, to ask for members: `ways` as of `typed.objects`."""
    before, called = ways
    return replace(about, object=before, called=called)


def names_in(line: str) -> set[str]:
    """Identifiers of a line, without keywords and what stands in strings."""
    found = set(_NAME.findall(_STRING.sub('""', line)))
    return {name for name in found if name.lower() not in _KEYWORDS}


def imported(lines: Sequence[str], language: str) -> list[str]:
    """Names in the lines that import something in a language."""
    return imported_names(line for _, line in importing_lines(lines, language))


def imported_names(texts: Iterable[str]) -> list[str]:
    """Names in import lines."""
    names = (name for text in texts for name in _IMPORTED_NAME.findall(text))
    return list(dict.fromkeys(name for name in names if name.lower() not in _KEYWORDS))


def _taken(line: str) -> str:
    """The part of an import line with what the file knows thereby.

    Python has what is taken behind what it is taken from, JavaScript before it.
    """
    of, _, names = line.partition(" import ")
    return names if of.lstrip().startswith("from") else re.split(r"\bfrom\b", line)[0]
