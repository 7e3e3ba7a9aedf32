"""One person's typing, key by key: the next key falls when the last one was answered."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bench.sites import Site


@dataclass(frozen=True, slots=True)
class Cost:
    """What the model had to do for one key."""

    calls: int
    """Requests to the model."""
    evaluated: int | None
    """Tokens of the prompt that it had to read anew; None where it was not told."""


class Document(Protocol):
    """A document in an editor that shows suggestions, with one side behind it."""

    async def insert(self, offset: int, text: str) -> None:
        """Type `text` at an offset of the document."""

    async def rest(self, offset: int) -> None:
        """Move the caret here and type nothing yet."""

    async def suggestion(self, offset: int) -> str:
        """What is suggested behind the caret; empty for nothing."""

    async def cost(self) -> Cost:
        """What the model did since this was last called."""

    async def close(self) -> None:
        """Close it in the editor."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key and its answer."""

    site: str
    at: int
    """Characters of the site typed before."""
    seconds: float
    """From the request to the answer."""
    suggestion: str
    wanted: str
    """The rest of the line as it will be typed."""
    first: bool
    """No suggestion was asked for before at this place."""
    off: bool
    """The key went another way than the last suggestion: nothing known can answer it."""
    calls: int
    evaluated: int | None

    @property
    def hit(self) -> bool:
        """The suggestion's first line is all that is left of the line, and more than one key."""
        shown = self.suggestion.split("\n")[0].rstrip()
        return len(self.wanted) > 1 and shown == self.wanted.rstrip()


async def replay(site: Site, document: Document, *, accept: bool) -> list[Key]:
    """Type a site; with `accept`, take each suggestion that is the rest of the line."""
    keys: list[Key] = []
    at, typed = 0, ""
    while at < len(site.typed):
        off = bool(keys) and not keys[-1].suggestion.startswith(typed)
        key = await ask(site, document, at, off=off)
        keys.append(key)
        typed = key.wanted if accept and key.hit else _next_key(site.typed, at)
        await document.insert(len(site.before) + at, typed)
        at += len(typed)
    return keys


async def ask(site: Site, document: Document, at: int = 0, *, off: bool = False) -> Key:
    """What is suggested when `at` characters of a site are typed."""
    await document.cost()
    start = time.perf_counter()
    suggestion = await document.suggestion(len(site.before) + at)
    seconds = time.perf_counter() - start
    cost = await document.cost()
    wanted = site.typed[at:].split("\n")[0]
    return Key(site.name, at, seconds, suggestion, wanted, at == 0, off, cost.calls, cost.evaluated)


def _next_key(text: str, at: int) -> str:
    """One character; Enter brings the next line's indent with it, as editors do."""
    end = at + 1
    if text[at] == "\n":
        end += len(text[end:]) - len(text[end:].lstrip(" \t"))
    return text[at:end]
