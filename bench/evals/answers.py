"""Who fills a hole: Caret as its users get it, its engine alone, or llama-server."""

from __future__ import annotations

import math
import time
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from bench.llama_server import attached
from engine.api import CompletionRequest, Usage
from engine.fim_styles import FIM_STYLES, Slot
from lsp_server.backend import Backend
from lsp_server.completion import Completer, Query
from lsp_server.context import site_at
from lsp_server.documents import Document

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from bench.llama_server import LlamaServer
    from engine.api import ModelStatus, Piece, Snippet
    from lsp_server.settings import Settings

MAX_TOKENS = 128
"""For a hole, where Caret's own rules do not end it sooner."""
_QWEN = FIM_STYLES["qwen"]


@dataclass(frozen=True, slots=True)
class Place:
    """A hole in a file."""

    prefix: str
    suffix: str
    language: str
    """LSP language id."""
    path: str
    one_line: bool = False
    """The hole is in one line, and whoever is asked without Caret's rules is told so."""
    context: tuple[Snippet, ...] = ()
    hint: str = ""
    """As `CompletionRequest.hint`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody wrote."""

    text: str
    seconds: float
    tokens: int = 0
    """Generated; 0 where that is not told."""
    logprob: float | None = None
    """Mean log-probability of the tokens of `text`, or of its first line where Caret's rules take
    that for lower; None where that is not told."""


class Filler(Protocol):
    """Fills holes."""

    async def fill(self, place: Place) -> Answer:
        """What it would insert at the caret; CaretError if it cannot."""


class Listener:
    """An engine that remembers what the last answer's tokens were worth."""

    def __init__(self, engine: Backend) -> None:
        self._engine = engine
        self._heard: list[tuple[str, float, int]] = []

    async def complete(
        self, request: CompletionRequest, *, wait: bool
    ) -> AsyncGenerator[Piece, None]:
        """See `lsp_server.completion.Engine`."""
        self._heard, tokens = [], 0
        async with aclosing(self._engine.complete(request, wait=wait)) as pieces:
            async for piece in pieces:
                if piece.logprob is not None:
                    counted = (piece.usage or Usage()).completion_tokens or tokens + 1
                    self._heard.append((piece.text, piece.logprob, counted - tokens))
                    tokens = counted
                yield piece

    def confidence(self, text: str) -> float | None:
        """Mean log-probability of the tokens that spell `text`, the beginning of what was heard."""
        length, total, tokens = 0, 0.0, 0
        for piece, logprob, count in self._heard:
            if length >= len(text):
                break
            length, total, tokens = length + len(piece), total + logprob, tokens + count
        return total / tokens if tokens else None

    @property
    def tokens(self) -> int:
        """Generated for the last answer."""
        return sum(count for _, _, count in self._heard)


class Pipeline:
    """Caret: context window, shape, stop rules and all that is taken away afterwards."""

    def __init__(
        self, backend: Backend, settings: Settings, *, by_hand: bool, forgets: bool = True
    ) -> None:
        """As for requests that a user makes by hand, or for those that editors make while typing.

        None of these is hidden for its score: what hiding would bring is what is asked. Where holes
        are the keys of somebody who types, nothing is to be forgotten between them.
        """
        completion = replace(settings.completion, confidence=0.0)
        self._listener, self._by_hand, self._forgets = Listener(backend), by_hand, forgets
        self._settings = replace(settings, completion=completion)
        self._completer = Completer(self._listener)

    async def fill(self, place: Place) -> Answer:
        """See `Filler.fill`; the probability is that of a new prediction only."""
        document = Document.open(place.path, place.language, place.prefix + place.suffix)
        head = place.prefix.rpartition("\n")[2]
        at = place.prefix.count("\n"), len(head)
        site = site_at(document.lines, *at, language=place.language, path=place.path)
        site = replace(site, context=place.context, hint=place.hint)
        query = Query(place.path, site, invoked=self._by_hand)
        start = time.perf_counter()
        answer = await self._completer.answer(query, self._settings)
        seconds = time.perf_counter() - start
        if self._forgets:
            self._completer.forget()
        text = answer.texts[0] if answer.texts else ""
        if answer.prediction is None or answer.source != "model":
            return Answer(text, seconds)
        score = answer.prediction.score
        return Answer(text, seconds, self._listener.tokens, math.log(score) if score else None)


class Raw:
    """The engine's prompt and the model, without the rules of the language server."""

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self._listener, self._settings = Listener(backend), settings

    async def fill(self, place: Place) -> Answer:
        """Greedy, to the line's end in a hole of one line, else to where the model ends."""
        request = CompletionRequest(
            self._settings.fim.model,
            place.prefix,
            place.suffix,
            max_tokens=MAX_TOKENS,
            stop=("\n",) if place.one_line else (),
            path=place.path,
            context=place.context,
            hint=place.hint,
        )
        start, text = time.perf_counter(), ""
        async with aclosing(self._listener.complete(request, wait=True)) as pieces:
            async for piece in pieces:
                text += piece.text
        seconds, heard = time.perf_counter() - start, self._listener
        return Answer(text, seconds, heard.tokens, heard.confidence(text))


class Infill:
    """llama-server's /infill, asked as llama.vim does."""

    def __init__(self, server: LlamaServer) -> None:
        self._server = server

    async def fill(self, place: Place) -> Answer:
        """The lines above as prefix, the caret's line up to it as prompt."""
        above, newline, head = place.prefix.rpartition("\n")
        start = time.perf_counter()
        told = await self._server.infill(
            above + newline, head, place.suffix, MAX_TOKENS, one_line=place.one_line
        )
        return Answer(told.text, time.perf_counter() - start, told.tokens)


class PlainPrompt:
    """llama-server's /completion, given the model's own order: prefix, suffix, middle."""

    def __init__(self, server: LlamaServer) -> None:
        self._server = server

    async def fill(self, place: Place) -> Answer:
        """For models with the sentinels of Qwen2.5-Coder."""
        parts = {Slot.LINES: place.prefix, Slot.SUFFIX: place.suffix, Slot.HEAD: ""}
        prompt = "".join(part if isinstance(part, str) else parts[part] for part in _QWEN.template)
        start = time.perf_counter()
        told = await self._server.follow(prompt, MAX_TOKENS, one_line=place.one_line)
        return Answer(told.text, time.perf_counter() - start, told.tokens)


@asynccontextmanager
async def filler(
    through: str, settings: Settings, server: str, *, forgets: bool = True
) -> AsyncIterator[Filler]:
    """Who was asked for: `through` is a choice of `THROUGH`, `server` the URL of a llama-server.

    Caret `forgets` after each hole what it predicted, unless told otherwise.

    Raises:
        CaretError: nobody is there.
    """
    if server:
        async with attached(server) as llama:
            yield PlainPrompt(llama) if through == "raw" else Infill(llama)
        return
    backend = Backend(_quiet)
    try:
        await backend.use(settings)
        await _warm(backend, settings)
        if through == "raw":
            yield Raw(backend, settings)
        else:
            yield Pipeline(backend, settings, by_hand=through == "caret", forgets=forgets)
    finally:
        await backend.aclose()


async def _warm(backend: Backend, settings: Settings) -> None:
    """Have the model in memory: the first sample shall not take longer than the others."""
    request = CompletionRequest(settings.fim.model, "a = ", max_tokens=1)
    async with aclosing(backend.complete(request, wait=True)) as pieces:
        async for _ in pieces:
            pass


def _quiet(status: ModelStatus) -> None:
    """The model's way into memory is not shown."""
