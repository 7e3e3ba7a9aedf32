"""One answer: from a prompt in tokens to pieces of text, with what it cost."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.api import Piece, Usage
from engine.generate import generate
from engine.healing import Healing
from engine.sample import make_sampler
from engine.speculation import Experience, NoDrafts, Speculation
from engine.stop import StopStrings, TextStream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.api import FinishReason, Sampling
    from engine.generate import Drafter, Step
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
    min_tokens: int = 0
    """See `CompletionRequest.min_tokens`."""
    heal: bytes = b""
    """The answer's first bytes, which the user has typed: spelled again, never shown."""
    one_line: bool = False
    """See `CompletionRequest.one_line`."""
    brief: bool = False
    """It is a conversation's; see `engine.generate.generate`."""


class Writer:
    """Writes answers with one model; remembers what drafts of new ones can be taken from."""

    def __init__(self, model: CausalLM, tokenizer: Tokenizer) -> None:
        self._model, self._tokenizer = model, tokenizer
        self._experiences = {False: Experience(), True: Experience()}
        """By `Prompt.brief`: a conversation and completions take turns, and repeat other things."""

    def write(
        self, prompt: Prompt, slot: Slot, sampling: Sampling, index: int = 0
    ) -> Iterator[Piece | None]:
        """Each `next()` costs at most one forward pass; the last piece has reason and usage."""
        answer = _Answer(prompt, index, cached=slot.rewind(prompt.tokens))
        healing = Healing(self._tokenizer, prompt.heal, prompt.min_tokens, prompt.stop_ids)
        sampler, drafter = make_sampler(sampling), self._drafter(prompt, sampling)
        tokens, brief = prompt.tokens, prompt.brief
        for step in generate(self._model, slot, tokens, sampler, healing, drafter, brief=brief):
            if step is None:
                yield None
                continue
            if answer.take(step, self._tokenizer):
                break
            yield answer.piece()
        yield answer.last()

    def _drafter(self, prompt: Prompt, sampling: Sampling) -> Drafter:
        if sampling.speculate and sampling.temperature == 0:
            experience = self._experiences[prompt.brief]
            return Speculation(experience, prompt.tokens, prompt.max_tokens)
        return NoDrafts()


class _Answer:
    """The text, score and cost of one answer so far."""

    def __init__(self, prompt: Prompt, index: int, cached: int) -> None:
        self._prompt, self._index, self._cached = prompt, index, cached
        self._text = TextStream(skip=len(prompt.heal))
        self._stops = StopStrings(prompt.stop, one_line=prompt.one_line)
        self._ready, self._count = "", 0
        self._scores: list[tuple[int, float]] = []
        self._passes = self._drafted = self._accepted = 0
        self._reason: FinishReason = "length"
        self._started, self._prefilled = time.perf_counter(), 0.0

    def take(self, step: Step, tokenizer: Tokenizer) -> bool:
        """Add the tokens of one pass, as far as they belong; True when the answer is complete."""
        self._prefilled = self._prefilled or time.perf_counter()
        if self._prompt.max_tokens == 0:
            return True
        self._passes += 1
        self._drafted += step.drafted
        for choice in step.choices:
            self._count += 1
            self._accepted += choice is not step.choices[-1]
            ended = self._ends(choice.token, tokenizer)
            self._scores.append((len(self._ready), choice.logprob))
            if ended:
                return True
        return False

    def _ends(self, token: int, tokenizer: Tokenizer) -> bool:
        """Add the text of one token; True when it is the last one."""
        if token not in self._prompt.stop_ids:
            self._ready += self._stops.push(self._text.push(tokenizer.token_bytes(token)))
        if token in self._prompt.stop_ids or self._stops.stopped:
            self._reason = "stop"
        return self._reason == "stop" or self._count == self._prompt.max_tokens

    def piece(self) -> Piece | None:
        """What can be shown since the last piece, with its score and the cost so far."""
        if not self._ready:
            return None
        piece = self._piece(self._ready)
        self._ready, self._scores = "", []
        return piece

    def last(self) -> Piece:
        """The rest of the text, why it ended and what it cost."""
        return self._piece(self._ready + self._stops.flush(), self._reason)

    def _piece(self, text: str, reason: FinishReason | None = None) -> Piece:
        logprob = sum(logprob for _, logprob in self._scores)
        scores, usage = tuple(self._scores), self._usage()
        return Piece(text, self._index, logprob, reason, usage, scores)

    def _usage(self) -> Usage:
        prefilled = self._prefilled or time.perf_counter()
        return Usage(
            prompt_tokens=len(self._prompt.tokens),
            cached_tokens=self._cached,
            completion_tokens=self._count,
            passes=self._passes,
            drafted_tokens=self._drafted,
            accepted_tokens=self._accepted,
            prefill_ms=(prefilled - self._started) * 1e3,
            decode_ms=(time.perf_counter() - prefilled) * 1e3,
        )
