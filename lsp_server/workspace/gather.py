"""What goes into the prompts of a place: gathered once when the caret comes there, then kept.

A prompt begins with what is gathered, so a change of it costs the evaluation of the whole prompt.
Where that is due anyhow, at a new place, after a pause or below a new import, it is gathered anew;
never while one types.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsp_server.policy import relative_path
from lsp_server.workspace.choice import choose, snippets
from lsp_server.workspace.found import Found
from lsp_server.workspace.importing import importing_lines
from lsp_server.workspace.privacy import shareable
from lsp_server.workspace.recent import text_around
from lsp_server.workspace.wanted import imported_names, wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.api import Snippet
    from lsp_server.context import Site
    from lsp_server.documents import Document
    from lsp_server.snapshot import EditorSnapshot
    from lsp_server.workspace.link import Link
from lsp_server.workspace.recent import Recent

DEADLINE_S = 0.015
"""For the index, of 20 ms for all; what it finds later is not waited for."""
INVOKED_DEADLINE_S = 1.0
"""The same where the user asked by hand: on a busy machine the index answers late, not never."""
REACH = 32
"""Lines around the place in which what was gathered there is kept."""
PAUSE_S = 30.0
"""A document that nobody completed in for so long is a new place."""
BUILDING_PAUSE_S = 3.0
"""The same, for what was gathered before the index had all files."""
WINDOW = 1024
"""Tokens of a prompt where the settings leave it to the engine."""
_ROOM = 0.8
"""Characters of context for each token of the window: a quarter of it, at 3.2 a token."""
_SHOWN = 3
"""Characters of the caret's own file for each token of the window, on either side."""


_LOOK_S = 1.0
"""For the ignore files on the disk."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Place:
    """Where something was gathered, and what."""

    line: int
    chosen: list[Found]
    context: tuple[Snippet, ...]
    pause_s: float
    """It is kept while it is asked for more often than this."""
    asked: float
    """When a completion was last wanted there."""
    imports: frozenset[str]
    """Names in the imports around it."""
    looked: int | None
    """The line at which they were last compared; None where that was in an import."""


class Gatherer:
    """Keeps the places, one for each document."""

    def __init__(
        self, link: Link, recent: Recent, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._link, self._recent, self._now = link, recent, now
        self._places: dict[str, Place] = {}
        self._sent: dict[str, tuple[str, str]] = {}
        """Root and path of the documents whose text the index has."""
        self.last_ms = 0.0
        """What it took when something was gathered last."""

    def kept(self, document: str, site: Site) -> tuple[Snippet, ...] | None:
        """What was gathered for this place; None at a new one, and after a pause."""
        place, now = self._places.get(document), self._now()
        if (
            place is None
            or abs(place.line - site.line) > REACH
            or now - place.asked > place.pause_s
            or _imports_more(place, site)
        ):
            return None
        place.asked = now
        return place.context

    async def gather(
        self, document: str, site: Site, view: EditorSnapshot, *, invoked: bool = False
    ) -> tuple[Snippet, ...]:
        """Return what is kept for the place, else what is found for it before the deadline."""
        if (kept := self.kept(document, site)) is not None:
            return kept
        began = time.perf_counter()
        found = await self._visited(view)
        found += await self._index(document, site, view, deadline_s(invoked=invoked))
        tokens = view.settings.context.window or WINDOW
        shown = site.prefix[-tokens * _SHOWN :] + site.suffix[: tokens * _SHOWN]
        before = self._places.get(document)
        chosen = choose(found, before.chosen if before else (), shown, int(tokens * _ROOM))
        pause = BUILDING_PAUSE_S if self._link.building else PAUSE_S
        context, names = snippets(chosen), _imports(site)[0]
        place = Place(site.line, chosen, context, pause, self._now(), names, site.line)
        self._places[document] = place
        self._recent.visited(document, site.line - view.lines(document)[1])
        self.last_ms = (time.perf_counter() - began) * 1000
        return place.context

    async def send_edited(self, view: EditorSnapshot, but: str = "") -> None:
        """Let the index know of documents edited since it was last told, but for one."""
        edited = {uri: view.documents.get(uri) for uri in self._recent.take_edited(but)}
        allowed = await _allowed(edited, view)
        if allowed is None:
            self._recent.edited_still(edited)
        for uri, document in (allowed or {}).items():
            if root := view.root_of(document.path):
                self._sent[uri] = root, relative_path(document.path, [root])
                self._link.opened(*self._sent[uri], "".join(document.lines))

    def forget(self, document: str) -> None:
        """The document was closed."""
        self._places.pop(document, None)
        self._recent.forget(document)
        if sent := self._sent.pop(document, None):
            self._link.closed(*sent)

    def forget_places(self) -> None:
        """Gather anew everywhere: the settings changed, and there will be another index."""
        self._places.clear()
        self._recent.edited_still(self._sent)
        self._sent.clear()

    async def _visited(self, view: EditorSnapshot) -> list[Found]:
        spots = self._recent.spots if view.settings.context.recent else []
        documents = {uri: view.documents.get(uri) for uri in {spot.document for spot in spots}}
        allowed = await _allowed(documents, view) or {}
        found = []
        for rank, spot in enumerate(spots):
            if document := allowed.get(spot.document):
                line, text = text_around(document.lines, spot.line)
                path = relative_path(document.path, view.roots)
                found.append(Found(path, line, text, 1 / (1 + rank), "recent"))
        return found

    async def _index(
        self, document: str, site: Site, view: EditorSnapshot, within_s: float
    ) -> list[Found]:
        """What the index finds, in time; then it is told of documents edited since."""
        held, sources = view.documents.get(document), view.settings.context
        root = view.root_of(held.path) if held else None
        if held is None or root is None:
            return []
        about = wanted(site, view.lines(document)[0])
        found = await self._link.ask(root, about, within_s)
        await self.send_edited(view)
        kinds = {"definition": sources.definitions, "piece": sources.search}
        return [item for item in found if kinds[item.kind]]


def deadline_s(*, invoked: bool) -> float:
    """Return how long an answer of the index is waited for, in seconds."""
    return INVOKED_DEADLINE_S if invoked else DEADLINE_S


def _imports(site: Site) -> tuple[frozenset[str], bool]:
    """Names that the text imports, and whether the caret is in an import."""
    found = dict(importing_lines((site.prefix + site.suffix).split("\n"), site.language))
    return frozenset(imported_names(found.values())), site.prefix.count("\n") in found


def _imports_more(place: Place, site: Site) -> bool:
    """Whether the text imports more than it did, at the first look from a line.

    An import that the caret is in may be half written.
    """
    if site.line == place.looked:
        return False
    names, inside = _imports(site)
    more = not inside and not names <= place.imports
    if not more:
        place.looked = None if inside else site.line
    return more


async def _allowed(
    documents: Mapping[str, Document | None], view: EditorSnapshot
) -> dict[str, Document] | None:
    """Return those that are open and whose text prompts of other files may have.

    None means that nobody knows in time. Ignore files are read in a thread: a disk may be slow.
    """
    there = {uri: document for uri, document in documents.items() if document}
    if not there:
        return {}
    try:
        async with asyncio.timeout(_LOOK_S):
            allowed = await asyncio.to_thread(
                lambda: [shareable(document, view) for document in there.values()]
            )
    except TimeoutError:
        _log.warning("The ignore files were not read in time; no open document is shown.")
        return None
    return {uri: there[uri] for uri, may in zip(there, allowed, strict=True) if may}
