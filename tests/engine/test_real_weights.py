"""Published weights: our greedy tokens are those of transformers, and packed weights stay close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
import transformers

from engine.checkpoint import open_checkpoint
from engine.load import build_decoder
from engine.packing import pack
from engine.slots import Slot
from engine.speculation import Experience, Speculation
from engine.tokenizers import open_tokenizer
from quant.formats import FORMATS
from quant.k_quants import KQuantLinear
from quant.packed import PackedLinear
from tests.greedy import our_tokens, their_tokens

if TYPE_CHECKING:
    from pathlib import Path

    from engine.decoder import Decoder
    from engine.generate import Drafter

CODE = '''def quicksort(numbers: list[int]) -> list[int]:
    """Sort numbers in ascending order."""
    if len(numbers) <= 1:
        return numbers
    pivot = numbers[len(numbers) // 2]
'''


@pytest.fixture(scope="module")
def exact(qwen_small_path: Path) -> Decoder:
    """With all values of the file."""
    return _decoder(qwen_small_path, "float32")


def _decoder(path: Path, fmt: str) -> Decoder:
    checkpoint = open_checkpoint(path)
    assert checkpoint.config is not None
    return build_decoder(checkpoint.config, checkpoint.source, FORMATS[fmt], lambda *_: None)


def _greedy(
    model: Decoder, prompt: list[int], count: int, drafter: Drafter | None = None
) -> list[int]:
    return our_tokens(model, Slot(model.new_cache(512)), prompt, count, drafter)


@pytest.mark.filterwarnings("default")  # transformers' own GGUF reader warns
def test_smollm2_equals_transformers_reading_the_same_file(smollm2_path: Path) -> None:
    reference = transformers.AutoModelForCausalLM.from_pretrained(
        smollm2_path.parent, gguf_file=smollm2_path.name, dtype=torch.float32
    ).eval()
    prompt = open_tokenizer(smollm2_path).encode(CODE)
    ours = _greedy(_decoder(smollm2_path, "float32"), prompt, 32)
    assert ours == their_tokens(reference, prompt, 32)


def test_qwen_equals_transformers_own_class(qwen_small_path: Path, exact: Decoder) -> None:
    checkpoint = open_checkpoint(qwen_small_path)
    assert checkpoint.config is not None
    config = transformers.Qwen2Config(
        vocab_size=checkpoint.config.vocab_size,
        hidden_size=checkpoint.config.hidden_size,
        intermediate_size=checkpoint.config.intermediate_size,
        num_hidden_layers=checkpoint.config.layers,
        num_attention_heads=checkpoint.config.heads,
        num_key_value_heads=checkpoint.config.kv_heads,
        rms_norm_eps=checkpoint.config.norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": checkpoint.config.rope_base},
        tie_word_embeddings=checkpoint.config.tied_embeddings,
    )
    with torch.device("meta"):
        reference = transformers.Qwen2ForCausalLM(config)
    weights = {name: checkpoint.source.load(name) for name in checkpoint.source.names()}
    reference.load_state_dict(weights, strict=True, assign=True)
    # buffers that no file holds
    reference.model.rotary_emb = type(reference.model.rotary_emb)(config)
    prompt = open_tokenizer(qwen_small_path).encode(CODE)
    ours = _greedy(exact, prompt, 32)
    assert ours == their_tokens(reference.eval(), prompt, 32)


def test_drafts_hold_in_float32_too(smollm2_path: Path) -> None:
    """Whatever is drafted: right tokens, tokens with mistakes, other text."""
    model, tokenizer = _decoder(smollm2_path, "float32"), open_tokenizer(smollm2_path)
    prompt = tokenizer.encode(CODE)
    plain = _greedy(model, prompt, 48)
    experience = Experience()
    for known in ([], prompt + plain, prompt + [t + i % 5 // 4 for i, t in enumerate(plain)]):
        experience.reference.begin(known)
        drafter = Speculation(experience, prompt, 48)
        assert _greedy(model, prompt, 48, drafter) == plain


def test_native_matrices_are_stacked_by_the_type_that_the_file_has(qwen_small_path: Path) -> None:
    """And those of Q4_K and Q6_K are the file's to the last bit."""
    checkpoint = open_checkpoint(qwen_small_path)
    exact, kept = checkpoint.source, 0
    assert checkpoint.config is not None
    for name, module in pack(checkpoint.config, exact, FORMATS["native"], lambda *_: None):
        if name.endswith(".down") and isinstance(module, KQuantLinear):
            layer = name.split(".")[1]
            weight = exact.load(f"model.layers.{layer}.mlp.down_proj.weight")
            assert module.dequantized().equal(weight)
            kept += 1
        if name == "blocks.3.qkv.1":
            assert isinstance(module, PackedLinear)
            values = exact.load("model.layers.3.self_attn.v_proj.weight")
            torch.testing.assert_close(module.dequantized(), values, rtol=0.01, atol=1e-4)
            kept += 1
    assert kept > 1


@pytest.mark.parametrize("fmt", ["int8", "native"])
def test_packed_weights_agree_with_float32_on_code(
    qwen_small_path: Path, exact: Decoder, fmt: str
) -> None:
    packed = _decoder(qwen_small_path, fmt)
    tokens = torch.tensor(open_tokenizer(qwen_small_path).encode(CODE))
    head, tail = tokens[:30], tokens[30:]
    expected = exact.forward(tokens, exact.new_cache(256), last=len(tail)).log_softmax(-1)
    cache = packed.new_cache(256)
    packed.forward(head, cache)
    divergence, agree = [], []
    for token, p in zip(torch.split(tail, 1), expected, strict=True):
        q = packed.forward(token, cache)[0].log_softmax(-1)
        divergence.append((p.exp() * (p - q)).sum().item())
        agree.append(bool(p.argmax() == q.argmax()))
    assert sorted(divergence)[len(divergence) // 2] < 0.02
    assert sum(agree) / len(agree) > 0.9
