"""Globs as git matches them (`wildmatch.c`), as regular expressions that take linear time.

A match takes time in proportion to the path times the pattern. After a `*` or `**` the first place
where the next part fits is as good as any later one, so it is kept: the regular expressions are
made of atomic groups, and there is nothing that they could go back to.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")
Key = tuple[Literal["name", "suffix", ""], str]

_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\s",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}
_STAR, _ANY = "*", "[^/]"
"""Any characters of a name, and one."""
_FOLDERS = ["**"]
"""Any number of folders."""


class BadPattern(ValueError):
    """A pattern that no path can match; says why."""


def parts_of(text: str) -> list[list[str]]:
    """Cut a pattern into its names: of each the characters as regular expressions, and stars."""
    parts: list[list[str]] = [[]]
    at = 0
    while at < len(text):
        character = text[at]
        at += 1
        if character == "\\":
            if at == len(text):
                raise BadPattern("it ends in a backslash")
            character = text[at]
            at += 1
            token = _escaped(character)
        elif character == "*":
            token = _STAR
        elif character == "?":
            token = _ANY
        elif character == "[":
            token, at = _class(text, at)
        else:
            token = _escaped(character)
        if character == "/":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


@lru_cache(maxsize=1024)
def _escaped(character: str) -> str:
    return re.escape(character)


def _class(text: str, at: int) -> tuple[str, int]:
    """Read a class of characters from behind its `[`; return it and where it ends."""
    negated = text[at : at + 1] in ("!", "^")
    at += negated
    items: list[str] = []
    before = ""
    first = True
    while first or text[at : at + 1] != "]":
        first = False
        if at >= len(text):
            raise BadPattern("a `[` in it is not closed")
        if (named := re.compile(r"\[:([^\]]*):\]").match(text, at)) is not None:
            if named[1] not in _CLASSES:
                raise BadPattern(f"there is no class [:{named[1]}:]")
            items.append(_CLASSES[named[1]])
            before, at = "", named.end()
        elif text[at] == "-" and before and text[at + 1 : at + 2] not in ("", "]"):
            last, at = _character(text, at + 1)
            items += [f"{re.escape(before)}-{re.escape(last)}"] if before <= last else []
            before = ""
        else:
            before, at = _character(text, at)
            items.append(re.escape(before))
    return f"(?!/)[{'^' if negated else ''}{''.join(items)}]", at + 1


def _character(text: str, at: int) -> tuple[str, int]:
    """Read one character of a class, which a backslash may precede."""
    at += text[at] == "\\"
    if at >= len(text):
        raise BadPattern("a `[` in it is not closed")
    return text[at], at + 1


def _plain_stars(part: list[str]) -> list[str]:
    """Take several stars in a row for one."""
    return [
        token for at, token in enumerate(part) if token != _STAR or part[at - 1 : at] != [_STAR]
    ]


def name_expression(part: list[str]) -> str:
    """Return a regular expression of one name."""
    first, *others = _split(_plain_stars(part), _STAR)
    regex = "".join(first)
    for chunk in others[:-1]:
        regex += f"(?>{_ANY}*?{''.join(chunk)})"
    if others:
        regex += f"(?>{_ANY}*{''.join(others[-1])})"
    return regex


def path_expression(parts: list[list[str]]) -> str:
    """Return a regular expression of a whole path."""
    marked = [_FOLDERS if len(part) > 1 and set(part) == {_STAR} else part for part in parts]
    groups = ["/".join(map(name_expression, group)) for group in _split(marked, _FOLDERS)]
    first, *others = groups
    regex = f"{first}/" if first and others else first
    skipped = "(?:[^/]++/)*?"
    for group in filter(None, others[:-1]):
        regex += f"(?>{skipped}{group}/)"
    if others:
        regex += f"{skipped}{others[-1]}" if others[-1] else ".+"
    return regex


def _split(items: Iterable[T], at: T) -> list[list[T]]:
    """Cut a list at each item that equals `at`."""
    pieces: list[list[T]] = [[]]
    for item in items:
        if item == at:
            pieces.append([])
        else:
            pieces[-1].append(item)
    return pieces


def key_of(part: list[str], *, ignore_case: bool) -> Key:
    """Find what all names have in common that the last part of a pattern matches."""
    end = "".join(_tail(part))[::-1]
    end = end.casefold() if ignore_case else end
    if all(map(_is_literal, part)):
        return "name", end
    return ("suffix", suffix_of(end)) if "." in end else ("", "")


def _tail(part: list[str]) -> Iterator[str]:
    """Yield the literal characters at the end of a part, the last first."""
    for token in reversed(part):
        if not _is_literal(token):
            return
        yield token[-1]


def _is_literal(token: str) -> bool:
    return token not in (_STAR, _ANY) and len(token.removeprefix("\\")) == 1


def suffix_of(name: str) -> str:
    """Return the end of a name from its last dot on, or ""."""
    dot = name.rfind(".")
    return name[dot:] if dot >= 0 else ""
