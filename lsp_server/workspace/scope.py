"""Where in a text the names that it declares are known, as its indentation says. Pure functions."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from lsp_server.workspace.declared import flat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NO_BLOCK = 1_000_000
"""Instead of the depth of a line that ends no block."""
_REMARK = frozenset("#/*")
"""Begins a line that may stand anywhere: a comment, `#ifdef`."""
_BRACKETS = frozenset(")]}{")
"""Begins a line that goes on with a block that began as deep."""
_CONTROL = "if|for|foreach|while|switch|catch|else|elif|elseif|match|until|using|lock|with|return"
_PARAMETERS = re.compile(
    r"\bdef\s++\w++\s*+\(([^()]*+)|\bfunction\b[^()]*+\(([^()]*+)|\(([^()]*+)\)[^(){}=]*+=>"
    r"|(?:^|[(,=?:{]|\b(?:async|return)\b)\s*+([\w$]++)\s*+=>"
    rf"|^\s*+(?!(?:{_CONTROL})\b)[^(){{}}=;]++\(([^()]*+)\)[^(){{}}]*+\{{$"
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
    """Of one text, in lines that end with no white space."""

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
        # what is less deep than every line between the two holds both
        least = min(self._ends[there + 1 : here + 1], default=0 if there > here else _NO_BLOCK)
        heads = (
            head for head in self._around(there, least) if self._heads.match(self._lines[head])
        )
        return all(self._holds(head, here) for head in heads)

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

    def _around(self, there: int, least: int) -> Iterator[int]:
        """Lines that begin the blocks around one, from `least` deep on; the nearest first."""
        bound = self._ends[there]
        for number in range(there - 1, -1, -1):
            if bound <= least:
                return
            if self._depths[number] < bound:
                yield number
            bound = min(bound, self._ends[number])

    @property
    def _depths(self) -> list[int]:
        """Of each line its indentation, where that says something."""
        return self._read[0]

    @property
    def _ends(self) -> list[int]:
        """The depth from which on each line ends blocks."""
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[list[int], list[int]]:
        depths, ends = list[int](), list[int]()
        in_string = False
        for line in self._lines:
            text = line.lstrip()
            depth = len(line) - len(text) if text and not in_string else _NO_BLOCK
            if depth < _NO_BLOCK and (text[0] in _REMARK or self._is_label(text)):
                depth = _NO_BLOCK
            depths.append(depth)
            ends.append(depth + (depth < _NO_BLOCK and text[0] in _BRACKETS))
            if '""' in line or "''" in line:
                in_string ^= len(_TRIPLE.findall(line)) % 2 == 1
        return depths, ends

    def _is_label(self, text: str) -> bool:
        return self._braces and text.endswith((":", "where")) and bool(_LABEL.match(text))
