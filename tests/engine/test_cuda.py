"""The passes in static shapes equal the decoder's own: on a processor, where graphs do not run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from engine.cuda import OnDevice, StaticDecoder
from engine.kvcache import FIRST_ROOM
from engine.load import build_decoder
from quant.formats import FORMATS
from tests.tiny import CONFIG, RandomSource

if TYPE_CHECKING:
    from engine.decoder import Decoder

TOKENS = torch.arange(600) * 7 % CONFIG.vocab_size


def _pair(fmt: str = "float32") -> tuple[Decoder, StaticDecoder]:
    config = replace(CONFIG, context_length=600)
    ours = build_decoder(config, OnDevice(RandomSource(), "cpu"), FORMATS[fmt], lambda *_: None)
    return ours, StaticDecoder(ours, "cpu", graphs=False)


@pytest.mark.parametrize("fmt", ["float32", "bfloat16", "nf4"])
@pytest.mark.parametrize("chunk", [1, 5, 128])
def test_passes_equal_the_decoders(fmt: str, chunk: int) -> None:
    decoder, static = _pair(fmt)
    caches = decoder.new_cache(600), static.new_cache(600)
    for part in torch.split(TOKENS[:40] if chunk == 1 else TOKENS, chunk):
        expected = decoder.forward(part, caches[0], last=len(part))
        found = static.forward(part, caches[1], last=len(part))
        torch.testing.assert_close(found, expected, atol=2e-4, rtol=1e-4)
    assert caches[0].length == caches[1].length


def test_only_the_last_logits_are_made() -> None:
    _, static = _pair()
    assert static.forward(TOKENS[:9], static.new_cache(64), last=2).shape == (2, CONFIG.vocab_size)


def test_room_that_is_not_used_is_not_seen() -> None:
    _, static = _pair()
    one, other = static.new_cache(600), static.new_cache(600)
    for cache in (one, other):
        static.forward(TOKENS[:20], cache)
    static.forward(TOKENS[100:200], one)
    one.truncate(20)  # what came after it lies there still
    found = [static.forward(TOKENS[20:21], cache) for cache in (one, other)]
    torch.testing.assert_close(*found)


def test_a_cache_that_grows_keeps_what_it_holds_and_drops_its_graphs() -> None:
    decoder, static = _pair()
    full = FIRST_ROOM - 6
    cache = static.new_cache(600)
    static.forward(TOKENS[:full], cache)
    cache.graphs[1] = object()  # type: ignore[assignment]  # only its going is looked at
    before, room = cache.keys[:, :, :full].clone(), cache.room
    static.forward(TOKENS[full:FIRST_ROOM], cache)
    assert (room, cache.room, list(cache.graphs)) == (FIRST_ROOM, FIRST_ROOM, [1])
    found = static.forward(TOKENS[FIRST_ROOM : FIRST_ROOM + 14], cache)
    assert (cache.room, cache.graphs) == (600, {})
    assert cache.keys[:, :, :full].equal(before)
    expected = decoder.forward(TOKENS[: FIRST_ROOM + 14], decoder.new_cache(600))
    torch.testing.assert_close(found, expected, atol=2e-4, rtol=1e-4)


def test_a_forked_cache_goes_on_alone_and_has_no_graphs() -> None:
    decoder, static = _pair()
    cache = static.new_cache(600)
    static.forward(TOKENS[:40], cache)
    graph = object()
    cache.graphs[1] = graph  # type: ignore[assignment]  # only its place is looked at
    copied = cache.fork(25)
    assert (copied.length, copied.capacity, copied.graphs) == (25, 600, {})
    assert cache.graphs == {1: graph}
    ends = {25: copied, 40: cache}
    for end, each in ends.items():  # the copy first: it must not write into the other
        found = static.forward(TOKENS[100:110], each)
        whole = torch.cat([TOKENS[:end], TOKENS[100:110]])
        expected = decoder.forward(whole, decoder.new_cache(600))
        torch.testing.assert_close(found, expected, atol=2e-4, rtol=1e-4)


def test_a_pass_is_a_function_of_its_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    """A graph is replayed with other tokens and positions: none is read as a number."""
    _, static = _pair()
    cache = static.new_cache(64)
    static.forward(TOKENS[:10], cache)
    cache.reserve(1)
    tokens, positions = TOKENS[10:11].clone(), torch.tensor([10])
    for name in ("item", "tolist", "__bool__", "__int__", "__index__", "__float__"):
        monkeypatch.setattr(torch.Tensor, name, lambda *_: pytest.fail("a value was read"))
    with torch.inference_mode():
        static.eager(tokens, positions, cache, 1)
