"""What a text says that its names are, followed from one declaration to the next."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from lsp_server.workspace.declared import LINE, Chain, declared, types_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

NAMES, LINES = 24, 96
"""Names that are looked for, and lines that are read for that, at most."""
WAYS = 8
"""Ways to one object, and of a name in one line, at most."""
_DEEP = 4
"""Declarations that are followed from one to the next, at most."""
_LATEST = 3
"""Declarations of a name that are looked at: it may be given different values."""
_OWN = ("self", "this", "$this", "cls", "Self", "static")
_BASE = {"php": "parent", "csharp": "base"}
"""What stands for the base, where it is not `super`."""
_STANDS = re.compile(r"\w++(?!\??[.(\[]|->)")
"""A name where it may be declared, not `name.`, `name(` and `name[`, which tell nothing."""
_CLASS = re.compile(
    r"\s*+(?:[a-z]++\s++)*?(?:class|struct|impl|trait|interface|object)\b(?:<[^<>]*+>)?\s++"
    r"(?:[\w:<>, ]+\sfor\s+)?(\w++)(?=\s*+(?:[({:<\[;]|(?:extends|implements|where)\b|$))(.*)"
)
"""No prose, in which another word follows."""


class Told:
    """A text that says what its names are."""

    def __init__(self, lines: Sequence[str], language: str) -> None:
        self._lines, self._language = lines, language
        self._names_left, self._lines_left = NAMES, LINES

    def ways(self, path: Chain, at: int) -> tuple[Chain, ...]:
        """Where an expression in line `at` leads to, the likeliest first."""
        return tuple(dict.fromkeys(islice(self._ways(path, at, _DEEP), WAYS)))

    def of(self, name: str, numbers: Iterable[int]) -> list[tuple[int, Chain]]:
        """What lines say of a name, or of the own member `.name`; the first few that do."""
        found: list[tuple[int, Chain]] = []
        places = 0
        for number in self._naming(name.lstrip("."), numbers):
            told = declared(self._statement(number), self._language)
            ways = (way for key, way in told if _key(key) == name)
            here = [(number, way) for way in islice(ways, WAYS)]
            found += here
            places += bool(here)
            if places == _LATEST:
                break
        return found

    def _naming(self, word: str, numbers: Iterable[int]) -> Iterator[int]:
        """Lines in which a name may be declared, as many as may still be read."""
        self._names_left -= 1
        if self._names_left < 0:
            return
        for number in numbers:
            line = self._lines[number]
            if word in line and word in _STANDS.findall(line[:LINE]):
                self._lines_left -= 1
                if self._lines_left < 0:
                    return
                yield number

    def _statement(self, number: int) -> str:
        """A line, with the next one where its value stands there."""
        line = self._lines[number].rstrip()
        goes_on = line.endswith(("=", "= (")) and number + 1 < len(self._lines)
        return f"{line.rstrip('(')} {self._lines[number + 1]}" if goes_on else line

    def _ways(self, path: Chain, at: int, deep: int) -> Iterator[Chain]:
        head, *rest = path
        head = head if head in _OWN else head.lstrip("$") or head
        if head == _BASE.get(self._language, "super"):
            yield from ((base, *rest) for base in self._around(at)[1:])
            return
        if head in _OWN and rest:
            head, rest = f".{rest[0]}", rest[1:]
        for place, way in self._declared(head, at) if deep else ():
            if way != (head,):
                # a name that is assigned what is made of itself is looked for above
                yield from self._ways((*way, *rest), place - (way[0] == head), deep - 1)
        if head[0] == "." or head in _OWN:
            rest = [head[1:], *rest] if head[0] == "." else rest
            yield from ((name, *rest) for name in self._around(at))
        else:
            yield (head, *rest)

    def _declared(self, head: str, at: int) -> list[tuple[int, Chain]]:
        """What is said of a name nearest above; of a field it may be said below, or bare."""
        above, below = range(at, -1, -1), range(at + 1, len(self._lines))
        found = self.of(head, above) or self.of(head, below)
        return found or (self.of(head[1:], above) if head[0] == "." else [])

    def _around(self, at: int) -> list[str]:
        """The type around a line, and those that it names as its bases."""
        return next((names for number, names in self._types if number <= at), [])

    @cached_property
    def _types(self) -> list[tuple[int, list[str]]]:
        """Those that begin in a line, with their bases; the last one first."""
        found = [(number, _CLASS.match(line[:LINE])) for number, line in enumerate(self._lines)]
        types = [(number, [of[1], *types_in(of[2])]) for number, of in found if of]
        return types[::-1]


def _key(name: str) -> str:
    """`.x` of `self.x`, `this.x`, `$this->x` and `@x`."""
    own, _, last = name.replace("->", ".").replace("@", "self.").rpartition(".")
    return f".{last}" if own in _OWN else name.lstrip("$")
