"""One answer: from a prompt in tokens to pieces of text, with what it cost."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.api import Piece, Usage
from engine.generate import generate
from engine.healing import Healing
from engine.sample import make_sampler
from engine.stop import StopStrings, TextStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.api import FinishReason, Sampling
    from engine.kvcache import CausalLM
    from engine.slots import Slot
    from engine.tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class Prompt:
    """What to continue, and where to end."""

    tokens: list[int]
    max_tokens: int
    stop_ids: frozenset[int]
    stop: tuple[str, ...] = ()
    heal: bytes = b""
    """The answer's first bytes, which the user has typed: spelled again, never shown."""


class Writer:
    """Writes answers with one model; holds nothing of a request."""

    def __init__(self, model: CausalLM, tokenizer: Tokenizer) -> None:
        self._model, self._tokenizer = model, tokenizer

    def write(
        self, prompt: Prompt, slot: Slot, sampling: Sampling, index: int = 0
    ) -> Iterator[Piece | None]:
        """Each `next()` costs at most one forward pass; the last piece has reason and usage."""
        answer = _Answer(prompt, index, cached=slot.rewind(prompt.tokens))
        healing = Healing(self._tokenizer, prompt.heal)
        sampler = make_sampler(sampling)
        for choice in generate(self._model, slot, prompt.tokens, sampler, healing):
            if choice is None:
                yield None
                continue
            if answer.take(choice.token, choice.logprob, self._tokenizer):
                break
            yield answer.piece()
        yield answer.last()


class _Answer:
    """The text, score and cost of one answer so far."""

    def __init__(self, prompt: Prompt, index: int, cached: int) -> None:
        self._prompt, self._index, self._cached = prompt, index, cached
        self._text, self._stops = TextStream(skip=len(prompt.heal)), StopStrings(prompt.stop)
        self._ready, self._logprob, self._count = "", 0.0, 0
        self._reason: FinishReason = "length"
        self._started, self._prefilled = time.perf_counter(), 0.0

    def take(self, token: int, logprob: float, tokenizer: Tokenizer) -> bool:
        """Add one token; True when the answer is complete."""
        self._prefilled = self._prefilled or time.perf_counter()
        if self._prompt.max_tokens == 0:
            return True
        self._count += 1
        self._logprob += logprob
        if token in self._prompt.stop_ids:
            self._reason = "stop"
            return True
        self._ready += self._stops.push(self._text.push(tokenizer.token_bytes(token)))
        if self._stops.stopped:
            self._reason = "stop"
            return True
        return self._count == self._prompt.max_tokens

    def piece(self) -> Piece | None:
        """What can be shown since the last piece, with its score and the cost so far."""
        if not self._ready:
            return None
        piece = Piece(self._ready, self._index, self._logprob, usage=self._usage())
        self._ready, self._logprob = "", 0.0
        return piece

    def last(self) -> Piece:
        """The rest of the text, why it ended and what it cost."""
        rest = "" if self._stops.stopped else self._stops.push(self._text.flush())
        rest += self._stops.flush()
        return Piece(self._ready + rest, self._index, self._logprob, self._reason, self._usage())

    def _usage(self) -> Usage:
        prefilled = self._prefilled or time.perf_counter()
        return Usage(
            prompt_tokens=len(self._prompt.tokens),
            cached_tokens=self._cached,
            completion_tokens=self._count,
            prefill_ms=(prefilled - self._started) * 1e3,
            decode_ms=(time.perf_counter() - prefilled) * 1e3,
        )
