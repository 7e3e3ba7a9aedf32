"""Prefill and decode as a generator: the caller advances it, and stops it by letting go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from torch import Tensor

    from engine.kvcache import CausalLM
    from engine.sample import Choice
    from engine.slots import Slot

PREFILL_CHUNK = 128
"""Tokens per prefill pass: the longest that a cancelled request keeps the thread."""


class Constraint(Protocol):
    """Limits the first tokens of an answer."""

    def allowed(self) -> list[int] | None:
        """The tokens that may come next, or None when every token may."""

    def advance(self, token: int) -> None:
        """Note the chosen token."""


def generate(
    model: CausalLM,
    slot: Slot,
    tokens: list[int],
    sampler: Callable[[Tensor], Choice],
    constraint: Constraint,
) -> Generator[Choice | None, None, None]:
    """Continue `tokens`: None after each prefill chunk but the last, then one choice a step.

    `slot` must hold a proper prefix of `tokens` (see `Slot.rewind`); it keeps what is evaluated,
    also when the generator is dropped. Ends when the cache is full.
    """
    logits = yield from prefill(model, slot, tokens[len(slot.tokens) :])
    while True:
        choice = sampler(_masked(logits, constraint.allowed()))
        constraint.advance(choice.token)
        yield choice
        if slot.cache.length == slot.cache.capacity:
            return
        logits = _forward(model, slot, [choice.token])


def prefill(model: CausalLM, slot: Slot, pending: list[int]) -> Generator[None, None, Tensor]:
    """Evaluate `pending` chunk by chunk; returns the logits [vocab] of its last token."""
    while len(pending) > PREFILL_CHUNK:
        _forward(model, slot, pending[:PREFILL_CHUNK])
        pending = pending[PREFILL_CHUNK:]
        yield None
    return _forward(model, slot, pending)


def _forward(model: CausalLM, slot: Slot, tokens: list[int]) -> Tensor:
    logits = model.forward(torch.tensor(tokens), slot.cache)[0]
    slot.tokens += tokens
    return logits


def _masked(logits: Tensor, allowed: list[int] | None) -> Tensor:
    if allowed is None:
        return logits
    mask = torch.full_like(logits, -torch.inf)
    mask[allowed] = 0
    return logits + mask
