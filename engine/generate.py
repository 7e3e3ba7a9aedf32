"""Prefill and decode as a generator: the caller advances it, and stops it by letting go."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch

from quant.forward import InterruptedPassError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from torch import Tensor

    from engine.kvcache import CausalLM
    from engine.sample import Choice
    from engine.slots import Slot

PREFILL_CHUNK = 128
"""Tokens per prefill pass: the longest that a cancelled request keeps the thread."""
BRIEF_CHUNK = 32
"""The same for conversations, and for what nobody waits for, so that a key waits the less for the
pass under way."""
_QUICK_S = 0.05
"""A pass that nobody notices: where they take no longer, as on a GPU, they need not be brief."""


class Constraint(Protocol):
    """Limits the first tokens of an answer."""

    def limited(self, logits: Tensor) -> Tensor:
        """Logits float32 [vocab] with those that may not come next at minus infinity."""

    def allows(self, token: int) -> bool:
        """Whether this one may come next."""

    def advance(self, token: int) -> None:
        """Note the chosen token."""


class Drafter(Protocol):
    """Guesses tokens, to be checked in the pass that chooses the next one anyway."""

    def draft(self, pending: int, room: int, allows: Callable[[int], bool]) -> list[int]:
        """At most `room` tokens, for a pass that has `pending` rows without them.

        `allows` says whether the first one may be some token.
        """

    def learn(self, rows: int, seconds: float, drafted: int, chosen: Sequence[int]) -> None:
        """What a pass cost, and which tokens it gave: those of the draft that held, and one."""


class Step(NamedTuple):
    """What one forward pass gave."""

    choices: list[Choice]
    """The drafted tokens that held, then the model's own."""
    drafted: int


def generate(
    model: CausalLM,
    slot: Slot,
    tokens: list[int],
    sampler: Callable[[Tensor], Choice],
    constraint: Constraint,
    drafter: Drafter,
    *,
    brief: bool = False,
) -> Generator[Step | None, None, None]:
    """Continue `tokens`: None after each prefill chunk but the last, then a `Step` a pass.

    With `brief`, passes are short and make way: None for each that was interrupted.

    A drafted token holds where `sampler` chooses the same one, so with a greedy sampler the
    tokens do not depend on the drafts (Leviathan et al., arXiv 2211.17192). `slot` must hold a
    proper prefix of `tokens` (see `Slot.rewind`); it keeps what is evaluated, also when the
    generator is dropped. Ends when the cache is full.
    """
    pending = yield from prefill(model, slot, tokens[len(slot.tokens) :], brief=brief)
    while True:
        room = slot.cache.capacity - slot.cache.length - len(pending)
        draft = drafter.draft(len(pending), room, constraint.allows)
        rows = pending + draft
        logits, started = yield from _evaluated(model, slot, rows, 1 + len(draft), yields=brief)
        choices = _checked(logits, draft, sampler, constraint)
        chosen, seconds = [choice.token for choice in choices], time.perf_counter() - started
        slot.truncate(slot.cache.length - 1 - len(draft) + len(choices))
        pending = chosen[-1:]
        drafter.learn(len(rows), seconds, len(draft), chosen)
        yield Step(choices, len(draft))
        if slot.cache.length == slot.cache.capacity:
            return


def prefill(
    model: CausalLM, slot: Slot, pending: list[int], *, brief: bool = False
) -> Generator[None, None, list[int]]:
    """Evaluate `pending` chunk by chunk; returns the last chunk, which is left to be evaluated.

    With `brief`, chunks are small where passes are slow.
    """
    chunk = BRIEF_CHUNK if brief else PREFILL_CHUNK
    while len(pending) > chunk:
        started = time.perf_counter()
        evaluate(model, slot, pending[:chunk])
        quick = time.perf_counter() - started < _QUICK_S
        pending = pending[chunk:]
        chunk = BRIEF_CHUNK if brief and not quick else PREFILL_CHUNK
        yield None
    return pending


def _evaluated(
    model: CausalLM, slot: Slot, tokens: list[int], last: int, *, yields: bool
) -> Generator[None, None, tuple[Tensor, float]]:
    """As `evaluate`, and when the pass began: made anew as often as it is interrupted."""
    while True:
        started = time.perf_counter()
        try:
            return evaluate(model, slot, tokens, last, yields=yields), started
        except InterruptedPassError:
            yield None


def evaluate(
    model: CausalLM, slot: Slot, tokens: list[int], last: int = 1, *, yields: bool = False
) -> Tensor:
    """Append `tokens` to the slot; logits float32 [last, vocab] of the last ones."""
    logits = model.forward(torch.tensor(tokens), slot.cache, last, yields=yields)
    slot.tokens += tokens
    return logits


def _checked(
    logits: Tensor,
    draft: list[int],
    sampler: Callable[[Tensor], Choice],
    constraint: Constraint,
) -> list[Choice]:
    """A choice for each row of `logits` [1 + drafted, vocab], up to the first that differs."""
    choices: list[Choice] = []
    for row, drafted in zip(logits, [*draft, None], strict=True):
        choices.append(sampler(constraint.limited(row)))
        constraint.advance(choices[-1].token)
        if choices[-1].token != drafted:
            break
    return choices
