"""The forward pass in C against the same decoder in torch."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from engine.decoder import Attention, Block, Decoder, GeluMlp, Norm, SwiGlu
from engine.kvcache import BlockCache, KvCache
from quant.floats import FloatEmbedding, FloatLinear
from quant.forward import InterruptedPassError
from quant.int4 import Int4Linear
from quant.int6 import Int6Linear
from quant.int8 import Int8Linear
from quant.packed import KERNELS, PackedLinear, RoundedLinear, StackedLinear
from tests.tiny import CONFIG

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from engine.config import DecoderConfig

CONFIGS = {
    "llama": replace(CONFIG, hidden_size=64, head_dim=32, heads=3, kv_heads=3),
    "qwen2": replace(CONFIG, qkv_bias=True, heads=14, head_dim=64),
    "one-kv-head": replace(CONFIG, kv_heads=1, heads=7, head_dim=40, hidden_size=80),
    "odd": replace(CONFIG, hidden_size=50, intermediate_size=97, head_dim=34, vocab_size=77),
    "wide": replace(CONFIG, hidden_size=96, head_dim=128, rope_scale=4.0),
    "starcoder2": replace(
        CONFIG,
        norm="layer",
        activation="gelu_tanh",
        qkv_bias=True,
        out_bias=True,
        mlp_bias=True,
        intermediate_size=128,
        head_dim=80,
    ),
}
ROOM = 1024
NOISE = 0.06
"""Relative error of logits: two float32 sums that differ in the last bit can round an activation to
neighbouring bytes, and a tiny model averages little of that away. A wrong position, mask, head or
bias makes it ten times larger."""


@pytest.fixture(autouse=True)
def _seed() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def _norm(config: DecoderConfig) -> Norm:
    bias = torch.randn(config.hidden_size) if config.norm == "layer" else None
    return Norm(1 + torch.randn(config.hidden_size) / 4, bias, config.norm_eps)


def _linear(out: int, columns: int, bias: bool, kind: int = 8) -> PackedLinear:
    weight = torch.randn(out, columns) / columns**0.5
    packed: type[RoundedLinear] = {4: Int4Linear, 6: Int6Linear, 8: Int8Linear}[kind]
    return packed.of(weight, torch.randn(out) if bias else None)


def _block(config: DecoderConfig) -> Block:
    hidden, heads = config.hidden_size, config.heads * config.head_dim
    keys = config.kv_heads * config.head_dim
    qkv = StackedLinear(
        [
            _linear(heads, hidden, config.qkv_bias, 4),
            _linear(keys, hidden, config.qkv_bias, 8),
            _linear(keys, hidden, config.qkv_bias, 6),
        ]
    )
    attention = Attention(
        config,
        qkv,
        _linear(hidden, heads, config.out_bias, 6),
    )
    down = _linear(hidden, config.intermediate_size, config.mlp_bias)
    mlp: nn.Module
    if config.activation == "swiglu":
        mlp = SwiGlu(_linear(2 * config.intermediate_size, hidden, config.mlp_bias), down)
    else:
        mlp = GeluMlp(_linear(config.intermediate_size, hidden, config.mlp_bias), down)
    return Block(_norm(config), attention, _norm(config), mlp)


def _decoder(config: DecoderConfig) -> Decoder:
    """Random weights of all packed formats."""
    config = replace(config, context_length=ROOM)
    embedding = FloatEmbedding(torch.randn(config.vocab_size, config.hidden_size))
    blocks = [_block(config) for _ in range(config.layers)]
    head = _linear(config.vocab_size, config.hidden_size, False)
    return Decoder(config, embedding, blocks, _norm(config), head).eval()


def _tokens(count: int) -> Tensor:
    return torch.randint(0, CONFIG.vocab_size, (count,))


def _ours(decoder: Decoder, tokens: Tensor, *cuts: int, last: int = 1) -> Tensor:
    """Logits of the last tokens, evaluated in parts that end at `cuts`."""
    cache = decoder.new_cache(ROOM)
    assert isinstance(cache, BlockCache)
    parts = torch.tensor_split(tokens, list(cuts))
    for part in parts[:-1]:
        decoder.forward(part, cache)
    return decoder.forward(parts[-1], cache, last)


def _oracle(decoder: Decoder, tokens: Tensor, last: int = 1) -> Tensor:
    return decoder.forward(tokens, KvCache(decoder.config, ROOM, torch.float32), last)


def _close(ours: Tensor, oracle: Tensor) -> bool:
    return bool(((ours - oracle).norm(dim=1) < NOISE * oracle.norm(dim=1)).all())


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_pass_that_yields_can_be_interrupted_and_made_anew(kernel: str) -> None:
    decoder, tokens = _decoder(CONFIGS["qwen2"]), _tokens(70)
    assert decoder.compiled is not None
    decoder.compiled.kernel = kernel
    cache = decoder.new_cache(ROOM)
    decoder.forward(tokens[:60], cache)
    decoder.interrupt()
    with pytest.raises(InterruptedPassError):
        decoder.forward(tokens[60:], cache, yields=True)
    assert cache.length == 60
    again = decoder.forward(tokens[60:], cache, yields=True)
    assert torch.equal(again, _ours(decoder, tokens, 60))


def test_a_pass_that_does_not_yield_comes_to_its_end() -> None:
    decoder, tokens = _decoder(CONFIGS["llama"]), _tokens(3)
    decoder.interrupt()
    assert torch.equal(decoder.forward(tokens, decoder.new_cache(ROOM)), _ours(decoder, tokens))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize(("past", "rows"), [(0, 1), (0, 7), (0, 300), (63, 2), (64, 1), (700, 33)])
def test_logits_equal_those_of_torch(kernel: str, name: str, past: int, rows: int) -> None:
    decoder, tokens = _decoder(CONFIGS[name]), _tokens(past + rows)
    assert decoder.compiled is not None
    decoder.compiled.kernel = kernel
    last = min(rows, 5)
    ours = _ours(decoder, tokens, *([past] if past else []), last=last)
    assert _close(ours, _oracle(decoder, tokens, last))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("name", CONFIGS)
def test_a_row_does_not_depend_on_the_chunks(kernel: str, name: str) -> None:
    decoder, tokens = _decoder(CONFIGS[name]), _tokens(201)
    assert decoder.compiled is not None
    decoder.compiled.kernel = kernel
    whole = _ours(decoder, tokens)
    for cuts in ((200,), (1, 2, 3), (64, 128, 192), (63, 130), (17, 18, 150, 199, 200)):
        assert _ours(decoder, tokens, *cuts).equal(whole)


def test_logits_of_several_rows_are_those_of_each() -> None:
    decoder, tokens = _decoder(CONFIGS["qwen2"]), _tokens(90)
    together = _ours(decoder, tokens, 70, last=20)
    alone = [_ours(decoder, tokens[:end]) for end in range(71, 91)]
    assert together.equal(torch.cat(alone))


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.usefixtures("threads")
def test_any_number_of_threads_gives_the_same(count: int) -> None:
    decoder, tokens = _decoder(CONFIGS["qwen2"]), _tokens(150)
    torch.set_num_threads(2)
    expected = _ours(decoder, tokens, 100)
    torch.set_num_threads(count)
    for _ in range(20):  # late threads of one pass meet the next
        assert _ours(decoder, tokens, 100, 120, 149).equal(expected)


def test_truncated_positions_are_forgotten() -> None:
    decoder, tokens = _decoder(CONFIGS["llama"]), _tokens(500)
    cache = decoder.new_cache(ROOM)
    decoder(tokens, cache)
    cache.truncate(100)
    assert decoder(tokens[400:450], cache).equal(
        _ours(decoder, torch.cat([tokens[:100], tokens[400:450]]))
    )


def test_what_was_never_written_is_never_read() -> None:
    decoder, tokens = _decoder(CONFIGS["odd"]), _tokens(70)
    cache = decoder.new_cache(ROOM)
    assert isinstance(cache, BlockCache)
    cache.reserve(70)
    cache.keys.fill_(torch.nan)
    cache.values.fill_(torch.nan)
    assert decoder(tokens, cache).equal(_ours(decoder, tokens))


def test_two_models_and_two_threads_take_turns() -> None:
    decoders = [_decoder(CONFIGS["llama"]), _decoder(CONFIGS["starcoder2"])]
    tokens = _tokens(80)
    expected = [_ours(decoder, tokens) for decoder in decoders]
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(30):
            if not _ours(decoders[number], tokens, 79).equal(expected[number]):
                wrong.append(number)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


def test_models_come_and_go() -> None:
    """Their memory is freed while the threads of their last pass may still be on their way."""
    tokens = _tokens(30)
    for _ in range(30):
        decoder = _decoder(CONFIGS["llama"])
        assert _ours(decoder, tokens).isfinite().all()


def test_a_matrix_in_another_format_leaves_the_pass_to_torch() -> None:
    decoder, tokens = _decoder(CONFIGS["llama"]), _tokens(9)
    oracle = _oracle(decoder, tokens)
    attention = decoder.blocks[1].attention
    assert isinstance(attention, Attention)
    assert isinstance(attention.out, Int6Linear)
    attention.out = FloatLinear(attention.out.dequantized(), attention.out.bias)
    assert decoder.compiled is None
    cache = decoder.new_cache(ROOM)
    assert isinstance(cache, KvCache)
    assert _close(decoder(tokens, cache), oracle)
