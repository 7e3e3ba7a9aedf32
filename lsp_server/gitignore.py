"""Patterns as in `.gitignore`, matched as git does it (`dir.c`, `wildmatch.c`). Pure functions."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from lsp_server.wildmatch import (
    BadPattern,
    key_of,
    name_expression,
    parts_of,
    path_expression,
    suffix_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lsp_server.wildmatch import Key

LONGEST = 4_096
"""Characters of a pattern: no path is longer."""
_AT_ONCE = 256
"""Patterns in one regular expression."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of an ignore file."""

    text: str
    """The line as it was written."""
    excludes: bool
    """It begins with no `!`."""
    folders: bool
    """It ends in a slash: only folders match."""
    names: bool
    """It has no other slash: the last name of a path is matched, else the whole path."""
    expression: str
    """Regular expression of the name or of the path."""
    ignore_case: bool
    key: Key
    """The last name of every path that matches, or how it ends; ("", "") where that varies."""

    def matches(self, path: str, *, folder: bool) -> bool:
        """Compare a path itself, not the folders that it is in."""
        if self.folders and not folder:
            return False
        subject = path.rpartition("/")[2] if self.names else path
        return _compiled(self.expression, self.ignore_case).fullmatch(subject) is not None


def parse(line: str, *, ignore_case: bool = False) -> Pattern | None:
    """Read a line of an ignore file; return None for a blank one and for a comment.

    Raises:
        BadPattern: git takes the line as well, but nothing can match it.
    """
    text = line.partition("\0")[0].removesuffix("\r")
    text = _without_trailing_spaces(text)
    if not text or text.startswith("#"):
        return None
    return pattern_of(text, ignore_case=ignore_case)


def pattern_of(text: str, *, ignore_case: bool = False) -> Pattern:
    """Read a pattern that is neither blank nor a comment.

    Raises:
        BadPattern: nothing can match it.
    """
    if len(text) > LONGEST:
        raise BadPattern(f"it is longer than {LONGEST:,} characters")
    body = text.removeprefix("!")
    stripped = body.removesuffix("/")
    parts = parts_of(stripped.removeprefix("/"))
    if not all(parts):
        raise BadPattern("a name in it is empty")
    if any(part in (["\\."], ["\\.", "\\."]) for part in parts):
        raise BadPattern("no path has `.` or `..` in it")
    names = "/" not in stripped
    return Pattern(
        text,
        not text.startswith("!"),
        body.endswith("/"),
        names,
        name_expression(parts[0]) if names else path_expression(parts),
        ignore_case,
        key_of(parts[-1], ignore_case=ignore_case),
    )


@lru_cache(maxsize=4096)
def _compiled(expression: str, ignore_case: bool) -> re.Pattern[str]:
    """Compile on first use: most patterns of a list are never compared."""
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


@dataclass
class Patterns:
    """A list of patterns, of which the last that matches decides."""

    patterns: list[Pattern]
    ignore_case: bool = False
    _by_key: dict[tuple[str, str], list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self._by_key = defaultdict(list)
        for index, pattern in enumerate(self.patterns):
            self._by_key[pattern.key].append(index)

    @cached_property
    def _others(self) -> list[re.Pattern[str]]:
        """Match what any pattern without a key matches: one comparison for many of them.

        Not for all: Python stops its other threads while it makes a regular expression.
        """
        others = [self.patterns[index] for index in self._by_key.get(("", ""), ())]
        anywhere = "(?>(?:.*/)?)"
        parts = [f"(?:{anywhere if each.names else ''}{each.expression})" for each in others]
        several = (parts[at : at + _AT_ONCE] for at in range(0, len(parts), _AT_ONCE))
        return [_compiled("|".join(each), self.ignore_case) for each in several]

    def compile(self) -> None:
        """Compile now what the first comparison would else compile."""
        _ = self._others

    def last_match(self, path: str, *, folder: bool) -> Pattern | None:
        """Return the pattern that decides about a path, without regard to the folders it is in."""
        name = path.rpartition("/")[2]
        name = name.casefold() if self.ignore_case else name
        keys = [("name", name), ("suffix", suffix_of(name))]
        keys += [("", "")] if any(each.fullmatch(path) for each in self._others) else []
        likely = sorted(
            (index for key in keys for index in self._by_key.get(key, ())), reverse=True
        )
        found = (self.patterns[index] for index in likely)
        return next((each for each in found if each.matches(path, folder=folder)), None)


def ancestors(path: str) -> Iterator[str]:
    """Yield the folders that a path is in, the outermost first.

    >>> list(ancestors("a/b/c"))
    ['a', 'a/b']
    """
    at = path.find("/", 1)
    while at > 0:
        yield path[:at]
        at = path.find("/", at + 1)


def literal(path: str) -> str:
    r"""Return a pattern that matches the path's own characters.

    >>> literal("a[1]/b")
    'a\\[1]/b'
    """
    return re.sub(r"[*?\[\\]", r"\\\g<0>", path)


def _without_trailing_spaces(text: str) -> str:
    """Cut spaces off, but for one behind a backslash."""
    cut = text.rstrip(" ")
    backslashes = len(cut) - len(cut.rstrip("\\"))
    return text[: len(cut) + 1] if backslashes % 2 else cut
