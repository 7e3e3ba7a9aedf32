"""DecoderConfig from what transformers writes and from GGUF metadata."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from transformers import LlamaConfig, Qwen2Config, Starcoder2Config

from engine.config import DecoderConfig
from engine.errors import ModelDamaged, UnsupportedModel

SIZES: dict[str, Any] = {
    "vocab_size": 97,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
}


def _llama(**values: Any) -> dict[str, Any]:
    """What config.json of a saved Llama holds."""
    config = LlamaConfig(**SIZES, architectures=["LlamaForCausalLM"], **values)
    return dict(config.to_dict())


def _qwen2(**values: Any) -> dict[str, Any]:
    config = Qwen2Config(**SIZES, architectures=["Qwen2ForCausalLM"], **values)
    return dict(config.to_dict())


def _starcoder2(**values: Any) -> dict[str, Any]:
    config = Starcoder2Config(**SIZES, architectures=["Starcoder2ForCausalLM"], **values)
    return dict(config.to_dict())


LLAMA = DecoderConfig(
    architecture="llama",
    vocab_size=97,
    hidden_size=64,
    intermediate_size=96,
    layers=3,
    heads=4,
    kv_heads=2,
    head_dim=16,
    context_length=128,
    rope_base=10000.0,
    norm="rms",
    norm_eps=1e-6,
    activation="swiglu",
    qkv_bias=False,
    out_bias=False,
    mlp_bias=False,
    tied_embeddings=False,
)
QWEN2 = dataclasses.replace(LLAMA, architecture="qwen2", qkv_bias=True)
STARCODER2 = dataclasses.replace(
    LLAMA,
    architecture="starcoder2",
    norm="layer",
    norm_eps=1e-5,
    activation="gelu_tanh",
    qkv_bias=True,
    out_bias=True,
    mlp_bias=True,
    tied_embeddings=True,
)
LINEAR = {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e5}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (_llama(), LLAMA),
        (_llama(head_dim=32), dataclasses.replace(LLAMA, head_dim=32)),
        (_llama(tie_word_embeddings=True), dataclasses.replace(LLAMA, tied_embeddings=True)),
        (
            _llama(attention_bias=True, mlp_bias=True),
            dataclasses.replace(LLAMA, qkv_bias=True, out_bias=True, mlp_bias=True),
        ),
        (
            _llama(rope_parameters=LINEAR),
            dataclasses.replace(LLAMA, rope_base=1e5, rope_scale=4.0),
        ),
        (_qwen2(), QWEN2),
        (_starcoder2(), STARCODER2),
        (
            _starcoder2(use_bias=False, sliding_window=32, tie_word_embeddings=False),
            dataclasses.replace(
                STARCODER2,
                qkv_bias=False,
                out_bias=False,
                mlp_bias=False,
                context_length=32,
                tied_embeddings=False,
            ),
        ),
    ],
)
def test_what_transformers_writes(given: dict[str, Any], expected: DecoderConfig) -> None:
    assert DecoderConfig.from_hf(given) == expected


OLD = {key: value for key, value in _llama().items() if key != "rope_parameters"}
DEEPSEEK_CODER = {"rope_theta": 100000, "rope_scaling": {"type": "linear", "factor": 4.0}}


def test_files_of_older_transformers() -> None:
    expected = dataclasses.replace(LLAMA, rope_base=1e5, rope_scale=4.0)
    assert DecoderConfig.from_hf(OLD | DEEPSEEK_CODER) == expected
    code_llama = {"rope_theta": 1000000, "rope_scaling": None, "head_dim": None}
    assert DecoderConfig.from_hf(OLD | code_llama) == dataclasses.replace(LLAMA, rope_base=1e6)
    oldest = {key: OLD[key] for key in OLD if key not in ("num_key_value_heads", "head_dim")}
    assert DecoderConfig.from_hf(oldest) == dataclasses.replace(LLAMA, kv_heads=4)


def test_starcoder2_is_tied_where_the_file_is_silent() -> None:
    silent = _starcoder2()
    del silent["tie_word_embeddings"]
    assert DecoderConfig.from_hf(silent) == STARCODER2


@pytest.mark.parametrize(
    "given",
    [
        {},
        _llama() | {"architectures": ["MistralForCausalLM"]},
        _llama() | {"architectures": ["LlamaForSequenceClassification"]},
        _llama() | {"architectures": ["New"], "rope_theta": {"local": 1e4}},
        _llama() | {"architectures": []},
        _llama() | {"architectures": "LlamaForCausalLM"},
        _llama(hidden_act="gelu"),
        _llama() | {"quantization_config": {"quant_method": "gptq"}},
        _llama() | {"partial_rotary_factor": 0.5},
        _llama() | {"rope_parameters": {"full_attention": {"rope_type": "default"}}},
        _llama() | {"rope_parameters": "linear"},
        OLD | {"rope_scaling": {"type": "dynamic", "factor": 4.0}},
        OLD | {"rope_scaling": {"type": "longrope", "factor": 4.0}},
        _qwen2(use_sliding_window=True, sliding_window=32, max_window_layers=1),
        _starcoder2(hidden_act="gelu"),
    ],
)
def test_what_only_transformers_can_run(given: dict[str, Any]) -> None:
    assert DecoderConfig.from_hf(given) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("hidden_size", None),
        ("hidden_size", "64"),
        ("num_hidden_layers", 0),
        ("num_hidden_layers", 10**30),
        ("num_hidden_layers", True),
        ("rms_norm_eps", True),
        ("num_attention_heads", 4.5),
        ("num_key_value_heads", 3),
        ("head_dim", 15),
        ("max_position_embeddings", -1),
        ("rms_norm_eps", float("nan")),
        ("rope_parameters", {"rope_type": "linear"}),
        ("rope_parameters", {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0}),
        ("rope_parameters", {"rope_type": "yarn", "factor": 0}),
        ("rope_parameters", {"rope_type": "yarn", "factor": 4.0, "rope_theta": 1.0}),
        ("rope_parameters", {"rope_type": "yarn", "factor": 4.0, "beta_fast": "x"}),
        ("rope_parameters", {"rope_type": "yarn", "original_max_position_embeddings": -1}),
        ("rope_parameters", {"rope_type": "default", "rope_theta": "x"}),
    ],
)
def test_senseless_values_are_named(key: str, value: object) -> None:
    with pytest.raises(ModelDamaged, match=r"configuration .*ownload the model again"):
        DecoderConfig.from_hf(_llama() | {key: value})


GGUF: dict[str, Any] = {
    "general.architecture": "llama",
    "llama.context_length": 128,
    "llama.embedding_length": 64,
    "llama.block_count": 3,
    "llama.feed_forward_length": 96,
    "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2,
    "llama.attention.layer_norm_rms_epsilon": 1e-6,
    "llama.rope.dimension_count": 16,
}
SHAPES: dict[str, tuple[int, ...]] = {"token_embd.weight": (97, 64), "output.weight": (97, 64)}
BIASES = {"blk.0.attn_q.bias": (64,), "blk.0.attn_output.bias": (64,), "blk.0.ffn_down.bias": (64,)}


def _gguf(architecture: str, **values: Any) -> dict[str, Any]:
    """GGUF metadata of a small model; `values` use __ for the dots of their keys."""
    base = {key.replace("llama.", f"{architecture}."): value for key, value in GGUF.items()}
    base["general.architecture"] = architecture
    return base | {f"{architecture}.{k.replace('__', '.')}": v for k, v in values.items()}


def test_gguf_llama() -> None:
    assert DecoderConfig.from_gguf(_gguf("llama"), SHAPES) == LLAMA
    tied = DecoderConfig.from_gguf(_gguf("llama"), {"token_embd.weight": (97, 64)})
    assert tied == dataclasses.replace(LLAMA, tied_embeddings=True)


def test_gguf_biases_are_told_by_the_tensors() -> None:
    qwen2 = DecoderConfig.from_gguf(_gguf("qwen2"), SHAPES | {"blk.0.attn_q.bias": (64,)})
    assert qwen2 == QWEN2
    metadata = _gguf("starcoder2", attention__layer_norm_epsilon=1e-5)
    shapes = {"token_embd.weight": (97, 64), **BIASES}
    assert DecoderConfig.from_gguf(metadata, shapes) == STARCODER2


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ({}, 1.0),
        ({"rope__scaling__type": "none", "rope__scaling__factor": 4.0}, 1.0),
        ({"rope__scaling__type": "linear", "rope__scaling__factor": 4.0}, 4.0),
        ({"rope__scaling__factor": 4.0}, 4.0),
        ({"rope__scale_linear": 2.0}, 2.0),
        ({"rope__scale_linear": 0.0}, 1.0),
    ],
)
def test_gguf_rotary_scale(values: dict[str, Any], scale: float) -> None:
    config = DecoderConfig.from_gguf(_gguf("llama", rope__freq_base=1e6, **values), SHAPES)
    assert (config.rope_base, config.rope_scale) == (1e6, scale)


def test_gguf_context_is_at_most_the_window() -> None:
    window = _gguf("llama", attention__sliding_window=32)
    assert DecoderConfig.from_gguf(window, SHAPES).context_length == 32
    none = _gguf("llama", attention__sliding_window=0)
    assert DecoderConfig.from_gguf(none, SHAPES).context_length == 128
    starcoder2 = _gguf("starcoder2", context_length=16384, attention__layer_norm_epsilon=1e-5)
    assert DecoderConfig.from_gguf(starcoder2, SHAPES).context_length == 4096


@pytest.mark.parametrize(
    ("metadata", "shapes", "said"),
    [
        ({}, SHAPES, "None"),
        (_gguf("gemma3"), SHAPES, "gemma3"),
        (_gguf("llama") | {"general.architecture": ["llama"]}, SHAPES, "llama"),
        (_gguf("llama", expert_count=8), SHAPES, "mixture of experts"),
        (_gguf("llama", rope__dimension_count=8), SHAPES, "partly rotated"),
        (_gguf("llama", rope__scaling__type="longrope"), SHAPES, "longrope"),
        (_gguf("llama"), SHAPES | {"rope_factors_long.weight": (8,)}, "frequencies"),
    ],
)
def test_gguf_variants_are_refused(
    metadata: dict[str, Any], shapes: dict[str, tuple[int, ...]], said: str
) -> None:
    with pytest.raises(UnsupportedModel, match=rf"{said}.*safetensors.*in float32"):
        DecoderConfig.from_gguf(metadata, shapes)


@pytest.mark.parametrize("key", [key for key in GGUF if "dimension" not in key and "kv" not in key])
def test_gguf_without_a_key_is_damaged_or_of_no_architecture(key: str) -> None:
    metadata = {other: value for other, value in GGUF.items() if other != key}
    with pytest.raises((ModelDamaged, UnsupportedModel)):
        DecoderConfig.from_gguf(metadata, SHAPES)
