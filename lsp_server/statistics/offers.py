"""What was suggested, and what became of it: shown, accepted in whole or part, kept."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from lsp_server.predictions import KEPT as PREDICTIONS
from lsp_server.statistics.counts import bucket_name
from lsp_server.statistics.spans import Span, fate_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.api import Usage
    from lsp_server.predictions import Prediction
    from lsp_server.statistics.spans import Edit, Place

KEEP_S = 30.0
"""How long after it an acceptance is looked at."""
_KEPT = 32
"""Of offers; of suggestions, as many as there are predictions that can be shown again."""


@dataclass(slots=True)
class Suggestion:
    """What the model wrote once. As it is typed, the rest is offered anew, key by key."""

    shown: bool = False
    accepted: bool = False


class Asked(NamedTuple):
    """The request that an answer is to."""

    document: str
    language: str
    start: Place
    """Of what an item replaces, which is the word being typed."""
    caret: Place
    source: str
    """Where the answer came from, one of `counts.SOURCES`."""
    seconds: float
    """From the request to the answer."""


@dataclass(slots=True)
class Offer:
    """One item of an answer."""

    suggestion: Suggestion
    asked: Asked
    text: str
    """With the word being typed."""
    done: int
    """Characters of it that were typed or accepted."""
    span: Span | None
    """Where it goes, or stands; None when the document changed as a whole, or was closed."""
    watched: int = 0
    """Acceptances that are still to be looked at."""


class Offers:
    """The last ones, by the name that the command of their item has as its argument."""

    def __init__(
        self,
        count: Callable[[str, str, int], None],
        lines: Callable[[str], Sequence[str] | None],
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        """Count by `count(language, name, number)`; `lines` are those of an open document."""
        self._count, self._lines, self._later = count, lines, later
        self._offers: dict[str, Offer] = {}
        self._suggestions: dict[int, Suggestion] = {}
        self._names = itertools.count(1)
        self._told = False
        """The editor tells what it shows; until then, it is taken to show what it gets."""

    def answered(self, asked: Asked, texts: Sequence[str], prediction: Prediction) -> list[str]:
        """Note an answer on its way; returns a name for each of its texts, word and all.

        The first one, of at least one, is the prediction or what is left of it.
        """
        self._count(asked.language, bucket_name(asked.source, asked.seconds), 1)
        number = prediction.number
        if number not in self._suggestions:
            self._suggestions[number] = Suggestion()
            self._count_cost(asked.language, prediction.usage)
        best, others = self._suggestions[number], (Suggestion() for _ in texts[1:])
        each = zip([best, *others], texts, strict=True)
        names = [self._add(suggestion, asked, text) for suggestion, text in each]
        if not self._told:
            self._show(self._offers[names[0]])
        self._forget_old()
        return names

    def shown(self, name: str) -> None:
        """The editor shows it."""
        self._told = True
        if offer := self._offers.get(name):
            self._show(offer)

    def accepted(self, name: str, length: int | None = None) -> None:
        """It was accepted: so many UTF-16 units of its text with what was before, or all."""
        offer = self._offers.get(name)
        if offer is None:
            return
        data = offer.text.encode("utf-16-le", "surrogatepass")
        until = None if length is None else max(length, 0) * 2
        text = data[:until].decode("utf-16-le", "ignore")[offer.done :]
        if text:
            self._accept(offer, text)

    def edited(self, document: str, edit: Edit | None) -> None:
        """Move with an edit; without one, all of the document changed, or it was closed."""
        for offer in self._offers.values():
            if offer.asked.document == document:
                if edit is None:
                    offer.span = None
                elif offer.span:
                    offer.span.edited(edit)

    def _add(self, suggestion: Suggestion, asked: Asked, text: str) -> str:
        name = str(next(self._names))
        word = asked.caret[1] - asked.start[1]
        span = Span(asked.start, asked.caret)
        self._offers[name] = Offer(suggestion, asked, text, word, span)
        return name

    def _show(self, offer: Offer) -> None:
        if not offer.suggestion.shown:
            offer.suggestion.shown = True
            self._count(offer.asked.language, "shown", 1)

    def _accept(self, offer: Offer, text: str) -> None:
        self._show(offer)
        language, suggestion = offer.asked.language, offer.suggestion
        rest = offer.done + len(text) == len(offer.text)
        whole = rest and not suggestion.accepted
        if not suggestion.accepted:
            suggestion.accepted = True
            self._count(language, "accepted", 1)
        part = "line" if len(text.split()) > 1 else "word"
        self._count(language, "whole" if whole else part, 1)
        letters = sum(len(line.lstrip()) for line in text.splitlines())
        self._count(language, "characters", max(letters - 1, 0))
        offer.done += len(text)
        offer.watched += 1
        self._later(KEEP_S, partial(self._look, offer, text))

    def _look(self, offer: Offer, text: str) -> None:
        offer.watched -= 1
        lines = self._lines(offer.asked.document)
        if offer.span and lines is not None:
            self._count(offer.asked.language, fate_of(text, offer.span.text(lines)), 1)

    def _count_cost(self, language: str, usage: Usage | None) -> None:
        if usage:
            self._count(language, "tokens", usage.completion_tokens)
            self._count(language, "model_ms", round(usage.prefill_ms + usage.decode_ms))

    def _forget_old(self) -> None:
        idle = [name for name, offer in self._offers.items() if not offer.watched]
        for name in idle[:-_KEPT]:
            del self._offers[name]
        for number in list(self._suggestions)[:-PREDICTIONS]:
            del self._suggestions[number]
