"""Detection of the fill-in-the-middle style of models in no registry, and of its order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from engine.errors import NotCapable
from engine.fim import plan_fim
from engine.fim_styles import FIM_STYLES, detect_fim, looked_for
from engine.tokenizers import Tokenizer, tokenizer_from_gguf

if TYPE_CHECKING:
    from collections.abc import Callable

    Metadata = Callable[..., dict[str, Any]]
    WithControls = Callable[..., Tokenizer]

STARCODER = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")
SEED = ("<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>")


def prompt(tokenizer: Tokenizer, style: str | None) -> str:
    """A prompt with the names of its control tokens written out."""
    assert style is not None
    names = {tokenizer.special(name): name for name in FIM_STYLES[style].sentinels}
    plan = plan_fim(tokenizer, style, prefix="before\n", suffix="\nbehind", budget=200)
    written = (names.get(t) or tokenizer.token_bytes(t).decode() for t in plan.tokens)
    return "".join(written)


@pytest.mark.parametrize(
    ("controls", "origin", "expected"),
    [
        (STARCODER, "", "<fim_prefix>before\n<fim_suffix>\nbehind<fim_middle>"),
        (STARCODER, "granite 3b", "<fim_prefix>before\n<fim_suffix>\nbehind<fim_middle>"),
        (STARCODER, "JetBrains Mellum-4b", "<fim_suffix>\nbehind<fim_prefix>before\n<fim_middle>"),
        (STARCODER, "x mellum", "<fim_suffix>\nbehind<fim_prefix>before\n<fim_middle>"),
        (SEED, "", "<[fim-suffix]>\nbehind<[fim-prefix]>before\n<[fim-middle]>"),
        (("<s>", "[SUFFIX]", "[PREFIX]"), "", "<s>[SUFFIX]\nbehind[PREFIX]before\n"),
    ],
)
def test_each_family_is_asked_in_the_order_that_it_was_trained_in(
    with_controls: WithControls, controls: tuple[str, ...], origin: str, expected: str
) -> None:
    tokenizer = with_controls(*controls)
    assert prompt(tokenizer, detect_fim(tokenizer.special, origin)) == expected


@pytest.mark.parametrize(
    "keys", [("fim_pre", "fim_suf", "fim_mid"), ("prefix", "suffix", "middle")]
)
def test_tokens_of_any_name_that_the_metadata_name_are_used(
    byte_metadata: Metadata, keys: tuple[str, ...]
) -> None:
    metadata = byte_metadata("<one>", "<two>", "<three>")
    metadata |= {f"tokenizer.ggml.{key}_token_id": 256 + i for i, key in enumerate(keys)}
    tokenizer = tokenizer_from_gguf(metadata)
    style = detect_fim(tokenizer.special)
    assert style == "metadata"
    expected = "fim prefixbefore\nfim suffix\nbehindfim middle"
    assert prompt(tokenizer, style) == expected


def test_metadata_that_agree_with_a_family_leave_it_its_files(byte_metadata: Metadata) -> None:
    """A family's style also has tokens for other files, which the metadata lack."""
    metadata = byte_metadata(*STARCODER)
    metadata |= {
        f"tokenizer.ggml.fim_{key}_token_id": 256 + i for i, key in enumerate(("pre", "suf", "mid"))
    }
    assert detect_fim(tokenizer_from_gguf(metadata).special) == "starcoder"
    metadata["tokenizer.ggml.tokens"] += ["<other>"]
    metadata["tokenizer.ggml.token_type"] += [3]
    metadata["tokenizer.ggml.fim_pre_token_id"] = 259
    assert detect_fim(tokenizer_from_gguf(metadata).special) == "metadata"


def test_a_model_without_such_tokens_is_refused_with_their_names(
    with_controls: WithControls,
) -> None:
    tokenizer = with_controls("<fim_prefix>", "<|im_start|>")
    assert detect_fim(tokenizer.special) is None
    for name in ("▁<SUF>", "<|fim_suffix|>", "<｜fim▁hole｜>", "<fim_suffix>", "<[fim-suffix]>"):
        assert name in looked_for()
    assert "fim suffix" not in looked_for()
    with pytest.raises(NotCapable, match="<fim_suffix>"):
        plan_fim(tokenizer, "starcoder", prefix="", suffix="", budget=100)


def test_sentinels_of_type_normal_in_a_sentencepiece_vocabulary() -> None:
    """CodeQwen's: a file whose converter knew no control tokens."""
    byte_pieces = [f"<0x{byte:02X}>" for byte in range(256)]
    letters = [chr(code) for code in range(0x21, 0x7F)]
    tokens = ["<unk>", "<s>", "</s>", *byte_pieces, "▁", *letters, *STARCODER]
    tokenizer = tokenizer_from_gguf(
        {
            "tokenizer.ggml.model": "llama",
            "tokenizer.ggml.tokens": tokens,
            "tokenizer.ggml.scores": [0.0] * len(tokens),
            "tokenizer.ggml.token_type": [2, 3, 3, *[6] * 256, *[1] * (len(tokens) - 259)],
        }
    )
    assert detect_fim(tokenizer.special) == "starcoder"
    ids = tokenizer.encode("".join(STARCODER))
    assert not {tokenizer.special(name) for name in STARCODER} & {*ids}
