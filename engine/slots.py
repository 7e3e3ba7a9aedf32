"""KV caches and the tokens they hold: which one a prompt should continue."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.kvcache import Cache, CausalLM


class Slot:
    """One cached sequence: `tokens` are those whose keys and values `cache` holds."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache
        self.tokens: list[int] = []

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


class SlotPool:
    """A few slots per model, so that a conversation does not evict the document being typed."""

    def __init__(self, model: CausalLM, size: int, capacity: int) -> None:
        self._model, self._size = model, size
        self.capacity = min(capacity, model.context_length)
        self._free: list[Slot] = []
        self._made = 0

    def acquire(self, tokens: Sequence[int]) -> Slot:
        """The free slot that shares most with `tokens`; the least recently used of equals.

        A slot whose whole content is continued is always best. A new slot is made, up to the
        pool's size, rather than losing more than half of a cached sequence; beyond the size,
        only while every other slot is in use.
        """
        best = max(self._free, key=lambda slot: slot.common_prefix(tokens), default=None)
        if best is not None and (self._made >= self._size or self._worth(best, tokens)):
            self._free.remove(best)
            return best
        self._made += 1
        return Slot(self._model.new_cache(self.capacity))

    @staticmethod
    def _worth(slot: Slot, tokens: Sequence[int]) -> bool:
        return 2 * slot.common_prefix(tokens) >= len(slot.tokens)

    def release(self, slot: Slot) -> None:
        """Give a slot back; the most recently used stands last."""
        if self._made > self._size:
            self._made -= 1
            return
        self._free.append(slot)
