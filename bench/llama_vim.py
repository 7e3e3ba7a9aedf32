"""A document in an editor with llama.vim: its request and its cache, with llama-server behind.

The lines around the caret and the caret's line go to `/infill` as llama.vim sends them (its
defaults: 256 lines above, 64 below); nothing is asked for while what is typed is what the last
answer holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.replay import Cost

if TYPE_CHECKING:
    from bench.llama_server import LlamaServer
    from bench.sites import Site

LINES_ABOVE, LINES_BELOW = 256, 64
MAX_TOKENS = 32
"""Of an answer, which ends with its line. The plugin's own default is 128, with a time limit."""


class LlamaVimDocument:
    """See `bench.replay.Document`."""

    def __init__(self, server: LlamaServer, site: Site) -> None:
        self._server = server
        self._text = site.before + site.after
        self._left = ""
        """Of the last answer, what was not typed yet."""
        self._calls = self._evaluated = 0

    async def insert(self, offset: int, text: str) -> None:
        """Take note; the server hears of it with the next request."""
        self._text = self._text[:offset] + text + self._text[offset:]
        self._left = self._left.removeprefix(text) if self._left.startswith(text) else ""

    async def rest(self, offset: int) -> None:
        """The plugin reads ahead what it takes from other files, but nothing of this window."""

    async def suggestion(self, offset: int) -> str:
        """From the cache, or the server."""
        if not self._left:
            self._left = await self._fetch(offset)
        return self._left

    async def _fetch(self, offset: int) -> str:
        before, after = self._text[:offset], self._text[offset:]
        lines, _, head = before.rpartition("\n")
        above = [*lines.split("\n")[-LINES_ABOVE:], ""]
        below = after.split("\n")[:LINES_BELOW]
        answer = await self._server.infill("\n".join(above), head, "\n".join(below), MAX_TOKENS)
        self._calls += 1
        self._evaluated += answer.prompt_tokens
        return answer.text

    async def cost(self) -> Cost:
        """As the server counted."""
        cost = Cost(self._calls, self._evaluated)
        self._calls = self._evaluated = 0
        return cost

    async def close(self) -> None:
        """The server keeps nothing of a document."""
