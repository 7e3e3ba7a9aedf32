"""Where in a text the names that it declares are known, as its indentation says. Pure functions."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from lsp_server.workspace.declared import flat

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_BLOCK = 1_000_000
"""Instead of the depth of a line that ends no block."""
_REMARK = frozenset("#/*")
"""Begins a line that may stand anywhere: a comment, `#ifdef`."""
_BRACKETS = frozenset(")]}{")
"""Begins a line that goes on with a block that began as deep."""
_CONTROL = "if|for|foreach|while|switch|catch|else|elif|elseif|match|until|using|lock|with|return"
_PARAMETERS = re.compile(
    r"\bdef\s++\w++\s*+\(([^()]*+)|\bfunction\b[^()]*+\(([^()]*+)|\(([^()]*+)\)[^(){}=]*+=>"
    rf"|(?:^|[(,=?:{{]|\b(?:async|return)\b)\s*+([\w$]++)\s*+=>|^\s*+(?!(?:{_CONTROL})\b)[^(){{}}=;]++\(([^()]*+)\)[^(){{}}]*+\{{$"
)
"""Of the functions that begin in a line."""
_FUNCTION = re.compile(
    rf"\s*+(?!(?:{_CONTROL}|try|do)\b)\w[^=;(]*+\((?P<taken>.*[^;}}\s]|[^;{{]*+\{{.*\}}|)\s*+\Z"
)
"""Begins a function, or a call of several lines, or is all of one, where braces have its body."""
_NO_BRACES = ("python", "ruby")
_LABEL = re.compile(r"(?:case\b.*|[\w ]++):\Z|where\Z")
"""Of a place or of what follows in a type, or Rust's bounds, which may stand further out."""
_FIXTURES = re.compile(r"\s*+(?:async\s++)?def\s++test_")
"""Begins a function of which what it takes is said where other functions have those names."""
_TRIPLE = re.compile(r"""\"{3}|'{3}""")
"""Begins and ends a string of several lines, in which indentation says nothing."""
_WORD = re.compile(r"[\w$]+")
_BY_FUNCTION = {
    "python": re.compile(r"\s*+(?:(?:async\s++)?def|class)\b"),
    "php": re.compile(r".*\b(?:function|class|trait|interface|enum)\b"),
    "ruby": re.compile(r"\s*+(?:def|class|module)\b"),
}
"""Begins a block beyond which a name is not known, where not each block is one."""
_BY_BLOCK = re.compile(r"(?!\s*+(?:var|const|type|import) \(|.*:$)")
"""No group of Go's, no label."""
_DECLARING = re.compile(r"\s*+[\w$]++ ?=(?![=>])")
"""Where each block is one, a bare assignment is to what is declared further out."""


class Scopes:
    """Of one text."""

    def __init__(self, lines: Sequence[str], language: str) -> None:
        self._lines = lines
        self._heads = _BY_FUNCTION.get(language, _BY_BLOCK)
        self._braces = language not in _NO_BRACES

    def known(self, name: str, there: int, here: int) -> bool:
        """Whether what line `there` declares is known in line `here`."""
        if self.is_parameter(name, there):
            return self._holds(there, here)
        if self._heads is _BY_BLOCK and _DECLARING.match(self._lines[there]):
            return True
        head = self._outer[there]
        while head >= 0:
            if self._heads.match(self._lines[head]) and not self._holds(head, here):
                return False
            head = self._outer[head]
        return True

    def is_parameter(self, name: str, number: int) -> bool:
        """Whether it is in what a function that begins in a line takes."""
        begins = _FUNCTION.match(self._lines[number]) if self._braces else None
        every = [*self._taken(number), *([begins["taken"]] if begins else [])]
        return any(name in _WORD.findall(taken) for taken in every)

    def is_untyped(self, name: str, number: int) -> bool:
        """Whether it is there a parameter of which nothing is told."""
        if _FIXTURES.match(self._lines[number]):
            return False
        parts = (part for taken in self._taken(number) for part in flat(taken).split(","))
        return any(part.partition("=")[0].strip(" *.$") == name for part in parts)

    def _taken(self, number: int) -> list[str]:
        found = _PARAMETERS.findall(self._lines[number].rstrip())
        return ["".join(groups) for groups in found]

    def _holds(self, head: int, here: int) -> bool:
        """Whether a line is in the block that another one begins, or is that one."""
        inside = self._ends[head + 1 : here + 1]
        return head == here or (head < here and min(inside) > self._depths[head])

    @cached_property
    def _depths(self) -> list[int]:
        """Of each line its indentation, where that says something."""
        found: list[int] = []
        in_string = False
        for line in map(str.rstrip, self._lines):
            text = line.lstrip()
            says = text and not in_string and text[0] not in _REMARK
            if self._braces and text.endswith((":", "where")) and _LABEL.match(text):
                says = False
            found.append(len(line) - len(text) if says else _NO_BLOCK)
            if '""' in line or "''" in line:
                in_string ^= len(_TRIPLE.findall(line)) % 2 == 1
        return found

    @cached_property
    def _ends(self) -> list[int]:
        """The depth from which on each line ends blocks."""
        lines = zip(self._lines, self._depths, strict=True)
        return [depth + (line.lstrip()[:1] in _BRACKETS) for line, depth in lines]

    @cached_property
    def _outer(self) -> list[int]:
        """Of each line that which begins the block around it, or -1."""
        opened, found = [-1], list[int]()
        for number, (depth, end) in enumerate(zip(self._depths, self._ends, strict=True)):
            while opened[-1] >= 0 and self._depths[opened[-1]] >= end:
                opened.pop()
            found.append(opened[-1])
            opened += [number] if depth < _NO_BLOCK else []
        return found
