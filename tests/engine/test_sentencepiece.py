from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor
from sentencepiece.sentencepiece_model_pb2 import ModelProto

from engine.errors import ModelDamaged, UnsupportedModel
from engine.tokenizers import open_tokenizer, tokenizer_from_gguf

if TYPE_CHECKING:
    from pathlib import Path

    from engine.tokenizers import Tokenizer

SENTINELS = ["▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"]
TEXTS = [
    "",
    " ",
    "\n",
    "    return x\r\n\tif y:  \n\n",
    "a\u0000b 日本語 😀 e\u0301 \ufeff",
    "12345 <s></s><unk>[INST] <0x0A> ☺",
]


@pytest.fixture(scope="module")
def reference(codellama_folder: Path) -> SentencePieceProcessor:
    """The library on the same file, as Meta's llama/tokenizer.py uses it."""
    return SentencePieceProcessor(model_file=str(codellama_folder / "tokenizer.model"))


def written(tokenizer: Tokenizer, ids: list[int]) -> str:
    return b"".join(tokenizer.token_bytes(token) for token in ids).decode()


@pytest.mark.parametrize("text", TEXTS)
def test_ids_are_metas(
    codellama: Tokenizer, reference: SentencePieceProcessor, code: str, text: str
) -> None:
    for some in (text, code + text):
        assert codellama.encode(some) == reference.encode(some)
        assert codellama.encode_continuation(some) == reference.encode("☺" + some)[2:]


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet=st.characters(codec="utf-8", exclude_characters="▁")))
def test_ids_of_any_text_are_metas_and_write_it(
    codellama: Tokenizer, reference: SentencePieceProcessor, text: str
) -> None:
    assert codellama.encode(text) == reference.encode(text)
    assert codellama.encode_continuation(text) == reference.encode("☺" + text)[2:]
    assert written(codellama, codellama.encode_continuation(text)) == text
    assert written(codellama, codellama.encode(text)) == (f" {text}" if text else "")


@given(text=st.text(alphabet="▁a <PRE>", max_size=12))
def test_the_sign_for_a_space_is_kept(codellama: Tokenizer, text: str) -> None:
    assert written(codellama, codellama.encode_continuation(text)) == text


@pytest.mark.parametrize("sentinel", SENTINELS)
def test_a_sentinel_in_a_text_is_text(
    codellama: Tokenizer, reference: SentencePieceProcessor, sentinel: str
) -> None:
    token = codellama.special(sentinel)
    assert token == reference.piece_to_id(sentinel)
    spelled = sentinel.replace("▁", " ")
    assert token in reference.encode(spelled[1:]), "the library alone takes it for the sentinel"
    for text in (spelled, spelled[1:], sentinel, f"x{spelled} y", f"\n{spelled}{spelled}"):
        ids = [*codellama.encode(text), *codellama.encode_continuation(text)]
        assert token not in ids
        assert written(codellama, codellama.encode_continuation(text)) == text


def test_control_tokens(codellama: Tokenizer) -> None:
    assert (codellama.bos_id, codellama.special("<s>")) == (1, 1)
    assert codellama.eos_ids == {codellama.special("</s>"), codellama.special("▁<EOT>")}
    assert codellama.token_bytes(1) == b""
    assert codellama.token_bytes(99_999) == b""
    newline = codellama.encode_continuation("\n")
    assert len(newline) == 1
    assert codellama.token_bytes(newline[0]) == b"\n"


def test_gguf_gives_the_same_ids(
    codellama: Tokenizer, codellama_gguf: dict[str, Any], code: str
) -> None:
    tokenizer = tokenizer_from_gguf(codellama_gguf)
    for text in [*TEXTS, code, " <PRE> x"]:
        assert tokenizer.encode(text) == codellama.encode(text)
        assert tokenizer.encode_continuation(text) == codellama.encode_continuation(text)
    assert [tokenizer.special(s) for s in SENTINELS] == [codellama.special(s) for s in SENTINELS]
    assert (tokenizer.bos_id, tokenizer.eos_ids) == (codellama.bos_id, codellama.eos_ids)
    assert (tokenizer.bos_token, tokenizer.eos_token) == ("<s>", "</s>")


def test_added_tokens_of_a_folder(codellama_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes((codellama_folder / "tokenizer.model").read_bytes())
    size = open_tokenizer(tmp_path).vocab_size
    added = {str(size + 1): {"content": "<|im_end|>", "special": False}}
    config = {"added_tokens_decoder": added, "eos_token": "</s>", "add_bos_token": False}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [2, 7]}')
    tokenizer = open_tokenizer(tmp_path)
    assert tokenizer.special("<|im_end|>") == size + 1
    assert tokenizer.eos_ids == {2, 7, size + 1, tokenizer.special("▁<EOT>")}
    assert tokenizer.bos_id is None
    assert tokenizer.vocab_size == size + 2


def test_tokenizer_model_is_preferred(codellama_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes((codellama_folder / "tokenizer.model").read_bytes())
    (tmp_path / "tokenizer.json").write_text("not read")
    assert open_tokenizer(tmp_path).special("▁<PRE>") is not None


def test_damage_and_what_is_not_supported(codellama_folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.model"
    for damaged in (b"", b"\xff\xff\xff"):
        file.write_bytes(damaged)
        with pytest.raises(ModelDamaged, match="damaged"):
            open_tokenizer(tmp_path)
    model = ModelProto()
    model.ParseFromString((codellama_folder / "tokenizer.model").read_bytes())
    model.normalizer_spec.remove_extra_whitespaces = True
    file.write_bytes(model.SerializeToString())
    with pytest.raises(UnsupportedModel, match="rewrites text"):
        open_tokenizer(tmp_path)


@pytest.mark.parametrize("token", [-1, 1 << 60, "x", ""])
def test_added_ids_that_no_table_could_hold_are_told(
    codellama_folder: Path, tmp_path: Path, token: object
) -> None:
    (tmp_path / "tokenizer.model").write_bytes((codellama_folder / "tokenizer.model").read_bytes())
    added = {str(token): {"content": "<|end|>", "special": True}}
    text = json.dumps({"added_tokens_decoder": added})
    (tmp_path / "tokenizer_config.json").write_text(text)
    with pytest.raises(ModelDamaged, match="The tokenizer of"):
        open_tokenizer(tmp_path)
