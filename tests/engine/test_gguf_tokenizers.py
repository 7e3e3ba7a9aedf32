"""Tokenizers of GGUF files that lack what is optional, or say what makes no sense."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import ModelError, UnsupportedModel
from engine.tokenizers import Tokenizer, open_tokenizer, tokenizer_from_gguf

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Metadata = Callable[..., dict[str, Any]]

TEXT = 'x = "<s>" # é\n\t<|end|> 日本'
PREFIX = "tokenizer.ggml."


@pytest.fixture
def pieces(codellama_gguf: dict[str, Any]) -> dict[str, Any]:
    """Return a sentencepiece vocabulary that names its unknown token."""
    return codellama_gguf | {"tokenizer.ggml.unknown_token_id": 0}


@pytest.fixture
def words(byte_metadata: Metadata) -> dict[str, Any]:
    """A byte-level vocabulary with two control tokens."""
    return byte_metadata("<|end|>", "<|begin|>") | {"tokenizer.ggml.eos_token_id": 256}


def _without(metadata: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key != PREFIX + name}


def test_without_types_all_tokens_are_normal_but_for_the_obvious(
    pieces: dict[str, Any], words: dict[str, Any]
) -> None:
    for metadata in (pieces, words):
        whole = tokenizer_from_gguf(metadata)
        bare = tokenizer_from_gguf(_without(metadata, "token_type"))
        assert bare.encode(TEXT) == whole.encode(TEXT)
        assert (bare.bos_id, bare.eos_ids) == (whole.bos_id, whole.eos_ids)
        assert bare.token_bytes(min(whole.eos_ids)) == b""
        written = b"".join(map(bare.token_bytes, bare.encode_continuation(TEXT)))
        assert written == TEXT.encode()


@pytest.mark.parametrize(
    ("kind", "name"),
    [("words", "tokens"), ("words", "merges"), ("pieces", "tokens"), ("pieces", "scores")],
)
def test_what_a_tokenizer_cannot_do_without_is_named(
    request: pytest.FixtureRequest, kind: str, name: str
) -> None:
    with pytest.raises(UnsupportedModel, match=rf"tokenizer\.ggml\.{name}\. Choose another file"):
        tokenizer_from_gguf(_without(request.getfixturevalue(kind), name))


@pytest.mark.parametrize(
    ("kind", "name"),
    [("words", "token_type"), ("pieces", "token_type"), ("pieces", "scores")],
)
@pytest.mark.parametrize("change", [-1, 1])
def test_arrays_of_unequal_lengths_are_said_to_be_made_wrongly(
    request: pytest.FixtureRequest, kind: str, name: str, change: int
) -> None:
    metadata = copy.deepcopy(request.getfixturevalue(kind))
    values = metadata[PREFIX + name]
    metadata[PREFIX + name] = values[:-1] if change < 0 else [*values, 1]
    with pytest.raises(UnsupportedModel, match=rf"{name} has {len(values) + change} values"):
        tokenizer_from_gguf(metadata)


@pytest.mark.parametrize("value", [-1, 10**6, 0xFFFFFFFF, 1 << 63, "7", None, 1.5, True, [3]])
@pytest.mark.parametrize("key", ["bos", "eos", "eot", "fim_pre", "prefix", "unknown"])
def test_an_id_that_no_token_has_counts_for_nothing(
    pieces: dict[str, Any], words: dict[str, Any], key: str, value: object
) -> None:
    for metadata in (pieces, words):
        tokenizer = tokenizer_from_gguf(metadata | {f"{PREFIX}{key}_token_id": value})
        assert all(0 <= token < tokenizer.vocab_size for token in tokenizer.eos_ids)
        assert tokenizer.encode(TEXT)
        assert tokenizer.special("fim prefix") is None


def test_whether_bos_is_added_has_a_default(pieces: dict[str, Any], words: dict[str, Any]) -> None:
    assert tokenizer_from_gguf(pieces).bos_id == 1
    assert tokenizer_from_gguf(pieces | {f"{PREFIX}add_bos_token": False}).bos_id is None
    named = words | {f"{PREFIX}bos_token_id": 257}
    assert tokenizer_from_gguf(named).bos_id is None
    assert tokenizer_from_gguf(named | {f"{PREFIX}add_bos_token": True}).bos_id == 257
    assert tokenizer_from_gguf(words | {f"{PREFIX}add_bos_token": True}).bos_id is None


def test_an_end_that_is_an_ordinary_token_stays_text(words: dict[str, Any]) -> None:
    """A token that a merge makes cannot be removed from the vocabulary."""
    tokens = [*words[f"{PREFIX}tokens"], "ab"]
    changed = _without(words, "token_type") | {
        f"{PREFIX}tokens": tokens,
        f"{PREFIX}merges": ["a b"],
        f"{PREFIX}eos_token_id": len(tokens) - 1,
    }
    tokenizer = tokenizer_from_gguf(changed)
    assert tokenizer.encode("ab") == [len(tokens) - 1]
    assert len(tokens) - 1 in tokenizer.eos_ids


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tokens", [1, 2, 3]),
        ("tokens", "abc"),
        ("tokens", []),
        ("merges", ["a"]),
        ("merges", ["a not-there"]),
        ("merges", [3]),
        ("merges", ["Ġ Ġ"]),  # which no token is: the library in Rust panics
    ],
)
def test_nonsense_is_told_in_words_that_do_not_send_for_the_same_file(
    words: dict[str, Any], tmp_path: Path, name: str, value: object
) -> None:
    with pytest.raises(ModelError) as caught:
        open_tokenizer(tmp_path, words | {PREFIX + name: value})
    assert "hoose another file of it" in str(caught.value)


@pytest.mark.parametrize("key", ["fim_{}_token_id", "{}"])
def test_tokens_that_are_named_for_infilling_are_control_tokens(
    words: dict[str, Any], pieces: dict[str, Any], key: str
) -> None:
    short = {"pre": "prefix", "suf": "suffix", "mid": "middle"}
    for metadata in (words, pieces):
        tokens = metadata[f"{PREFIX}tokens"]
        names = [f"hole {name}" for name in short]
        added = copy.deepcopy(metadata)
        added[f"{PREFIX}tokens"] = tokens + names
        added[f"{PREFIX}token_type"] = metadata[f"{PREFIX}token_type"] + [1] * 3
        added[f"{PREFIX}scores"] = [*metadata.get(f"{PREFIX}scores", [0] * len(tokens)), 0, 0, 0]
        for number, (name, old) in enumerate(short.items()):
            own = key.format(name) if "fim" in key else f"{old}_token_id"
            added[PREFIX + own] = len(tokens) + number
        tokenizer: Tokenizer = tokenizer_from_gguf(added)
        assert tokenizer.special("fim prefix") == len(tokens)
        assert tokenizer.special("fim middle") == len(tokens) + 2
        assert not {*range(len(tokens), len(tokens) + 3)} & {*tokenizer.encode("hole pre hole suf")}
        assert tokenizer.token_bytes(len(tokens)) == b""
