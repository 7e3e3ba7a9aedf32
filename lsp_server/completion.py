"""From a caret to suggestions: the one way that the editor's requests and `caret complete` take."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from engine.api import CompletionRequest, Sampling, Usage
from engine.errors import CaretError
from lsp_server.draft import Draft
from lsp_server.shape import Shape, shape_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from engine.api import Piece
    from lsp_server.context import Site
    from lsp_server.settings import Settings

_SHORTEST_S, _LONGEST_S = 0.25, 1.0
"""All further choices together may take as long as the first one did, within these bounds."""
_GREEDY, _VARIED = Sampling(), Sampling(temperature=0.8, top_p=0.95)


class Engine(Protocol):
    """What writes text; `lsp_server.backend` has the real one."""

    def complete(self, request: CompletionRequest, *, wait: bool) -> AsyncGenerator[Piece, None]:
        """The pieces as they come; closing the generator stops the work.

        Without `wait`, EngineUnavailable while the model is on its way.
        """


@dataclass(frozen=True, slots=True)
class Query:
    """One wish for a completion."""

    document: str
    """URI, or any other name; a newer query for the same document supersedes an older one."""
    site: Site
    invoked: bool = False
    """By hand: never delayed, and waits for the model."""
    choices: int = 1
    """Suggestions wanted; those after the first only as far as the time goes."""


class Completer:
    """Turns queries into text to insert."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.last_usage: Usage | None = None
        """What the newest suggestion cost."""

    async def suggest(self, query: Query, settings: Settings) -> list[str]:
        """Texts to insert at the caret, best first, with the document's line ends.

        Raises:
            CaretError: the engine or its model failed.
        """
        if not query.invoked:
            await asyncio.sleep(settings.completion.debounce_ms / 1000)
        shape = shape_of(query.site, settings.completion.multiline)
        request = _request(query, shape, settings)
        start = time.monotonic()
        best = await self._write(request, Draft(query.site, shape), wait=query.invoked)
        texts = [best]
        if best and query.choices > 1:
            took = time.monotonic() - start
            texts += await self._alternatives(request, query, shape, took)
        return [text.replace("\n", query.site.eol) for text in dict.fromkeys(texts) if text]

    async def _alternatives(
        self, request: CompletionRequest, query: Query, shape: Shape, first_s: float
    ) -> list[str]:
        """Sampled ones, as many as the time allows; an error here does not spoil the first."""
        texts: list[str] = []
        with suppress(TimeoutError, CaretError):
            async with asyncio.timeout(min(max(first_s, _SHORTEST_S), _LONGEST_S)):
                for seed in range(1, query.choices):
                    varied = replace(request, sampling=replace(_VARIED, seed=seed))
                    texts.append(await self._write(varied, Draft(query.site, shape), wait=False))
        return texts

    async def _write(self, request: CompletionRequest, draft: Draft, *, wait: bool) -> str:
        async with aclosing(self._engine.complete(request, wait=wait)) as pieces:
            async for piece in pieces:
                if draft.add(piece):
                    break
        if request.sampling == _GREEDY:
            self.last_usage = draft.usage
        return draft.text()


def _request(query: Query, shape: Shape, settings: Settings) -> CompletionRequest:
    return CompletionRequest(
        model=settings.fim.model,
        prompt=query.site.prefix,
        suffix=query.site.suffix,
        max_tokens=settings.completion.max_tokens,
        stop=("\n",) if shape.kind == "inline" else (),
        sampling=_GREEDY,
        # Two editors may have the same file open, with different text.
        document=f"{os.getpid()} {query.document}",
        path=query.site.path,
    )
