"""What the model is told right at the caret: members of the object before it, and what is called.

Nobody knows that before it is typed, and context must not change while one types: the prompt
begins with it, and would be evaluated as a whole. A comment before the caret's line costs its own
tokens and that line's, so it may come when it is wanted. It never stands in the document.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lsp_server.docstrings import open_before
from lsp_server.lexing import begun_above
from lsp_server.secrets import redacted
from lsp_server.workspace.definitions import comment
from lsp_server.workspace.gather import deadline_s
from lsp_server.workspace.ranking import stem_of
from lsp_server.workspace.typed import objects
from lsp_server.workspace.wanted import wanted, with_ways

if TYPE_CHECKING:
    from lsp_server.context import Site
    from lsp_server.snapshot import EditorSnapshot
    from lsp_server.workspace.declared import Chain
    from lsp_server.workspace.found import Found
    from lsp_server.workspace.link import Link

LONGEST = 240
"""Characters of one comment, some 70 tokens."""
MOST = 3
"""Comments before a line."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What was told at a place of a line."""

    before: str
    """The line up to the word that the caret was in."""
    ways: tuple[tuple[Chain, ...], tuple[Chain, ...]]
    """What the index was asked for."""
    texts: list[str]

    def holds(self, head: str) -> bool:
        """Whether the line goes on from there, or some of it was deleted and nothing else typed."""
        return head.startswith(self.before) or self.before.startswith(head)


@dataclass(slots=True)
class _Line:
    """The line that the caret is in, and what was told of it so far."""

    document: str
    number: int
    told: list[_Told] = field(default_factory=list)


class Hints:
    """Asks the index, once for each object and call of a line; what was told stays before it."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._line = _Line("", 0)
        """Only one: who comes back to a line may have changed what it is about."""

    async def at(
        self, document: str, site: Site, view: EditorSnapshot, *, invoked: bool = False
    ) -> str:
        """Whole lines to read before the caret's one, as deep as it; "" where there is nothing."""
        line = self._at_line(document, site)
        held = view.documents.get(document)
        root = view.root_of(held.path) if held else None
        if root is None or not view.settings.context.definitions or not _takes_comment(site):
            return ""
        lines = view.lines(document)[0]
        ways, before = objects(site, lines), site.head.removesuffix(site.word)
        line.told = [each for each in line.told if each.before != before or each.ways == ways]
        if any(ways) and all(each.ways != ways for each in line.told):
            about = with_ways(wanted(site, lines), ways)
            found = await self._link.members(root, about, deadline_s(invoked=invoked))
            texts = [told(each, site.language) for each in found]
            line.told += [_Told(before, ways, texts)] if texts else []
        texts = list(dict.fromkeys(text for each in line.told for text in each.texts))
        return "".join(f"{site.white}{text}\n" for text in texts[-MOST:])

    def forget(self) -> None:
        """A document was closed, or the settings changed."""
        self._line = _Line("", 0)

    def _at_line(self, document: str, site: Site) -> _Line:
        """The line with what of it still holds; a new one where the caret came from another."""
        if (self._line.document, self._line.number) != (document, site.line):
            self._line = _Line(document, site.line)
        self._line.told = [each for each in self._line.told if each.holds(site.head)]
        return self._line


def _takes_comment(site: Site) -> bool:
    """Whether a comment before the caret's line is one, and is not gone on with.

    Behind it, on a line that is still empty, a model likes to write more comments.
    """
    begun = site.head.strip()
    if not begun or begun.startswith((comment(site.language), "/*", "* ")):
        return False
    goes_on = site.above.endswith("\\") or begun_above(site) or open_before(site)
    return not goes_on


def told(found: Found, language: str) -> str:
    """In a comment: what it is, and the names in it."""
    begin = comment(language)
    head, listed, names = found.brief.partition(f"{begin} ")
    named = head.strip(" :{\n") or stem_of(found.path)
    text = " ".join((f"{named}: {names}" if listed else found.brief).split())
    if len(text) > LONGEST:
        text = f"{text[:LONGEST].rpartition(', ')[0]}, ..."
    return redacted(f"{begin} {text}")
