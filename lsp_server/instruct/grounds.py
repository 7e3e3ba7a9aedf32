"""What of the workspace a request is answered from: code that it names, frames, search, tests."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.errors import RequestError
from lsp_server.context import site_at
from lsp_server.documents import split_lines
from lsp_server.instruct.ask import Excerpt
from lsp_server.instruct.syntax import enclosing
from lsp_server.instruct.target import target_of
from lsp_server.instruct.traces import deepest_last, frames
from lsp_server.secrets import redacted, without_keys
from lsp_server.workspace.choice import choose
from lsp_server.workspace.walk import language_of
from lsp_server.workspace.wanted import Wanted, names_in, wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from lsp_server.instruct.ask import Ask
    from lsp_server.instruct.files import Files
    from lsp_server.instruct.place import Place
    from lsp_server.instruct.traces import Frame
    from lsp_server.workspace.found import Found

    Search = Callable[[str, Wanted, float], Awaitable[list[Found]]]

_SEARCH_S = 0.5
"""For the index; a person who waits for a model does not notice it."""
_ROOM = 4_000
"""Characters of related code."""
_FRAMES, _EXCERPTS = 6, 8
"""At most, of one request."""
_AROUND = 8
"""Lines above and below a frame that is in no function."""
_LONG = 60
"""Lines of a function around a frame that are shown."""
_QUESTION = frozenset(
    """
    about all and any are but can code could does doing done file find for from function get give
    has have how into its make method not please project should show some tell that the their
    them then there these they this use used uses using want was what when where which who why
    will with work works would you your
    """.split()  # noqa: SIM905 - a list of sixty quoted words reads worse
)


class Grounds:
    """Reads the workspace for requests."""

    def __init__(self, files: Files, search: Search) -> None:
        """`search` asks the index of a root, as `workspace.link.Link.ask` does."""
        self.files, self._search = files, search

    async def gather(self, ask: Ask) -> Ask:
        """The ask with all that it is to be answered from.

        Raises:
            RequestError: there is no place for tests.
        """
        if ask.command.name == "debug":
            return replace(ask, excerpts=await asyncio.to_thread(self._frames, ask))
        if ask.command.name == "ask":
            return replace(ask, excerpts=await self._found(ask))
        if ask.command.name == "test" and ask.place:
            if not ask.place.root:
                raise RequestError("Tests need a file to stand beside: save the document first.")
            ask = replace(ask, target=await asyncio.to_thread(target_of, ask.place, self.files))
        return replace(ask, related=await self._related(ask.place)) if ask.place else ask

    def _frames(self, ask: Ask) -> tuple[Excerpt, ...]:
        """The functions in which it happened, the innermost first; the workspace's own only."""
        output = ask.text or "\n".join(problem.message for problem in ask.problems)
        excerpts: dict[Excerpt, None] = {}
        places = [*reversed(deepest_last(output, frames(output)))]
        for frame in places:
            if found := self._frame(frame):
                excerpts[found] = None
        if (place := ask.place) and ask.problems:
            line = ask.problems[0].first
            excerpts[_around(place.path, place.text, place.language, line)] = None
        return tuple(excerpts)[:_FRAMES]

    def _frame(self, frame: Frame) -> Excerpt | None:
        at = self.files.find(frame.path)
        text = self.files.read(*at) if at else None
        if at is None or text is None or frame.line > text.count("\n"):
            return None
        return _around(at[1], text, language_of(at[1]), frame.line)

    async def _found(self, ask: Ask) -> tuple[Excerpt, ...]:
        """Pieces and definitions that share the question's words."""
        words = _words(ask.instruction)
        about = Wanted("", "", dict.fromkeys(words, 1.0), (), (), (), tuple(words))
        own = ask.place.path if ask.place else ""
        found = [
            (root, item)
            for root in self.files.roots
            for item in await self._search(root, about, _SEARCH_S)
        ]
        return await asyncio.to_thread(self._best, found, words, own)

    def _best(
        self, found: list[tuple[str, Found]], words: list[str], own: str
    ) -> tuple[Excerpt, ...]:
        """Return what shares most words, as it stands in its files."""
        hits: list[tuple[float, Excerpt]] = []
        for root, item in found:
            if text := self.files.read(root, item.path):
                excerpt = _excerpt(item, text)
                near = 1.2 if item.path == own else 1.0
                hits.append((item.score * near + _shared(excerpt.text, words), excerpt))
        hits.sort(key=lambda hit: -hit[0])
        return _apart([excerpt for _, excerpt in hits])[:_EXCERPTS]

    async def _related(self, place: Place) -> tuple[Excerpt, ...]:
        """Definitions, from other files, of what the code names."""
        if not place.root or place.root not in self.files.roots:
            return ()
        lines = split_lines(place.text)
        row = min(place.start[0], len(lines) - 1)
        site = site_at(lines, row, 0, language=place.language, path=place.path)
        found = await self._search(place.root, wanted(site, lines), _SEARCH_S)
        return await asyncio.to_thread(self._chosen, found, place)

    def _chosen(self, found: Sequence[Found], place: Place) -> tuple[Excerpt, ...]:
        """Return the definitions for which there is room, of files that may be read."""
        definitions = [
            item  # the index has documents that are open, also those that git ignores
            for item in found
            if item.kind == "definition" and self.files.allowed(place.root, item.path)
        ]
        chosen = choose(definitions, (), place.text, _ROOM)
        return tuple(Excerpt(item.path, item.line, redacted(item.text)) for item in chosen)


def _words(question: str) -> list[str]:
    """The words of a question that may stand in code, names in it first."""
    names = [word for word in re.findall(r"\w{3,}", question) if word.lower() not in _QUESTION]
    quoted = {name for code in re.findall(r"`([^`]+)`", question) for name in names_in(code)}
    return sorted(dict.fromkeys(names), key=lambda word: word not in quoted)[:16]


def _shared(text: str, words: list[str]) -> float:
    """How many of the words stand in a text, in a scale like BM25's."""
    lower = text.lower()
    return sum(2.0 for word in words if word.lower() in lower)


def _excerpt(found: Found, text: str) -> Excerpt:
    """What was found as it stands in the file: an outline is no place to quote."""
    size = found.text.count("\n")
    if found.kind == "piece":
        lines = without_keys(text).split("\n")
        piece = "\n".join(lines[found.line : found.line + size + 1])
        return Excerpt(found.path, found.line, redacted(piece))
    return _around(found.path, text, language_of(found.path), found.line)


def _around(path: str, text: str, language: str, line: int) -> Excerpt:
    """The function around a line, or some lines."""
    lines = without_keys(text).split("\n")
    region = enclosing(text, language, line, line)
    first, last = (region.first, region.last) if region else (line - _AROUND, line + _AROUND)
    if last - first > _LONG:
        first, last = max(first, line - _LONG // 2), min(last, line + _LONG // 2)
    first = max(first, 0)
    return Excerpt(path, first, redacted("\n".join(lines[first : last + 1])))


def _apart(excerpts: list[Excerpt]) -> tuple[Excerpt, ...]:
    """Without those that overlap a better one."""
    kept: list[Excerpt] = []
    for excerpt in excerpts:
        if not any(_overlap(excerpt, other) for other in kept):
            kept.append(excerpt)
    return tuple(kept)


def _overlap(one: Excerpt, other: Excerpt) -> bool:
    first, second = sorted((one, other), key=lambda excerpt: excerpt.line)
    return first.path == second.path and second.line <= first.line + first.text.count("\n")
