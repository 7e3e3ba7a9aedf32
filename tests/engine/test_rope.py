"""Stretched rotary embeddings, against transformers and as llama.cpp reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gguf
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from engine.checkpoint import open_checkpoint
from engine.config import DecoderConfig
from engine.decoder import Rotary
from engine.errors import ModelDamaged, UnsupportedModel
from engine.load import build_decoder
from engine.rope import from_gguf, from_hf
from quant.formats import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

SIZES: dict[str, Any] = {
    "vocab_size": 97,
    "hidden_size": 128,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 4096,
}
YARN = {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0}
ROPES: dict[str, dict[str, Any]] = {
    "yarn": YARN | {"original_max_position_embeddings": 1024},
    "yarn-like-qwens-readme": {"type": "yarn", "factor": 4.0, "rope_theta": 1e6}
    | {"original_max_position_embeddings": 32768},
    "yarn-with-all": YARN
    | {"original_max_position_embeddings": 512, "beta_fast": 16.0, "beta_slow": 2.0}
    | {"attention_factor": 1.7, "truncate": False},
    "yarn-with-mscale": YARN
    | {"original_max_position_embeddings": 512, "mscale": 0.7, "mscale_all_dim": 0.4},
    "llama3": {
        "rope_type": "llama3",
        "rope_theta": 500000.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 1024,
    },
    "linear": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0},
}


@pytest.mark.parametrize("name", ROPES)
def test_frequencies_are_those_of_transformers(name: str) -> None:
    theirs = LlamaConfig(**SIZES, rope_parameters=dict(ROPES[name]))
    frequency, gain = ROPE_INIT_FUNCTIONS[theirs.rope_parameters["rope_type"]](theirs, "cpu")
    config = DecoderConfig.from_hf(theirs.to_dict() | {"architectures": ["LlamaForCausalLM"]})
    assert config is not None
    rotary = Rotary(config)
    torch.testing.assert_close(rotary.frequency / rotary.scale, frequency, rtol=2e-6, atol=0)
    assert rotary.gain == pytest.approx(gain, rel=1e-6)


@pytest.mark.parametrize("name", ROPES)
@pytest.mark.parametrize("kind", ["llama", "qwen2"])
def test_logits_equal_those_of_transformers(kind: str, name: str, tmp_path: Path) -> None:
    torch.manual_seed(3)
    model: Any
    if kind == "llama":
        model = LlamaForCausalLM(LlamaConfig(**SIZES, rope_parameters=dict(ROPES[name]))).eval()
    else:
        model = Qwen2ForCausalLM(Qwen2Config(**SIZES, rope_parameters=dict(ROPES[name]))).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    model.save_pretrained(tmp_path)
    checkpoint = open_checkpoint(tmp_path)
    assert checkpoint.config is not None
    tokens = torch.arange(300) * 7 % 97
    expected = model(tokens[None]).logits[0, -3:].detach()
    floats = build_decoder(
        checkpoint.config, checkpoint.source, FORMATS["float32"], lambda *_: None
    )
    ours = floats.forward(tokens, floats.new_cache(400), 3)
    torch.testing.assert_close(ours, expected, rtol=2e-3, atol=2e-4)
    packed = build_decoder(checkpoint.config, checkpoint.source, FORMATS["int8"], lambda *_: None)
    assert packed.compiled is not None
    in_c = packed.forward(tokens, packed.new_cache(400), 3)
    assert ((in_c - expected).norm(dim=1) < 0.06 * expected.norm(dim=1)).all()


def test_gguf_says_yarn_in_its_own_words() -> None:
    """The keys that llama.cpp's converter writes, and their defaults."""
    hf = {"rope_parameters": ROPES["yarn"], "max_position_embeddings": 4096}
    values = {
        "rope.freq_base": 1e4,
        "rope.scaling.type": "yarn",
        "rope.scaling.factor": 4.0,
        "rope.scaling.original_context_length": 1024,
    }
    assert from_gguf(values, 64, 4096) == from_hf(hf, 64, 4096)
    assert from_gguf({"rope.scaling.type": "yarn"}, 64, 4096) is not None
    assert from_gguf({"rope.scaling.type": "longrope"}, 64, 4096) is None
    assert from_gguf({"rope.scaling.type": ["yarn"]}, 64, 4096) is None


def test_what_somebody_added_to_a_configuration_counts() -> None:
    """The result is that of transformers, except for the base, which they would reset."""
    saved = {"rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}
    added = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 1024}
    rope = from_hf(saved | {"rope_scaling": added}, 64, 4096)
    assert rope is not None
    assert rope == from_hf({"rope_theta": 1e6, "rope_scaling": added}, 64, 4096)
    assert (rope.base, len(rope.divisors)) == (1e6, 32)
    assert from_hf(saved | {"rope_scaling": "yarn"}, 64, 4096) is None


def _llama_file(path: Path, divisors: int, *more: str) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(2)
    writer.add_layer_norm_rms_eps(1e-5)
    shapes = {"token_embd": (20, 32), "output_norm": (32,), "blk.0.attn_norm": (32,)}
    shapes |= {f"blk.0.{name}": (32, 32) for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
    shapes |= {f"blk.0.{name}": (32, 32) for name in ("ffn_gate", "ffn_up", "ffn_down")}
    for name, shape in (shapes | {"blk.0.ffn_norm": (32,)}).items():
        writer.add_tensor(f"{name}.weight", torch.ones(shape).numpy())
    for name in more:
        writer.add_tensor(name, torch.ones(16).numpy())
    writer.add_tensor("rope_freqs.weight", torch.arange(1, divisors + 1).float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_gguf_holds_llama_3s_divisors_as_a_tensor(tmp_path: Path) -> None:
    _llama_file(tmp_path / "a.gguf", 8)
    config = open_checkpoint(tmp_path / "a.gguf").config
    assert config is not None
    assert config.rope_divisors == (1, 2, 3, 4, 5, 6, 7, 8)
    _llama_file(tmp_path / "b.gguf", 7)
    with pytest.raises(ModelDamaged, match="7 divisors"):
        open_checkpoint(tmp_path / "b.gguf")


@pytest.mark.parametrize("name", ["blk.0.attn_q_norm.weight", "blk.1.attn_q.weight"])
def test_a_gguf_with_more_tensors_than_the_decoder_reads_is_refused(
    tmp_path: Path, name: str
) -> None:
    """llama.cpp refuses such a file, too: without the tensors the model would write nonsense."""
    _llama_file(tmp_path / "a.gguf", 8, name)
    with pytest.raises(UnsupportedModel, match=f"has a tensor {name}, which Caret's decoder lacks"):
        open_checkpoint(tmp_path / "a.gguf")
