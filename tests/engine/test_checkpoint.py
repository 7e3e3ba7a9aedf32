"""Checkpoints: one set of names over safetensors and GGUF, and folders that hold neither."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import gguf
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Starcoder2Config,
    Starcoder2ForCausalLM,
)

from engine.checkpoint import Checkpoint, open_checkpoint
from engine.errors import ModelDamaged, ModelMissing, UnsupportedModel
from quant.gguf_dequant import dequantize

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

SIZES: dict[str, Any] = {
    "vocab_size": 97,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
}
MODELS: dict[str, Any] = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES, head_dim=32)),
    "llama-biased": lambda: LlamaForCausalLM(
        LlamaConfig(**SIZES, attention_bias=True, mlp_bias=True, tie_word_embeddings=True)
    ),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SIZES)),
    "starcoder2": lambda: Starcoder2ForCausalLM(Starcoder2Config(**SIZES)),
}


def _model(name: str) -> Any:
    torch.manual_seed(1)
    model = MODELS[name]()
    for parameter in model.parameters():  # biases and norms start as constants
        torch.nn.init.normal_(parameter)
    return model


def _weights(model: Any) -> dict[str, Tensor]:
    """The state dict as a file holds it: without the head where it is the embedding."""
    tied = {"lm_head.weight"} if model.config.tie_word_embeddings else set()
    return {name: value for name, value in model.state_dict().items() if name not in tied}


def _assert_same(checkpoint: Checkpoint, weights: dict[str, Tensor]) -> None:
    assert set(checkpoint.source.names()) == set(weights)
    for name, expected in weights.items():
        assert checkpoint.source.shape(name) == tuple(expected.shape)
        loaded = checkpoint.source.load(name)
        assert loaded.is_contiguous()
        assert torch.equal(loaded, expected), name


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("shard_size", ["1GB", "40KB"])
def test_saved_folders(name: str, shard_size: str, tmp_path: Path) -> None:
    model = _model(name)
    model.save_pretrained(tmp_path, max_shard_size=shard_size)
    assert (len(list(tmp_path.glob("*.safetensors"))) > 1) == (shard_size == "40KB")
    checkpoint = open_checkpoint(tmp_path)
    assert checkpoint.path == tmp_path
    assert checkpoint.config is not None
    assert checkpoint.config.architecture == model.config.model_type
    assert checkpoint.hf_config == json.loads((tmp_path / "config.json").read_text())
    _assert_same(checkpoint, _weights(model))


def _interleaved(rows: Tensor, heads: int) -> Tensor:
    """`LlamaModel.permute` of llama.cpp's convert_hf_to_gguf.py."""
    halves = rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def _write_gguf(path: Path, model: Any, **extra: Any) -> None:
    """As llama.cpp's converter writes the model; names are those of the gguf package's own map."""
    config = model.config
    kind = config.model_type
    writer = gguf.GGUFWriter(path, kind)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    if kind == "starcoder2":
        writer.add_layer_norm_eps(config.norm_epsilon)
    else:
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if kind == "llama":
        writer.add_key_length(config.head_dim)
    for key, value in extra.items():
        writer.add_uint32(key.replace("__", "."), value)
    writer.add_chat_template("{{ messages }}")
    architecture = {name: arch for arch, name in gguf.MODEL_ARCH_NAMES.items()}[kind]
    names = gguf.get_tensor_name_map(architecture, config.num_hidden_layers)
    for name, weight in _weights(model).items():
        stored = weight
        if kind == "llama" and "q_proj" in name:
            stored = _interleaved(weight, config.num_attention_heads)
        if kind == "llama" and "k_proj" in name:
            stored = _interleaved(weight, config.num_key_value_heads)
        own = names.get_name(name, try_suffixes=(".weight", ".bias"))
        writer.add_tensor(own, stored.contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.parametrize("name", MODELS)
def test_gguf_reads_back_under_the_names_and_in_the_order_of_hugging_face(
    name: str, tmp_path: Path
) -> None:
    model = _model(name)
    model.save_pretrained(tmp_path / "folder")
    path = tmp_path / "model.gguf"
    _write_gguf(path, model)
    checkpoint = open_checkpoint(path)
    assert checkpoint.hf_config is None
    assert checkpoint.chat_template == "{{ messages }}"
    _assert_same(checkpoint, _weights(model))
    saved = open_checkpoint(tmp_path / "folder").config
    assert checkpoint.config is not None
    assert saved is not None
    assert checkpoint.config.norm_eps == pytest.approx(saved.norm_eps)  # float32 in GGUF
    assert checkpoint.config == dataclasses.replace(saved, norm_eps=checkpoint.config.norm_eps)


def test_a_folder_of_one_gguf_is_that_file(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    _write_gguf(path, _model("qwen2"))
    assert open_checkpoint(tmp_path).path == path
    (tmp_path / "other.gguf").write_bytes(b"")
    with pytest.raises(UnsupportedModel, match=r"several.*model\.gguf, other\.gguf.*Name one"):
        open_checkpoint(tmp_path)


def test_a_real_gguf(smollm2_path: Path) -> None:
    checkpoint = open_checkpoint(smollm2_path)
    assert checkpoint.config is not None
    assert (checkpoint.config.architecture, checkpoint.config.vocab_size) == ("llama", 49152)
    assert len(checkpoint.source.names()) == 272
    assert checkpoint.source.load("model.layers.29.self_attn.k_proj.weight").shape == (192, 576)
    assert checkpoint.chat_template is not None


def test_what_a_file_stores_is_what_it_loads(smollm2_path: Path) -> None:
    """Queries and keys with their rows in order; a folder stores nothing."""
    source = open_checkpoint(smollm2_path).source
    for name in ("self_attn.q_proj", "self_attn.v_proj", "mlp.down_proj"):
        stored = source.stored(f"model.layers.3.{name}.weight")
        assert stored is not None
        loaded = source.load(f"model.layers.3.{name}.weight")
        assert dequantize(stored.raw.contiguous(), stored.kind).equal(loaded)


def test_another_architecture_is_left_to_transformers(tmp_path: Path) -> None:
    MistralForCausalLM(MistralConfig(**SIZES)).save_pretrained(tmp_path)
    checkpoint = open_checkpoint(tmp_path)
    assert checkpoint.config is None
    assert checkpoint.hf_config is not None
    assert checkpoint.hf_config["model_type"] == "mistral"


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("chat_template.jinja", "{{ a }}", "{{ a }}"),
        ("tokenizer_config.json", '{"chat_template": "{{ b }}"}', "{{ b }}"),
        (
            "tokenizer_config.json",
            '{"chat_template": [{"name": "x"}, {"name": "default", "template": "c"}]}',
            "c",
        ),
        ("tokenizer_config.json", "{}", None),
    ],
)
def test_chat_template(file: str, text: str, expected: str | None, tmp_path: Path) -> None:
    _model("llama").save_pretrained(tmp_path)
    (tmp_path / file).write_text(text)
    assert open_checkpoint(tmp_path).chat_template == expected


def test_a_missing_path_and_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="does not exist"):
        open_checkpoint(tmp_path / "absent.gguf")
    with pytest.raises(ModelMissing, match="holds no model"):
        open_checkpoint(tmp_path)


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    pickled = tmp_path / "pytorch_model.bin"
    pickled.write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    with pytest.raises(UnsupportedModel, match=r"pickles.*safetensors or GGUF"):
        open_checkpoint(tmp_path)
    with pytest.raises(UnsupportedModel, match="Name its folder"):
        open_checkpoint(pickled)


def test_truncated_files_are_damaged(tmp_path: Path) -> None:
    path, folder = tmp_path / "model.gguf", tmp_path / "folder"
    _write_gguf(path, _model("llama"))
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(ModelDamaged, match=r"model\.gguf is truncated.*Download the model again"):
        open_checkpoint(path)
    _model("llama").save_pretrained(folder)
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-4000])
    with pytest.raises(ModelDamaged, match="Download the model again"):
        open_checkpoint(folder)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("num_hidden_layers", 3, r"lacks the tensor model\.layers\.2\."),
        ("num_hidden_layers", 2**31 - 1, r"lacks the tensor model\.layers\.2\."),
        ("vocab_size", 96, r"embed_tokens\.weight of shape \(97, 64\).*\(96, 64\)"),
        ("intermediate_size", 2**30, r"of shape \(96, 64\)"),
        ("hidden_size", "x", "hidden_size = 'x'"),
    ],
)
def test_a_config_that_its_tensors_contradict(
    key: str, value: object, said: str, tmp_path: Path
) -> None:
    _model("llama").save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {key: value}))
    with pytest.raises(ModelDamaged, match=said):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_a_config_that_is_no_json_object(text: str, tmp_path: Path) -> None:
    _model("llama").save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ModelDamaged, match=r"config\.json .*JSON.*Download the model again"):
        open_checkpoint(tmp_path)


def test_a_part_of_a_split_gguf_says_how_to_join(tmp_path: Path) -> None:
    path = tmp_path / "model-00001-of-00002.gguf"
    _write_gguf(path, _model("llama"), split__count=2)
    with pytest.raises(UnsupportedModel, match="llama-gguf-split --merge"):
        open_checkpoint(path)
    _write_gguf(path, _model("llama"), split__count=0)  # as the join leaves it
    assert open_checkpoint(path).config is not None


def test_tensors_of_an_unknown_type_are_unsupported(tmp_path: Path) -> None:
    _model("llama").save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    weights["model.norm.weight"] = weights["model.norm.weight"].to(torch.float8_e4m3fn)
    save_file(weights, tmp_path / "model.safetensors")
    checkpoint = open_checkpoint(tmp_path)
    with pytest.raises(UnsupportedModel, match=r"F8_E4M3.*Choose another file"):
        checkpoint.source.load("model.norm.weight")


def test_opening_imports_no_transformers() -> None:
    code = "import sys, engine.checkpoint, engine.fallback; print('transformers' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
