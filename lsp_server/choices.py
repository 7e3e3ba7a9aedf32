"""Further suggestions beside the best one: sampled, and kept while more are wanted there."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.api import Sampling
from engine.errors import CaretError
from lsp_server.confidence import score
from lsp_server.draft import Draft
from lsp_server.overlap import squeezed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from engine.api import CompletionRequest, Piece
    from lsp_server.predictions import Prediction
    from lsp_server.shape import Shape

    Write = Callable[[CompletionRequest], AsyncGenerator[Piece, None]]

_SHORTEST_S, _LONGEST_S = 0.25, 1.0
"""All of them together may take as long as the best one did, within these bounds."""
_VARIED = Sampling(temperature=0.8, top_p=0.95)
_DRAWS = 6
"""So many are drawn for each of them at most: where the model is sure, most are the best again."""


class Choices:
    """Unlike the best one and one another; who asks again gets those found before, and more."""

    def __init__(self, best: Prediction, shape: Shape) -> None:
        """They reach as far as `shape` says."""
        self._best, self._shape = best, shape
        self._found: dict[str, tuple[float, str]] = {}
        self._seed = 0

    def beside(self, best: Prediction) -> bool:
        """Whether they are for this one, with as much of it typed."""
        return (self._best.number, self._best.typed) == (best.number, best.typed)

    async def find(self, wanted: int, request: CompletionRequest, write: Write) -> list[str]:
        """Up to so many, as far as the time allows, the surest first.

        An error here does not spoil the best one.
        """
        last = self._seed + _DRAWS * wanted
        with suppress(TimeoutError, CaretError):
            async with asyncio.timeout(min(max(self._best.seconds, _SHORTEST_S), _LONGEST_S)):
                while len(self._found) < wanted and self._seed < last:
                    self._seed += 1
                    varied = replace(_VARIED, seed=self._seed)
                    await self._draw(write(replace(request, sampling=varied)))
        return [text for _, text in sorted(self._found.values(), key=lambda one: -one[0])]

    async def _draw(self, pieces: AsyncGenerator[Piece, None]) -> None:
        """One more; with its score, which is 0 where the server does not tell."""
        draft = Draft(self._best.site, self._shape)
        async with aclosing(pieces):
            async for piece in pieces:
                if draft.add(piece):
                    break
        text = await asyncio.to_thread(draft.text)
        if squeezed(text) not in ("", squeezed(self._best.text)):
            sure = score(draft.tokens, text) or 0.0
            self._found.setdefault(squeezed(text), (sure, text))
