"""Folders whose configuration says otherwise of their head or layers than their weights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

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
)

from engine.checkpoint import open_checkpoint
from engine.errors import ModelDamaged

if TYPE_CHECKING:
    from pathlib import Path

SIZES: dict[str, Any] = {
    "vocab_size": 97,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
}


def _random(model: Any) -> Any:
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    return model


def test_the_head_is_the_embedding_where_there_is_none(tmp_path: Path) -> None:
    """Fine-tuned folders say `tie_word_embeddings: false`, and were saved without a head."""
    model = _random(Qwen2ForCausalLM(Qwen2Config(**SIZES)))
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    assert json.loads((tmp_path / "config.json").read_text())["tie_word_embeddings"] is False
    table = weights["model.embed_tokens.weight"]
    for head, tied in ((None, True), (table.clone(), False), (table + 1, False)):
        kept = {k: v for k, v in weights.items() if k != "lm_head.weight"}
        given = {} if head is None else {"lm_head.weight": head}
        save_file(kept | given, tmp_path / "model.safetensors")
        checkpoint = open_checkpoint(tmp_path)
        assert checkpoint.config is not None
        assert checkpoint.config.tied_embeddings is tied
        assert ("lm_head.weight" in checkpoint.source.names()) is not tied


def test_a_head_of_its_own_counts_though_the_configuration_says_tied(tmp_path: Path) -> None:
    model = _random(LlamaForCausalLM(LlamaConfig(**SIZES, tie_word_embeddings=True)))
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    table = weights["model.embed_tokens.weight"]
    for head, tied in ((table.clone(), True), (table + 1, False)):
        save_file(weights | {"lm_head.weight": head}, tmp_path / "model.safetensors")
        checkpoint = open_checkpoint(tmp_path)
        assert checkpoint.config is not None
        assert checkpoint.config.tied_embeddings is tied
        theirs = LlamaForCausalLM.from_pretrained(tmp_path).lm_head.weight
        assert theirs.equal(head), "as transformers has it"


def test_a_false_number_of_layers_is_not_left_to_transformers(tmp_path: Path) -> None:
    MistralForCausalLM(MistralConfig(**SIZES)).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 10**9}))
    with pytest.raises(ModelDamaged, match="1000000000 layers"):
        open_checkpoint(tmp_path)
