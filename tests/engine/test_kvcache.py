from __future__ import annotations

import pytest
import torch

from engine.kvcache import FIRST_ROOM, BlockCache, KvCache
from tests.tiny import CONFIG


def _write(cache: KvCache, rows: torch.Tensor) -> torch.Tensor:
    """Append `rows` [n] as keys of every layer; all keys so far of the last one, [length]."""
    cache.reserve(len(rows))
    for layer in range(CONFIG.layers):
        filled = rows[None, :, None].expand(CONFIG.kv_heads, -1, CONFIG.head_dim)
        keys, values = cache.extend(layer, filled, -filled)
    cache.length += len(rows)
    assert keys.equal(-values)
    return keys[0, :, 0]


def test_what_was_stored_survives_growth() -> None:
    cache = KvCache(CONFIG, 2000, torch.float32)
    for part in torch.split(torch.arange(1500.0), 111):
        held = _write(cache, part)
    assert held.equal(torch.arange(1500.0))


def test_memory_grows_with_the_sequence_up_to_the_capacity() -> None:
    cache = KvCache(CONFIG, 1500, torch.float32)
    rooms = []
    for part in torch.split(torch.arange(1500.0), 100):
        _write(cache, part)
        rooms.append(cache.keys.shape[2])
    assert rooms[0] == FIRST_ROOM
    assert rooms[-1] == 1500
    assert len(set(rooms)) == 3


def test_truncated_positions_are_overwritten() -> None:
    cache = KvCache(CONFIG, 1000, torch.float32)
    _write(cache, torch.arange(400.0))
    cache.truncate(10)
    assert _write(cache, torch.tensor([7.0])).tolist() == [*range(10), 7.0]


def test_a_fork_and_its_origin_go_on_alone() -> None:
    cache = KvCache(CONFIG, 1000, torch.float32)
    _write(cache, torch.arange(400.0))
    fork = cache.fork(300)
    assert fork.nbytes == 300 * fork.position_bytes
    assert _write(fork, torch.tensor([7.0])).tolist() == [*range(300), 7.0]
    assert _write(cache, torch.tensor([8.0])).tolist() == [*range(400), 8.0]
    assert fork.capacity == 1000


def test_bytes_are_those_of_the_tensors() -> None:
    cache = KvCache(CONFIG, 1000, torch.float32)
    assert (cache.nbytes, cache.position_bytes) == (0, 2 * 2 * 2 * 8 * 4)
    _write(cache, torch.arange(10.0))
    assert cache.nbytes == FIRST_ROOM * cache.position_bytes


def test_more_than_the_capacity_is_our_own_mistake() -> None:
    with pytest.raises(ValueError):
        KvCache(CONFIG, 10, torch.float32).reserve(11)


def test_blocks_survive_growth() -> None:
    cache = BlockCache(CONFIG, 1000)
    cache.reserve(70)
    cache.keys[..., :2, :, :], cache.values[..., :2, :, :] = 1, 2
    cache.length = 70
    cache.reserve(900)
    assert cache.keys.dtype == cache.values.dtype == torch.float16
    assert cache.keys.shape[2] == cache.values.shape[2] == -(-970 // 64)
    assert cache.keys[..., :2, :, :].eq(1).all()
    assert cache.values[..., :2, :, :].eq(2).all()
