"""From a caret to suggestions: the one way that the editor's requests and `caret complete` take."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

from engine.api import CompletionRequest, Usage
from engine.errors import CaretError
from lsp_server.choices import Choices
from lsp_server.draft import Draft
from lsp_server.overlap import squeezed
from lsp_server.predictions import Predictions
from lsp_server.shape import Shape, shape_of
from lsp_server.silence import silence
from lsp_server.writing import Writing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from engine.api import Piece
    from lsp_server.context import Site
    from lsp_server.predictions import Prediction
    from lsp_server.settings import Settings

_LONGER = 2
"""So many times the tokens may one have that was asked for by hand."""

Source = Literal["model", "cache", "joined"]
"""Where an answer comes from: the model was asked; it is what was predicted before; or what was
being written already, for a key before."""


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


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query brings."""

    texts: list[str] = field(default_factory=list)
    """To insert at the caret, best first, with the document's line ends."""
    source: Source = "model"
    """Of the first one."""
    prediction: Prediction | None = None
    """What the first one is, or is left of; also where it is hidden for its score."""


class Completer:
    """Turns queries into text to insert."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known = Predictions()
        self._writing: dict[str, Writing] = {}
        """The newest of each document, at work or done."""
        self._choices: dict[str, Choices] = {}
        """Those beside the best one that was asked for last, of each document."""
        self.last_usage: Usage | None = None
        """What the newest prediction cost."""

    def known(self, query: Query, settings: Settings) -> Answer | None:
        """What `answer` would give, where that takes no model and no waiting."""
        found = self._find(query, settings) if query.choices == 1 else None
        return self._shown(found, query, settings, "cache") if found else None

    async def suggest(self, query: Query, settings: Settings) -> list[str]:
        """The texts of `answer`."""
        return (await self.answer(query, settings)).texts

    async def answer(self, query: Query, settings: Settings) -> Answer:
        """What to insert at the caret.

        What is predicted already, or is being written, is not asked for again, unless that was not
        by hand and this is, so that it may go further. A suggestion that nobody asked for is hidden
        where the model is too unsure of it; one that was shown stays while it is typed, though the
        model may be less sure of its end than of all of it.

        Raises:
            CaretError: the engine or its model failed.
        """
        start = time.monotonic()
        source: Source = "cache"
        best = self._find(query, settings)
        if best is None:
            source, best = "joined", await self._joined(query, settings)
        if best is None:
            source, best = "model", await self._predict(query, settings, start)
        answer = self._shown(best, query, settings, source)
        if best is None or not answer.texts or query.choices == 1:
            return answer
        texts = [best.text, *await self._alternatives(query, settings, best)]
        return replace(answer, texts=_insertable(texts, query.site))

    def forget(self, document: str | None = None) -> None:
        """End and drop the predictions of a document that was closed, or all: settings changed."""
        if document is None:
            self._known = Predictions()
        else:
            self._known.forget(document)
        for name in [document] if document else [*self._writing, *self._choices]:
            self._choices.pop(name, None)
            if writing := self._writing.pop(name, None):
                writing.stop()

    async def read_ahead(self, query: Query, settings: Settings) -> None:
        """Have the model read what it would for `suggest`, when it has nothing else to do."""
        shape = _shape(query, settings)
        request = replace(_request(query, shape, settings), max_tokens=0)
        with suppress(CaretError):
            async with aclosing(self._engine.complete(request, wait=False)) as pieces:
                async for _ in pieces:
                    pass

    def _find(self, query: Query, settings: Settings) -> Prediction | None:
        return self._known.find(query.document, query.site, fills=_fills(query, settings))

    async def _joined(self, query: Query, settings: Settings) -> Prediction | None:
        """What is being written for this caret already."""
        writing = self._writing.get(query.document)
        if writing is None or (_fills(query, settings) and not writing.draft.fills):
            return None
        # Begun without `wait`, it may yet end because the model is not ready.
        if query.invoked and not writing.draft.begun:
            return None
        found = await self._outcome(writing) if writing.join(query.site) else None
        return found.at(query.site) if found else None

    async def _predict(self, query: Query, settings: Settings, start: float) -> Prediction | None:
        """Let the model write one, for automatic queries when the delay since `start` is over.

        Who asks by hand wants more than the model's word that nothing is missing.
        """
        if other := self._writing.get(query.document):
            other.stop_unless_awaited()
        if not query.invoked:
            if silence(query.site):
                return None
            due = start + settings.completion.debounce_ms / 1000
            await asyncio.sleep(max(due - time.monotonic(), 0))
        shape = _shape(query, settings)
        least = 0.0 if query.invoked else settings.completion.confidence
        request, draft = _request(query, shape, settings), Draft(query.site, shape, least)
        found = await self._outcome(self._write(query, request, draft))
        if query.invoked and not draft.begun:
            request, draft = replace(request, min_tokens=1), Draft(query.site, shape)
            found = await self._outcome(self._write(query, request, draft))
        return found

    def _write(self, query: Query, request: CompletionRequest, draft: Draft) -> Writing:
        pieces = self._engine.complete(request, wait=query.invoked)
        writing = Writing(query.document, draft, pieces, self._known.add)
        self._writing[query.document] = writing
        return writing

    async def _outcome(self, writing: Writing) -> Prediction | None:
        prediction = await writing.wait()
        self.last_usage = writing.draft.usage
        return prediction

    def _shown(
        self, found: Prediction | None, query: Query, settings: Settings, source: Source
    ) -> Answer:
        """The answer that a prediction makes; without its text where that is to be hidden."""
        if found is None or self._is_hidden(found, query, settings.completion.confidence):
            return Answer([], source, found)
        self._known.show(found)
        return Answer(_insertable([found.text], query.site), source, found)

    def _is_hidden(self, found: Prediction, query: Query, least: float) -> bool:
        sure = 1.0 if found.score is None else found.score
        return not query.invoked and sure < least and not self._known.was_shown(found)

    async def _alternatives(self, query: Query, settings: Settings, best: Prediction) -> list[str]:
        """Others unlike `best`.

        They reach as far as one does while typing, or few would be whole in the time they have.
        """
        shape = shape_of(query.site, settings.completion.multiline)
        choices = self._choices.get(query.document)
        if choices is None or not choices.beside(best):
            choices = self._choices[query.document] = Choices(best, shape)
        request = _request(query, shape, settings)
        write = partial(self._engine.complete, wait=False)
        return await choices.find(query.choices - 1, request, write)


def _insertable(texts: list[str], site: Site) -> list[str]:
    """Those with anything in them; of texts that differ in white space only, the first."""
    distinct: dict[str, str] = {}
    for text in texts:
        distinct.setdefault(squeezed(text), text)
    return [text.replace("\n", site.eol) for key, text in distinct.items() if key]


def _fills(query: Query, settings: Settings) -> bool:
    return query.invoked and settings.completion.multiline != "never"


def _shape(query: Query, settings: Settings) -> Shape:
    fills = _fills(query, settings)
    return shape_of(query.site, settings.completion.multiline, fills=fills)


def _request(query: Query, shape: Shape, settings: Settings) -> CompletionRequest:
    return CompletionRequest(
        model=settings.fim.model,
        prompt=query.site.prefix,
        suffix=query.site.suffix,
        max_tokens=settings.completion.max_tokens * (_LONGER if shape.fills else 1),
        stop=("\n",) if shape.kind == "inline" and not shape.fills else (),
        one_line=shape.kind == "line" and not shape.grows,
        # Two editors may have the same file open, with different text.
        document=f"{os.getpid()} {query.document}",
        path=query.site.path,
        context=query.site.context,
        hint=query.site.hint,
        window=settings.context.window,
    )
