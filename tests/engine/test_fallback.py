"""The slow path against transformers' own generation, on tiny random checkpoints."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    Gemma2Config,
    GPT2Config,
    GPTBigCodeConfig,
    MambaConfig,
    MistralConfig,
)

from engine.errors import ModelDamaged, UnsupportedModel
from engine.fallback import TransformersModel
from engine.models import find
from engine.runtime import Runtime
from tests.greedy import their_tokens

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from engine.kvcache import Cache, CausalLM

SIZES: dict[str, Any] = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 128,
}
GPT_SIZES: dict[str, Any] = {"vocab_size": 97, "n_embd": 32, "n_layer": 2, "n_head": 4}
CONFIGS = {
    "gpt2": GPT2Config(**GPT_SIZES, n_positions=128),
    "starcoder1": GPTBigCodeConfig(**GPT_SIZES, n_positions=128),
    "bloom": BloomConfig(vocab_size=97, hidden_size=32, n_layer=2, n_head=4),
    "mistral-with-a-window": MistralConfig(**SIZES, sliding_window=8),
    "gemma2-with-windows-in-turn": Gemma2Config(**SIZES, sliding_window=8),
}
PROMPT = torch.arange(30) * 7 % 97


def _save(config: Any, folder: Path) -> Any:
    torch.manual_seed(2)
    model = AutoModelForCausalLM.from_config(config).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder)
    return model


def _greedy(model: CausalLM, cache: Cache, pending: Tensor, count: int) -> list[int]:
    tokens = []
    for _ in range(count):
        tokens.append(int(model.forward(pending, cache).argmax()))
        pending = torch.tensor(tokens[-1:])
    return tokens


@pytest.mark.parametrize("name", CONFIGS)
def test_greedy_tokens_equal_generate_also_after_truncate(name: str, tmp_path: Path) -> None:
    reference = _save(CONFIGS[name], tmp_path)
    model = TransformersModel(tmp_path)
    assert model.vocab_size == 97
    cache = model.new_cache(64)
    assert _greedy(model, cache, PROMPT, 12) == their_tokens(reference, PROMPT.tolist(), 12)
    assert cache.length == 30 + 11  # the last token is not evaluated
    fork = cache.fork(20)
    assert fork.nbytes == 20 * fork.position_bytes > 0
    cache.truncate(20)
    assert cache.length == 20
    other = torch.cat([PROMPT[:20], PROMPT[:5]])
    assert _greedy(model, fork, other[20:], 12) == their_tokens(reference, other.tolist(), 12)
    assert _greedy(model, cache, other[20:], 12) == their_tokens(reference, other.tolist(), 12)
    cache.truncate(0)
    assert _greedy(model, cache, other, 12) == their_tokens(reference, other.tolist(), 12)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_last_logits_equal_those_of_transformers(name: str, tmp_path: Path) -> None:
    reference = _save(CONFIGS[name], tmp_path)
    with torch.inference_mode():
        expected = reference(PROMPT[None]).logits[0, -3:]
    model = TransformersModel(tmp_path)
    logits = model.forward(PROMPT, model.new_cache(64), last=3)
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", CONFIGS)
def test_logits_of_a_chunked_prefill_equal_the_whole(name: str, tmp_path: Path) -> None:
    reference = _save(CONFIGS[name], tmp_path)
    with torch.inference_mode():
        expected = reference(PROMPT[None]).logits[0, -1]
    model = TransformersModel(tmp_path)
    cache = model.new_cache(1000)
    for chunk in torch.split(PROMPT, 7):
        logits = model.forward(chunk, cache)
    assert logits.shape == (1, 97)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits[0], expected, atol=1e-4, rtol=1e-4)


def test_context_and_capacity(tmp_path: Path) -> None:
    _save(CONFIGS["gpt2"], tmp_path / "gpt2")
    model = TransformersModel(tmp_path / "gpt2")
    assert model.context_length == 128
    assert model.new_cache(1000).capacity == 128
    assert model.new_cache(10).capacity == 10
    _save(CONFIGS["bloom"], tmp_path / "bloom")
    assert TransformersModel(tmp_path / "bloom").context_length == 2048


def test_half_precision_becomes_float32(tmp_path: Path) -> None:
    _save(CONFIGS["gpt2"], tmp_path)
    path = tmp_path / "model.safetensors"
    halves = {name: weight.to(torch.bfloat16) for name, weight in load_file(path).items()}
    save_file(halves, path, metadata={"format": "pt"})
    model = TransformersModel(tmp_path)
    assert model.forward(PROMPT, model.new_cache(64)).dtype == torch.float32


def test_the_log_says_that_it_is_slower(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _save(CONFIGS["gpt2"], tmp_path / "small-model")
    with caplog.at_level(logging.WARNING, logger="engine.fallback"):
        TransformersModel(tmp_path / "small-model")
    assert "small-model runs through transformers as GPT2LMHeadModel: slower" in caplog.text


def test_a_recurrent_state_is_refused(tmp_path: Path) -> None:
    _save(MambaConfig(vocab_size=97, hidden_size=32, num_hidden_layers=2), tmp_path)
    with pytest.raises(UnsupportedModel, match="recurrent state"):
        TransformersModel(tmp_path)


def test_missing_weights_are_not_made_up(tmp_path: Path) -> None:
    _save(CONFIGS["gpt2"], tmp_path)
    path = tmp_path / "model.safetensors"
    weights = load_file(path)
    del weights["transformer.h.1.mlp.c_fc.weight"]
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(ModelDamaged, match=r"lacks 1 tensors, such as transformer\.h\.1\.mlp"):
        TransformersModel(tmp_path)


CODE = "from pathlib import Path\nPath(__file__).with_name('owned').touch()\n"
REMOTE_CODE = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}


@pytest.mark.parametrize(
    ("change", "loads"),
    [
        ({"auto_map": REMOTE_CODE}, True),  # transformers has its own class: the folder's is unused
        ({"auto_map": REMOTE_CODE, "model_type": "evil"}, False),
        ({"model_type": "evil"}, False),
        ({"_attn_implementation": "someone/kernel"}, True),
        ({"_experts_implementation": "someone/kernel"}, True),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, False),
    ],
)
def test_nothing_in_the_folder_runs(change: dict[str, Any], loads: bool, tmp_path: Path) -> None:
    _save(CONFIGS["gpt2"], tmp_path)
    (tmp_path / "evil.py").write_text(CODE)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | change))
    if loads:
        TransformersModel(tmp_path)
    else:
        with pytest.raises(UnsupportedModel, match="neither Caret nor transformers"):
            TransformersModel(tmp_path)
    assert not (tmp_path / "owned").exists()


def test_pickles_are_not_loaded(tmp_path: Path) -> None:
    model = _save(CONFIGS["gpt2"], tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(UnsupportedModel, match="safetensors"):
        TransformersModel(tmp_path)


def test_the_user_is_told_that_it_is_slow(tmp_path: Path) -> None:
    _save(CONFIGS["mistral-with-a-window"], tmp_path)
    alphabet = {char: i for i, char in enumerate(sorted(ByteLevel.alphabet())[:97])}
    model = {"type": "BPE", "vocab": alphabet, "merges": []}
    cuts = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    file = json.dumps({"model": model, "pre_tokenizer": cuts})
    (tmp_path / "tokenizer.json").write_text(file)
    runtime = Runtime.load(find(str(tmp_path)), tmp_path, lambda *_: None, 1 << 20)
    assert "float32" in runtime.note
