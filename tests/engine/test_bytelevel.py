from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, trainers
from tokenizers.pre_tokenizers import ByteLevel
from transformers import Qwen2Tokenizer

from engine.errors import ModelDamaged, ModelMissing, UnsupportedModel
from engine.tokenizers import open_tokenizer, tokenizer_from_gguf
from quant.gguf import GGUFFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.tokenizers import Tokenizer as CaretTokenizer

    Metadata = Callable[..., dict[str, Any]]

TEXTS = [
    "",
    " ",
    "def f(x):\n    return x  # it's\n",
    "class A {\r\n\tint i = 12345;\r\n\r\n}\r\n",
    '<?php echo "$a[0]"; ?>\n#!/bin/bash\nfor i in *; do echo ${i%.txt}; done',
    "const f = async () => `${await g()}`;\n\n\n   \n",
    "日本語のコメント 한국어 עברית 😀👩‍👩‍👧 e\u0301 é \u0000 \ufeff \u2581 \ufffd",
    "<|fim_middle|><|im_end|><|endoftext|><tool_call>[PAD151665]<|fim_pad|>",
]


def written(tokenizer: CaretTokenizer, ids: list[int]) -> bytes:
    return b"".join(tokenizer.token_bytes(token) for token in ids)


@pytest.mark.parametrize("text", TEXTS)
def test_ids_write_the_text(qwen: CaretTokenizer, smollm2: CaretTokenizer, text: str) -> None:
    for tokenizer in (qwen, smollm2):
        assert written(tokenizer, tokenizer.encode(text)) == text.encode()
        assert tokenizer.encode_continuation(text) == tokenizer.encode(text)


@settings(max_examples=200, deadline=None)
@given(text=st.text())
def test_ids_of_any_text_write_it(qwen: CaretTokenizer, text: str) -> None:
    assert written(qwen, qwen.encode(text)) == text.encode()


def test_ids_are_those_of_qwens_own_tokenizer(
    qwen: CaretTokenizer, qwen_small_path: Path, code: str
) -> None:
    metadata = GGUFFile.open(qwen_small_path).metadata
    tokens, kinds = metadata["tokenizer.ggml.tokens"], metadata["tokenizer.ggml.token_type"]
    vocab = {text: i for i, (text, kind) in enumerate(zip(tokens, kinds, strict=True)) if kind == 1}
    merges = [tuple(merge.split(" ")) for merge in metadata["tokenizer.ggml.merges"]]
    reference = Qwen2Tokenizer(vocab, merges)
    for text in [code, *TEXTS[:-2], "日本語 12345 😀 it'S WE'LL"]:
        assert qwen.encode(text) == reference.encode(text, add_special_tokens=False)
    assert qwen.encode("Hello world") == [9707, 1879]


def test_no_control_token_comes_from_text(qwen: CaretTokenizer, qwen_small_path: Path) -> None:
    metadata = GGUFFile.open(qwen_small_path).metadata
    tokens, kinds = metadata["tokenizer.ggml.tokens"], metadata["tokenizer.ggml.token_type"]
    added = {text: i for i, (text, kind) in enumerate(zip(tokens, kinds, strict=True)) if kind != 1}
    ids = qwen.encode("x".join(added)) + qwen.encode(" ".join(added))
    assert not set(ids) & set(added.values())
    assert qwen.special("<|fim_prefix|>") == 151659
    assert qwen.special("def") is None
    assert qwen.token_bytes(151659) == b""


def test_ends_and_beginnings(qwen: CaretTokenizer, smollm2: CaretTokenizer) -> None:
    assert qwen.eos_ids == {151643, 151645}
    assert qwen.bos_id is None
    assert (qwen.bos_token, qwen.eos_token) == ("<|endoftext|>", "<|im_end|>")
    assert smollm2.eos_ids == {0, 2}
    assert qwen.vocab_size == 151936
    assert qwen.token_bytes(200_000) == b""


def test_spellings_of_a_real_vocabulary(qwen: CaretTokenizer) -> None:
    allowed = [qwen.token_bytes(token) for token in qwen.spellings.allowed(b" retur")]
    assert b" return" in allowed
    assert b" re" in allowed
    assert all(word.startswith(b" retur") or b" retur".startswith(word) for word in allowed)


QWEN_CUT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3_CUT = QWEN_CUT.replace(r"|\p{N}|", r"|\p{N}{1,3}|")


def split(pattern: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def byte_level(*, use_regex: bool) -> dict[str, Any]:
    return {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": use_regex,
    }


DIGITS = {"type": "Digits", "individual_digits": True}
PUBLISHED: dict[str, list[dict[str, Any]]] = {
    "gpt-2": [byte_level(use_regex=True)],
    "starcoder": [DIGITS, byte_level(use_regex=True)],
    "smollm": [DIGITS, byte_level(use_regex=True)],
    "refact": [DIGITS, byte_level(use_regex=True)],
    "qwen2": [split(QWEN_CUT), byte_level(use_regex=False)],
    "llama-bpe": [split(LLAMA3_CUT), byte_level(use_regex=False)],
    "deepseek-coder": [
        split("[\r\n]"),
        split("\\s?\\p{L}+"),
        split("\\s?\\p{P}+"),
        split("[一-龥ࠀ-一가-퟿]+"),
        DIGITS,
        byte_level(use_regex=False),
    ],
}
"""`pre_tokenizer` of the families' tokenizer.json, by `tokenizer.ggml.pre`."""


@pytest.fixture(params=PUBLISHED)
def published(request: pytest.FixtureRequest, tmp_path: Path, code: str) -> tuple[str, Path]:
    """A small BPE, trained as the family's, in a folder with tokenizer.json."""
    cuts = {"type": "Sequence", "pretokenizers": PUBLISHED[request.param]}
    model = {"type": "BPE", "vocab": {}, "merges": []}
    tokenizer = Tokenizer.from_str(json.dumps({"model": model, "pre_tokenizer": cuts}))
    text = [*code.splitlines(keepends=True), *(text for text in TEXTS for _ in range(9))]
    alphabet = ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=2000, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(text, trainer)
    tokenizer.add_special_tokens(["<|endoftext|>"])
    tokenizer.add_tokens([AddedToken("<|fim_prefix|>"), AddedToken("õ", normalized=False)])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    config = {"eos_token": {"content": "<|endoftext|>"}, "bos_token": None}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    return request.param, tmp_path


def as_gguf(pre: str, folder: Path) -> dict[str, Any]:
    """The same tokenizer as a GGUF file would hold it."""
    file = json.loads((folder / "tokenizer.json").read_text())
    kinds = {t["content"]: 3 if t["special"] else 4 for t in file["added_tokens"]}
    added = {t["content"]: t["id"] for t in file["added_tokens"]}
    vocab = sorted({**file["model"]["vocab"], **added}.items(), key=lambda item: item[1])
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": [text for text, _ in vocab],
        "tokenizer.ggml.token_type": [kinds.get(text, 1) for text, _ in vocab],
        "tokenizer.ggml.merges": [" ".join(pair) for pair in file["model"]["merges"]],
        "tokenizer.ggml.eos_token_id": added["<|endoftext|>"],
    }


def test_folder_and_gguf_give_the_librarys_ids(published: tuple[str, Path], code: str) -> None:
    pre, folder = published
    reference = Tokenizer.from_file(str(folder / "tokenizer.json"))
    from_folder, from_gguf = open_tokenizer(folder), tokenizer_from_gguf(as_gguf(pre, folder))
    for text in [code, *TEXTS[:-1], "12345 l'été 한국어 여기 õx it's"]:
        expected = reference.encode(text).ids
        assert from_folder.encode(text) == expected
        assert from_gguf.encode(text) == expected
        assert written(from_gguf, expected) == text.encode()


def test_control_tokens_of_a_folder(published: tuple[str, Path]) -> None:
    _, folder = published
    tokenizer = open_tokenizer(folder)
    ids = tokenizer.encode("<|fim_prefix|><|endoftext|>õ")
    assert tokenizer.special("<|fim_prefix|>") not in ids
    assert tokenizer.special("<|endoftext|>") not in ids
    assert tokenizer.eos_ids == {tokenizer.special("<|endoftext|>")}
    assert tokenizer.special("õ") is None, "a letter that is an added token is text"
    assert written(tokenizer, ids[-1:]) == "õ".encode()


def test_normalizer_and_prefix_space_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path
    alphabet = {char: i for i, char in enumerate(sorted(ByteLevel.alphabet()))}
    file = {
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {**byte_level(use_regex=True), "add_prefix_space": True},
        "model": {"type": "BPE", "vocab": alphabet, "merges": []},
    }
    (folder / "tokenizer.json").write_text(json.dumps(file))
    tokenizer = open_tokenizer(folder)
    assert written(tokenizer, tokenizer.encode("cafe\u0301")) == "cafe\u0301".encode()


def test_pre_tokenizer_of_an_old_file_is_told_by_its_tokens(byte_metadata: Metadata) -> None:
    metadata = byte_metadata("<｜fim▁begin｜>")
    metadata["tokenizer.ggml.merges"] = ["1 2"]
    metadata["tokenizer.ggml.tokens"].append("12")
    metadata["tokenizer.ggml.token_type"].append(1)
    metadata["tokenizer.ggml.pre"] = "gpt-2"
    assert len(tokenizer_from_gguf(metadata).encode("12")) == 1
    del metadata["tokenizer.ggml.pre"]
    assert len(tokenizer_from_gguf(metadata).encode("12")) == 2, "DeepSeek-Coder's digits"


def test_control_tokens_of_an_early_file_are_told_by_their_shape(byte_metadata: Metadata) -> None:
    metadata = byte_metadata("<fim_prefix>", "<p>", "õ")
    merges = ["< p", "<p >"]
    metadata["tokenizer.ggml.tokens"].append("<p")
    metadata["tokenizer.ggml.token_type"] = [1] * 257 + [1, 3, 1]
    metadata["tokenizer.ggml.merges"] = merges
    metadata["tokenizer.ggml.pre"] = "qwen2"
    tokenizer = tokenizer_from_gguf(metadata)
    assert tokenizer.special("<fim_prefix>") == 256
    assert tokenizer.special("<p>") is None, "merges lead to it"
    assert tokenizer.special("õ") is None, "a letter is no control token, whatever its type"
    assert tokenizer.encode("õ") == [258]


def test_unknown_kinds_are_refused(tmp_path: Path, byte_metadata: Metadata) -> None:
    with pytest.raises(UnsupportedModel, match="'klingon'"):
        tokenizer_from_gguf(byte_metadata() | {"tokenizer.ggml.pre": "klingon"})
    with pytest.raises(UnsupportedModel, match="'bert'"):
        tokenizer_from_gguf({"tokenizer.ggml.model": "bert"})
    with pytest.raises(UnsupportedModel, match=r"tokenizer\.json"):
        open_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text('{"model": {"type": "WordPiece"}}')
    with pytest.raises(UnsupportedModel, match="not byte-level BPE"):
        open_tokenizer(tmp_path)
    with pytest.raises(ModelMissing):
        open_tokenizer(tmp_path / "none.gguf")


@pytest.mark.parametrize(
    "damage",
    ["{", "[]", '{"model": []}', '{"model": {"type": "BPE"}, "pre_tokenizer": "ByteLevel"}'],
)
def test_a_damaged_tokenizer_json_is_said_to_be_damaged(tmp_path: Path, damage: str) -> None:
    (tmp_path / "tokenizer.json").write_text(damage)
    with pytest.raises(ModelDamaged, match="damaged"):
        open_tokenizer(tmp_path)


def _cutting(folder: Path, pattern: str) -> CaretTokenizer:
    """Write and open a tokenizer that cuts at a regular expression."""
    file = {
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [split(pattern), byte_level(use_regex=False)],
        },
        "model": {
            "type": "BPE",
            "vocab": {char: i for i, char in enumerate(sorted(ByteLevel.alphabet()))},
            "merges": [],
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(file))
    (folder / "generation_config.json").write_text('{"eos_token_id": ["x", 7]}')
    return open_tokenizer(folder)


def test_a_pattern_that_is_none_is_said_to_be_damaged(tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged, match="unmatched parenthesis"):
        _cutting(tmp_path, "((")


def test_a_pattern_that_goes_astray_costs_one_request(tmp_path: Path) -> None:
    tokenizer = _cutting(tmp_path, "(a|aa)+!")
    with pytest.raises(UnsupportedModel, match="cannot cut the text into words"):
        tokenizer.encode("a" * 60)
    assert len(tokenizer.encode("b c")) == 3
    assert tokenizer.eos_ids == {7}


@pytest.mark.parametrize("token", [-1, 1 << 60, 1 << 30, "7", None, 1e300])
def test_ids_that_no_table_could_hold_are_told(tmp_path: Path, token: object) -> None:
    alphabet: dict[str, Any] = {char: i for i, char in enumerate(sorted(ByteLevel.alphabet()))}
    added = {"content": "<|end|>", "special": True, "id": 300}
    for vocab, entry in ((alphabet | {"x": token}, added), (alphabet, added | {"id": token})):
        file = {
            "pre_tokenizer": byte_level(use_regex=True),
            "model": {"type": "BPE", "vocab": vocab, "merges": []},
            "added_tokens": [entry],
        }
        (tmp_path / "tokenizer.json").write_text(json.dumps(file))
        with pytest.raises(ModelDamaged, match="The tokenizer of"):
            open_tokenizer(tmp_path)
