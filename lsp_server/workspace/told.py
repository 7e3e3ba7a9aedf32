"""What a text says that its names are, followed from one declaration to the next."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import chain, islice, takewhile
from typing import TYPE_CHECKING

from lsp_server.workspace.containers import contains
from lsp_server.workspace.declared import (
    DECLARING,
    JAVASCRIPTS,
    LINE,
    Chain,
    declared,
    documented,
    types_in,
)
from lsp_server.workspace.scope import Scopes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

NAMES, LINES = 24, 96
"""Names that are looked for, and lines that are read for that, at most."""
WAYS = 8
"""Ways to one object, and of a name in one line, at most."""
_DEEP = 4
"""Declarations that are followed from one to the next, at most."""
_COMMENT = 24
"""Lines of a comment, before what is declared, that are read."""
_LATEST = 3
"""Declarations of a name that are looked at: it may be given different values."""
_CALLS = 8
"""Lines below a declaration that may go on with it."""
_CALL = re.compile(r"\?*+(?:\.|->)\w")
_OWN = ("self", "this", "$this", "cls", "Self", "static")
_UNSAID = frozenset(["java", "csharp", "cpp"])
"""Languages in which a name alone may be a member of the type around it, or of a base."""
_BASE = {"php": "parent", "csharp": "base"}
"""What stands for the base, where it is not `super`."""
_ANEW = re.compile(r"\s*+(?:(?:async|export) )?(?:for|foreach|with|except|catch|const|let|val)\b")
"""Begins a line that gives a name of its own."""
_APART = ("cpp", "c", "objective-c")
"""Languages in which what a type's functions do stands elsewhere."""
_TELLS = r"(?<!\w){0}(?!\w|\??[.(\[]|->)"
"""A name where it may be declared: `name.`, `name(` and `name[` tell nothing."""
_TYPED = r"(?:(?<=[\w>*&] )|(?<=[\w>] [*&])){0}(?=[(\[])"
"""But `Type name(` does."""
_SET = re.compile(r"\s*+[\w.$>-]++\s*+=(?!=)")
"""Another value for a name that is declared elsewhere."""
_CLASS = re.compile(
    r"\s*+(?:[a-z]++\s++)*?(?:class|struct|impl|trait|interface|object)\b(?:<[^<>]*+>)?\s++"
    r"(?:[\w:<>, ]+\sfor\s+)?(\w++)(?=\s*+(?:[({:<\[;]|(?:extends|implements|where)\b|$))(.*)"
)
"""No prose, in which another word follows."""
_CLASS_OR_METHOD = re.compile(
    rf"(?:{_CLASS.pattern})|(?:[\w:<>,*&]++\s++)*?[*&]*+(?:\w++::)*?(\w++)::[~\w]++\([^;]*+\Z"
)
"""In C++ a method may stand in another file than its class."""


class Told:
    """A text that says what its names are."""

    def __init__(self, lines: Sequence[str], language: str) -> None:
        self._lines, self._language = [line[:LINE].rstrip() for line in lines], language
        self._scopes = Scopes(self._lines, language)
        self._names_left, self._lines_left = NAMES, LINES
        self._said: dict[tuple[str, int], list[tuple[int, Chain]]] = {}

    def ways(self, path: Chain, at: int) -> tuple[Chain, ...]:
        """Where an expression in line `at` leads to, the likeliest first."""
        return tuple(dict.fromkeys(islice(self._ways(path, at, _DEEP), WAYS)))

    def contains(self, path: Chain, at: int) -> bool:
        """Whether an expression is a name, or an own field, that is said to be a container."""
        own = len(path) > 1 and path[0] in _OWN
        name = path[own].lstrip("$") or path[own]
        said = self._declared(f".{name}" if own else name, at) if len(path) == 1 + own else []
        return any(contains(self._lines[number], name) for number, _ in said[:1])

    def of(
        self, name: str, numbers: Iterable[int], at: int = -1, *, own: bool = False
    ) -> list[tuple[int, Chain]]:
        """What lines say of a name, or of the own member `.name`; the first few that do.

        With `at` only what is known there, or, with `own`, said of a member. An empty chain is the
        last one: the name is of no type that a workspace has.
        """
        found: list[tuple[int, Chain]] = []
        word, places = name.lstrip("."), 0
        for number in self._naming(name, numbers, at, own or name[0] == "."):
            told = declared(self._statement(number), self._language)
            ways = chain(
                documented(word, self._lines[number], self._comment(number)),
                (way for key, way in told if _key(key) == name),
            )
            here = [(number, way) for way in _to_the_last(islice(ways, WAYS))]
            if not here and at >= 0 and self._scopes.is_untyped(name, number):
                here = [(number, ())]
            found += here
            places += bool(here)
            if here and (places == _LATEST or not here[-1][1] or self._anew(name, number)):
                break
        return found

    def _naming(self, name: str, numbers: Iterable[int], at: int, own: bool) -> Iterator[int]:
        """Lines in which a name may be declared, as many as may still be read."""
        self._names_left -= 1
        if self._names_left < 0:
            return
        word = name.lstrip(".")
        tells = f"{_TELLS}|{_TYPED}" if self._language in DECLARING else _TELLS
        stands = re.compile(tells.format(re.escape(word)))
        for number in numbers:
            line = self._lines[number]
            if word in line and stands.search(line):  # most lines have no part of it
                if at >= 0 and not self._is_known(word, number, at, own):
                    continue
                self._lines_left -= 1
                if self._lines_left < 0:
                    return
                yield number

    def _comment(self, number: int) -> str:
        """JavaScript's and PHP's, in the lines right above one."""
        if self._language not in (*JAVASCRIPTS, "php"):
            return ""
        begin, first = number, max(number - _COMMENT, 0)
        while begin > first and self._lines[begin - 1].lstrip().startswith(("*", "/**")):
            begin -= 1
        return "\n".join(self._lines[begin:number])

    def _anew(self, name: str, number: int) -> bool:
        """Whether it does not matter there what the name was before."""
        line = self._lines[number]
        if self._language in DECLARING and not _SET.match(line):
            return True
        return bool(_ANEW.match(line)) or self._scopes.is_parameter(name, number)

    def _is_known(self, name: str, there: int, here: int, own: bool) -> bool:
        """Whether what is said there is of the same name, or the same type's member, as here."""
        if not own:
            return self._scopes.known(name, there, here)
        of = self._around(there)[:1]
        return not of or self._language in _APART or of[0] in self._kin(here)

    def _kin(self, at: int) -> set[str]:
        """The type around a line, its bases and theirs."""
        names = set(self._around(at))
        for _, (name, *bases) in self._types:
            names.update(bases if name in names else [])
        return names

    def _statement(self, number: int) -> str:
        """A line, with the next one where its value stands there, and the calls that follow."""
        line = self._lines[number]
        below = [*self._lines[number + 1 : number + 1 + _CALLS]]
        if below and line.endswith(("=", "= (")):
            line = f"{line.rstrip('(')} {below.pop(0)}"
        return line + "".join(takewhile(_CALL.match, map(str.strip, below)))

    def _ways(self, path: Chain, at: int, deep: int) -> Iterator[Chain]:
        head, *rest = path
        head = head if head in _OWN else head.lstrip("$") or head
        if head == _BASE.get(self._language, "super"):
            yield from ((base, *rest) for base in self._around(at)[1:])
            return
        if head in _OWN and rest:
            head, rest = f".{rest[0]}", rest[1:]
        said = self._declared(head, at) if deep else []
        for place, way in said:
            if way and way != (head,):
                # a name that is assigned what is made of itself is looked for above
                yield from self._ways((*way, *rest), place - (way[0] == head), deep - 1)
        if head[0] == "." or head in _OWN:
            rest = [head[1:], *rest] if head[0] == "." else rest
            yield from ((name, *rest) for name in self._around(at))
        elif not said or said[0][1]:
            yield (head, *rest)
            if not said and self._language in _UNSAID and self._may_be_member(head):
                yield from ((name, head, *rest) for name in self._around(at))

    def _may_be_member(self, name: str) -> bool:
        """Only C# begins them like types."""
        return self._language == "csharp" or not name[0].isupper()

    def _declared(self, head: str, at: int) -> list[tuple[int, Chain]]:
        """What is said of a name nearest above; of a field it may be said below, or bare."""
        if (head, at) not in self._said:
            above, below = range(at, -1, -1), range(at + 1, len(self._lines))
            found = self.of(head, above, at) or self.of(head, below, at)
            typed = bool(found) and (self._language not in DECLARING or any(of for _, of in found))
            bare = self.of(head[1:], above, at, own=True) if head[0] == "." and not typed else []
            self._said[head, at] = bare or found
        return self._said[head, at]

    def _around(self, at: int) -> list[str]:
        """The type around a line, and those that it names as its bases."""
        return next((names for number, names in self._types if number <= at), [])

    @cached_property
    def _types(self) -> list[tuple[int, list[str]]]:
        """Those that begin in a line, with their bases; the last one first."""
        begins = _CLASS_OR_METHOD if self._language == "cpp" else _CLASS
        found = [(number, begins.match(line)) for number, line in enumerate(self._lines)]
        types = [
            (number, [of[1], *types_in(of[2])] if of[1] else [of[3]]) for number, of in found if of
        ]
        return types[::-1]


def _to_the_last(ways: Iterable[Chain]) -> Iterator[Chain]:
    for way in ways:
        yield way
        if not way:
            return


def _key(name: str) -> str:
    """`.x` of `self.x`, `this.x`, `$this->x` and `@x`."""
    own, _, last = name.replace("->", ".").replace("@", "self.").rpartition(".")
    return f".{last}" if own in _OWN else name.lstrip("$")
