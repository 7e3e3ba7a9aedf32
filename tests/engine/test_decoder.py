"""Our decoder against transformers' own classes, on tiny random checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers

from engine.checkpoint import open_checkpoint
from engine.load import build_decoder
from quant.formats import FORMATS
from quant.packed import Rows

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from engine.decoder import Decoder

SIZES: dict[str, Any] = {
    "vocab_size": 97,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
    "initializer_range": 0.2,
}
LINEAR_ROPE = {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e5}
CONFIGS = {
    "llama": transformers.LlamaConfig(**SIZES, num_key_value_heads=4),
    "llama-grouped": transformers.LlamaConfig(**SIZES, num_key_value_heads=2),
    "llama-tied": transformers.LlamaConfig(**SIZES, tie_word_embeddings=True),
    "llama-linear-rope": transformers.LlamaConfig(**SIZES, rope_parameters=LINEAR_ROPE),
    "qwen2": transformers.Qwen2Config(**SIZES, num_key_value_heads=2),
    "qwen2-one-kv-head": transformers.Qwen2Config(**SIZES, num_key_value_heads=1),
    "starcoder2": transformers.Starcoder2Config(**SIZES, num_key_value_heads=2, use_bias=True),
}
TOKENS = torch.arange(40) * 7 % 97


def _pair(name: str, folder: Path) -> tuple[Any, Decoder]:
    torch.manual_seed(0)
    reference = transformers.AutoModelForCausalLM.from_config(CONFIGS[name]).eval()
    for parameter in reference.parameters():  # biases and norms start as constants
        torch.nn.init.normal_(parameter, std=0.2)
    reference.save_pretrained(folder)
    checkpoint = open_checkpoint(folder)
    assert checkpoint.config is not None
    ours = build_decoder(checkpoint.config, checkpoint.source, FORMATS["float32"], lambda *_: None)
    return reference, ours


@torch.inference_mode()
def _expected(reference: Any, tokens: Tensor) -> Tensor:
    logits: Tensor = reference(tokens[None]).logits[0, -1]
    return logits


@pytest.mark.parametrize("name", CONFIGS)
def test_logits_equal_those_of_transformers(name: str, tmp_path: Path) -> None:
    reference, ours = _pair(name, tmp_path)
    cache = ours.new_cache(64)
    logits = ours(TOKENS, cache)
    torch.testing.assert_close(logits[0], _expected(reference, TOKENS), atol=1e-4, rtol=1e-4)
    assert cache.length == len(TOKENS)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("chunk", [1, 7])
def test_chunked_prefill_equals_whole(name: str, chunk: int, tmp_path: Path) -> None:
    _, ours = _pair(name, tmp_path)
    whole = ours(TOKENS, ours.new_cache(64))
    cache = ours.new_cache(64)
    for part in torch.split(TOKENS, chunk):
        logits = ours(part, cache)
    torch.testing.assert_close(logits, whole, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", CONFIGS)
def test_cached_prefix_equals_fresh(name: str, tmp_path: Path) -> None:
    _, ours = _pair(name, tmp_path)
    other = torch.cat([TOKENS[:25], TOKENS[:10].flip(0)])
    cache = ours.new_cache(64)
    ours(TOKENS, cache)
    cache.truncate(25)
    cached = ours(other[25:], cache)
    torch.testing.assert_close(cached, ours(other, ours.new_cache(64)), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("name", "tied"), [("llama-tied", True), ("llama", False)])
def test_a_tied_embedding_is_held_once(tmp_path: Path, name: str, tied: bool) -> None:
    _pair(name, tmp_path)
    checkpoint = open_checkpoint(tmp_path)
    assert checkpoint.config is not None
    decoder = build_decoder(checkpoint.config, checkpoint.source, FORMATS["int8"], lambda *_: None)
    assert isinstance(decoder.embedding, Rows)
    assert (decoder.embedding.matrix is decoder.head) is tied
    expected = checkpoint.source.load("model.embed_tokens.weight")[TOKENS]
    torch.testing.assert_close(decoder.embedding(TOKENS), expected, atol=0.01, rtol=0)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_last_logits_equal_those_of_shorter_passes(name: str, tmp_path: Path) -> None:
    _, ours = _pair(name, tmp_path)
    logits = ours(TOKENS, ours.new_cache(64), last=3)
    shorter = [ours(TOKENS[:end], ours.new_cache(64)) for end in (38, 39, 40)]
    torch.testing.assert_close(logits, torch.cat(shorter), atol=1e-4, rtol=1e-4)
