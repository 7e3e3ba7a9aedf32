from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.slots import SLOTS, Slot, SlotPool

if TYPE_CHECKING:
    from engine.kvcache import Cache, CausalLM


@dataclass
class Held:
    """A cache that holds nothing but its length; a position takes a byte."""

    capacity: int
    length: int = 0

    @property
    def position_bytes(self) -> int:
        return 1

    @property
    def nbytes(self) -> int:
        return self.length

    def truncate(self, length: int) -> None:
        self.length = length

    def fork(self, length: int) -> Held:
        return replace(self, length=length)


class Model:
    vocab_size, context_length = 10, 100

    def new_cache(self, capacity: int) -> Cache:
        return Held(min(capacity, self.context_length))

    def forward(self, *_: object) -> object:
        raise AssertionError("slots evaluate nothing")


def _pool(budget: int = 1000) -> SlotPool:
    model: CausalLM = Model()  # type: ignore[assignment]  # forward is never called
    return SlotPool(model, budget)


def _fill(pool: SlotPool, slot: Slot, tokens: list[int]) -> int:
    kept = slot.rewind(tokens)
    slot.tokens = list(tokens)
    slot.cache.length = len(tokens)
    pool.release(slot)
    return kept


def _use(pool: SlotPool, tokens: list[int]) -> tuple[Slot, int]:
    slot = pool.acquire(tokens)
    return slot, _fill(pool, slot, tokens)


def _run(start: int, length: int = 30) -> list[int]:
    return list(range(start, start + length))


def test_capacity_is_bounded_by_the_model_and_by_the_budget() -> None:
    assert _pool().acquire([1]).cache.capacity == 100
    assert _pool(50).acquire([1]).cache.capacity == 50


def test_the_last_token_is_always_evaluated() -> None:
    pool = _pool()
    _use(pool, [1, 2, 3])
    slot, kept = _use(pool, [1, 2, 3])
    assert kept == 2
    assert _use(pool, [1, 2, 3, 4]) == (slot, 3)
    assert _use(pool, [1, 2, 9]) == (slot, 2)


def test_a_document_and_a_conversation_do_not_evict_each_other() -> None:
    pool = _pool()
    document, _ = _use(pool, [1, 2, 3, 4])
    chat, _ = _use(pool, [7, 8, 9])
    assert chat is not document
    assert _use(pool, [1, 2, 3, 4, 5]) == (document, 4)
    assert _use(pool, [7, 8, 9, 1]) == (chat, 3)


def test_what_two_places_share_is_copied() -> None:
    pool = _pool()
    first, _ = _use(pool, [*_run(0, 10), *_run(200, 20)])
    second, kept = _use(pool, [*_run(0, 10), *_run(300, 20)])
    assert second is not first
    assert kept == 10
    assert _use(pool, [*_run(0, 10), *_run(200, 21)]) == (first, 30)


def test_the_least_recently_used_slot_makes_room() -> None:
    pool = _pool(250)
    for start in (100, 200, 300):
        _use(pool, _run(start, 80))
    _use(pool, _run(100, 81))
    _use(pool, _run(400, 80))
    assert [held[0] for held in pool.held] == [300, 100, 400]


def test_a_slot_that_another_repeats_makes_room_first() -> None:
    pool = _pool(250)
    _use(pool, _run(100, 90))
    _use(pool, _run(300, 60))
    spare = pool.spare(_run(300, 70))
    assert spare
    _fill(pool, spare, _run(300, 70))
    forked = pool.spare([*_run(300, 50), *_run(500, 30)])
    assert forked
    _fill(pool, forked, [*_run(300, 50), *_run(500, 30)])
    _use(pool, _run(700, 80))
    assert [held[0] for held in pool.held] == [100, 300, 700]


def test_a_budget_for_one_slot_keeps_one() -> None:
    pool = _pool(100)
    _use(pool, _run(0, 80))
    _use(pool, _run(200, 80))
    assert pool.held == [_run(200, 80)]


def test_no_more_than_so_many_are_kept() -> None:
    pool = _pool(10_000)
    for start in range(SLOTS + 3):
        _use(pool, _run(100 * start, 80))
    assert len(pool.held) == SLOTS


def test_a_spare_slot_takes_nothing_away() -> None:
    pool = _pool()
    slot, _ = _use(pool, [1, 2, 3, 4, 5, 6])
    spare = pool.spare([1, 2, 3, 4, 9, 9])
    assert spare
    assert (spare is slot, spare.tokens, spare.cache.length) == (False, [1, 2, 3, 4], 4)
    assert pool.held == [[1, 2, 3, 4, 5, 6]]
    assert pool.spare([1, 2, 3, 4, 5, 6, 7]) is None
    assert pool.spare([1, 2, 3, 4, 5, 6, 7, 8]) is slot
    assert _pool(5).spare([1]) is not None


def test_without_memory_there_is_no_spare_slot() -> None:
    pool = _pool(100)
    _use(pool, _run(0, 80))
    assert pool.spare(_run(200, 80)) is None
    assert pool.held == [_run(0, 80)]


def test_when_all_slots_are_in_use_another_is_made() -> None:
    pool = _pool(100)
    busy = pool.acquire([1, 2])
    extra, _ = _use(pool, [1, 2, 3])
    assert extra is not busy
    pool.release(busy)
    assert pool.acquire([1, 2, 3]) is extra


def test_the_last_conversation_stays_while_places_come_and_go() -> None:
    pool = _pool()
    old, new = _run(5000, 80), _run(6000, 80)
    for talk in (old, new):
        _fill(pool, pool.acquire(talk, talk=True), talk)
    for place in range(2 * SLOTS):
        _use(pool, _run(place * 100, 80))
    assert new in pool.held
    assert old not in pool.held
    assert pool.acquire([*new, 5], talk=True).rewind([*new, 5]) == len(new)


def test_the_last_conversation_goes_when_nothing_else_can() -> None:
    pool, talk, place = _pool(100), _run(0, 70), _run(100, 70)
    _fill(pool, pool.acquire(talk, talk=True), talk)
    _use(pool, place)
    assert pool.held == [place]


def test_a_completion_continues_no_conversation() -> None:
    pool = _pool()
    talk = [0, *_run(1000)]
    _fill(pool, pool.acquire(talk, talk=True), talk)
    slot, kept = _use(pool, talk[:2])  # as where both begin with the same control token
    assert (kept, slot.talk) == (0, False)
    assert talk in pool.held
