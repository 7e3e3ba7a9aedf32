"""KV caches and the tokens they hold: which one a prompt should continue, and which one may go."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.kvcache import Cache, CausalLM

CAPACITY = 8192
"""Positions a slot has room for, if the memory allows it."""
SLOTS = 8
"""More are not kept: each is compared with every prompt."""
_OWN = 64
"""A slot with fewer tokens of its own is the first to go: they are soon evaluated again."""


class Slot:
    """One cached sequence: `tokens` are those whose keys and values `cache` holds."""

    def __init__(self, cache: Cache, tokens: Sequence[int] = (), *, talk: bool = False) -> None:
        self.cache = cache
        self.tokens = list(tokens)
        self.talk = talk
        """It holds a conversation."""

    def common_prefix(self, tokens: Sequence[int]) -> int:
        """How many leading tokens the slot shares with `tokens`."""
        pairs = zip(self.tokens, tokens, strict=False)
        shared = min(len(self.tokens), len(tokens))
        return next((i for i, (held, wanted) in enumerate(pairs) if held != wanted), shared)

    def rewind(self, tokens: Sequence[int]) -> int:
        """Keep the longest prefix of `tokens` but its last, which must be evaluated for logits.

        Returns the number of positions kept.
        """
        kept = min(self.common_prefix(tokens), len(tokens) - 1)
        self.truncate(kept)
        return kept

    def truncate(self, length: int) -> None:
        """Keep the first `length` positions."""
        self.cache.truncate(length)
        del self.tokens[length:]

    def fork(self, length: int) -> Slot:
        """A slot that begins as this one does, with so many tokens copied."""
        return Slot(self.cache.fork(length), self.tokens[:length], talk=self.talk)


class SlotPool:
    """The slots of one model, in a budget of bytes.

    A document, another one and a conversation have slots of their own, and so has a place of a
    document that was left: copying what two sequences share is nothing against evaluating it.
    Typing goes through many places while a person reads an answer, so the conversation that was
    used last stays as long as anything else can go.
    """

    def __init__(self, model: CausalLM, budget: int) -> None:
        self._model, self._budget = model, budget
        self._position = model.new_cache(1).position_bytes
        """Bytes."""
        self.capacity = min(CAPACITY, model.context_length, max(1, budget // self._position))
        self._free: list[Slot] = []
        """The most recently used stands last."""
        self._used: list[Slot] = []

    @property
    def held(self) -> list[list[int]]:
        """The tokens of every slot that is not in use."""
        return [slot.tokens for slot in self._free]

    def shared(self, tokens: Sequence[int]) -> int:
        """The most leading tokens that any free slot has."""
        return max((slot.common_prefix(tokens) for slot in self._free), default=0)

    def acquire(self, tokens: Sequence[int], *, talk: bool = False) -> Slot:
        """A slot that holds as much of the beginning of `tokens` as any of its kind.

        The one that shares most is continued; where that would lose more than half of what it
        holds, a copy of what they share is, as far as the memory allows.
        """
        best = self._best(tokens, talk=talk)
        if best is None:
            self._makes_room(len(tokens))
            return self._use(Slot(self._model.new_cache(self.capacity), talk=talk))
        shared = best.common_prefix(tokens)
        if 2 * shared < len(best.tokens) and self._makes_room(len(tokens), best):
            return self._use(best.fork(shared))
        self._free.remove(best)
        return self._use(best)

    def spare(self, tokens: Sequence[int]) -> Slot | None:
        """As `acquire`, but takes nothing from the slot that shares most, or was used last.

        None where `tokens` are held but for the last one, or the memory is too short.
        """
        completing = (slot for slot in reversed(self._free) if not slot.talk)
        best = self._best(tokens, talk=False) or next(completing, None)
        if best is None:
            return self.acquire(tokens)
        shared = best.common_prefix(tokens)
        if shared >= len(tokens) - 1 or not self._makes_room(len(tokens), best):
            return None
        if shared < len(best.tokens):
            return self._use(best.fork(shared))
        self._free.remove(best)
        return self._use(best)

    def release(self, slot: Slot) -> None:
        """Give a slot back."""
        self._used.remove(slot)
        self._free.append(slot)
        self._makes_room(0, slot)

    def _best(self, tokens: Sequence[int], *, talk: bool) -> Slot | None:
        """The free slot that shares most; the least recently used of equals."""
        slots = (slot for slot in self._free if slot.talk == talk)
        best = max(slots, key=lambda slot: slot.common_prefix(tokens), default=None)
        return best if best and best.common_prefix(tokens) else None

    def _use(self, slot: Slot) -> Slot:
        self._used.append(slot)
        return slot

    def _makes_room(self, positions: int, kept: Slot | None = None) -> bool:
        """Whether so many positions fit, once all that had to go for them but `kept` is gone."""
        while others := [slot for slot in self._free if slot is not kept]:
            if self._fits(positions):
                return True
            self._free.remove(self._first_to_go(others))
        return self._fits(positions)

    def _first_to_go(self, others: list[Slot]) -> Slot:
        if repeating := next(filter(self._repeats, others), None):
            return repeating
        last_talk = next((slot for slot in reversed(self._free) if slot.talk), None)
        return next((slot for slot in others if slot is not last_talk), others[0])

    def _fits(self, positions: int) -> bool:
        slots = self._free + self._used
        taken = sum(slot.cache.nbytes for slot in slots) + positions * self._position
        return taken <= self._budget and len(slots) + bool(positions) <= SLOTS

    def _repeats(self, slot: Slot) -> bool:
        """Whether hardly anything is in a slot that is not in another one."""
        others = (other for other in self._free if other is not slot)
        shared = max((other.common_prefix(slot.tokens) for other in others), default=0)
        return len(slot.tokens) - shared < _OWN
