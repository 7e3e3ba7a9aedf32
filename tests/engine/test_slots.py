from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.slots import Slot, SlotPool

if TYPE_CHECKING:
    from engine.kvcache import Cache, CausalLM


@dataclass
class Held:
    """A cache that holds nothing but its length."""

    capacity: int
    length: int = 0

    def truncate(self, length: int) -> None:
        self.length = length


class Model:
    vocab_size, context_length = 10, 100

    def new_cache(self, capacity: int) -> Cache:
        return Held(capacity)

    def forward(self, *_: object) -> object:
        raise AssertionError("slots evaluate nothing")


def _pool(size: int) -> SlotPool:
    model: CausalLM = Model()  # type: ignore[assignment]  # forward is never called
    return SlotPool(model, size, capacity=1000)


def _use(pool: SlotPool, tokens: list[int]) -> tuple[Slot, int]:
    slot = pool.acquire(tokens)
    kept = slot.rewind(tokens)
    slot.tokens, slot.cache.length = list(tokens), len(tokens)
    pool.release(slot)
    return slot, kept


def test_capacity_is_bounded_by_the_model() -> None:
    assert _pool(1).acquire([1]).cache.capacity == 100


def test_the_last_token_is_always_evaluated() -> None:
    pool = _pool(1)
    _use(pool, [1, 2, 3])
    slot, kept = _use(pool, [1, 2, 3])
    assert kept == 2
    assert _use(pool, [1, 2, 3, 4]) == (slot, 3)
    assert _use(pool, [1, 9]) == (slot, 1)


def test_a_document_and_a_conversation_do_not_evict_each_other() -> None:
    pool = _pool(2)
    document, _ = _use(pool, [1, 2, 3, 4])
    chat, _ = _use(pool, [7, 8, 9])
    assert chat is not document
    assert _use(pool, [1, 2, 3, 4, 5]) == (document, 4)
    assert _use(pool, [7, 8, 9, 1]) == (chat, 3)


def test_the_least_recently_used_slot_makes_room() -> None:
    pool = _pool(2)
    first, _ = _use(pool, [1, 2])
    second, _ = _use(pool, [3, 4])
    assert _use(pool, [5, 6])[0] is first
    assert _use(pool, [7, 8])[0] is second


def test_when_all_slots_are_in_use_another_is_made_and_not_kept() -> None:
    pool = _pool(1)
    busy = pool.acquire([1, 2])
    extra, _ = _use(pool, [1, 2, 3])
    assert extra is not busy
    pool.release(busy)
    assert pool.acquire([1, 2, 3]) is busy
