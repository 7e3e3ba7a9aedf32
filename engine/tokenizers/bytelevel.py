"""Byte-level BPE (GPT-2's, and since then Qwen's, StarCoder's, DeepSeek's, Llama 3's).

Two things differ from the publishers' own tokenizer files, both so that the ids of a text write
exactly that text: strings that look like control tokens are text, and Unicode is not normalized.
Qwen's tokenizer.json asks for NFC; a completion engine has to continue what stands in the
document, decomposed accents too (llama.cpp does not normalize either).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tokenizers import AddedToken, Regex, Tokenizer, models
from tokenizers.pre_tokenizers import ByteLevel, Digits, PreTokenizer, Sequence, Split

from engine.errors import UnsupportedModel
from engine.tokenizers.vocabulary import (
    Controls,
    Vocabulary,
    column,
    folder_controls,
    gguf_controls,
    is_control,
    named_tokens,
    read_config,
    size_for,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_NORMAL, _USER_DEFINED = 1, 4
"""Token types of GGUF; the others are control tokens here."""
_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
_REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def _split(*patterns: str) -> PreTokenizer:
    """Cut at the matches of one regular expression after the other."""
    cuts = [Split(Regex(pattern), "isolated") for pattern in patterns]
    return Sequence([*cuts, ByteLevel(add_prefix_space=False, use_regex=False)])


def _gpt2() -> PreTokenizer:
    return ByteLevel(add_prefix_space=False, use_regex=True)


def _starcoder() -> PreTokenizer:
    return Sequence([Digits(individual_digits=True), _gpt2()])


def _qwen2() -> PreTokenizer:
    return _split(rf"{_CONTRACTIONS}|{_WORDS}|\p{{N}}|{_REST}")


def _llama3() -> PreTokenizer:
    return _split(rf"{_CONTRACTIONS}|{_WORDS}|\p{{N}}{{1,3}}|{_REST}")


def _deepseek_coder() -> PreTokenizer:
    return _split(r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+", r"\p{N}")


def _seed_coder() -> PreTokenizer:
    rest = r" ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"
    return _split(rf"{_CONTRACTIONS}|{_WORDS}|\p{{N}}|{rest}")


def _unnamed() -> PreTokenizer:
    """Cut as llama.cpp does where a file names no way, or "default"."""
    gpt2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
    return _split(r"[\p{P}$+<=>^~|]+", gpt2, r"\p{N}+", "[0-9][0-9][0-9]")


_DEFAULT = "default"
_WHOLE_WORDS = (
    *("llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"),
    "jina-v5-nano",
)
"""Llama 3's and those like it: words of the vocabulary are not merged, and BOS is added."""
_WAYS: dict[Callable[[], PreTokenizer], tuple[str, ...]] = {
    _unnamed: (_DEFAULT,),
    _gpt2: (
        *("gpt-2", "phi-2", "jina-es", "jina-de", "jina-v1-en", "jina-v2-es", "jina-v2-de"),
        *("jina-v2-code", "roberta-bpe", "gigachat", "a.x-4.0", "mellum", "modern-bert", "exaone4"),
        *("mpt", "olmo", "jais", "trillion", "granite-docling"),
    ),
    _starcoder: (
        *("starcoder", "refact", "smollm", "command-r", "codeshell", "exaone", "minerva-7b"),
    ),
    _qwen2: (
        *("qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan"),
        "grok-2",
    ),
    _llama3: (*_WHOLE_WORDS, "dbrx", "smaug-bpe", "glm4", "chatglm-bpe"),
    _deepseek_coder: ("deepseek-coder",),
    _seed_coder: ("seed-coder",),
}
_PRE_TOKENIZERS = {name: way for way, names in _WAYS.items() for name in names}
"""`tokenizer.ggml.pre`, as llama.cpp knows it, to how text is cut into words before merging."""
_TELLTALES = {
    "<｜fim▁begin｜>": "deepseek-coder",
    "<fim_prefix>": "starcoder",
    "<|object_ref_start|>": "qwen2",
}
"""GGUF files from before April 2024 do not name their pre-tokenizer; these tokens do."""


def _bytes_of_characters() -> dict[int, int]:
    """GPT-2's alphabet: the code point that stands for a byte, to the byte."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: byte for byte in printable} | {256 + i: byte for i, byte in enumerate(others)}


_BYTES = _bytes_of_characters()


class ByteLevelTokenizer(Vocabulary):
    """A `Tokenizer` over the tokenizers library."""

    def __init__(self, bpe: Tokenizer, spelled: list[bytes], controls: Controls) -> None:
        super().__init__(spelled, controls)
        self._bpe = bpe

    def encode_continuation(self, text: str) -> list[int]:
        """See `Tokenizer.encode_continuation`; there is no implicit space to leave away."""
        return self.encode(text)

    def _ids(self, text: str) -> tuple[int, ...]:
        try:
            return tuple(self._bpe.encode(text, add_special_tokens=False).ids)
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # of the library in Rust, and no Exception
                raise
            raise UnsupportedModel(
                f"This model's tokenizer cannot cut the text into words: {error}. Choose another "
                "model."
            ) from None


def from_gguf(metadata: dict[str, Any]) -> ByteLevelTokenizer:
    """The tokenizer in the metadata of a GGUF file ("tokenizer.ggml.model" is "gpt2").

    Raises:
        UnsupportedModel: An unknown pre-tokenizer, or a part of the tokenizer is not in the file.
        TypeError, ValueError: The metadata contradicts itself.
    """
    tokens: list[str] = column(metadata, "tokens")
    kinds: list[int] = column(metadata, "token_type", [_NORMAL] * len(tokens))
    merges: list[str] = column(metadata, "merges")
    # What a file names for a purpose is a control token, unless it comes of merging text.
    named = {tokens[token] for token in named_tokens(metadata).values()}
    vocab: dict[str, int] = {}
    texts: dict[str, int] = {}
    control: dict[str, int] = {}
    shaped = {text for text in tokens if is_control(text, marked=False)}
    # Early converters called every token normal; no merge leads to a control token.
    ends = tuple({text[-1:] for text in shaped | named})
    merged = {merge.replace(" ", "") for merge in merges if merge.endswith(ends)}
    shaped, named = shaped - merged, named - merged
    for token, (text, kind) in enumerate(zip(tokens, kinds, strict=True)):
        marked = text in named or kind not in (_NORMAL, _USER_DEFINED)
        if kind == _NORMAL and text not in shaped and not marked:
            vocab[text] = token
        elif is_control(text, marked=marked):
            control[text] = token
        else:
            texts[text] = token
    pre = metadata.get("tokenizer.ggml.pre") or _guessed_pre(control)
    if not isinstance(pre, str) or pre not in _PRE_TOKENIZERS:
        raise UnsupportedModel(
            f"This model cuts text into words in the way {pre!r:.60}, which Caret does not know. "
            "Choose another model."
        )
    whole_words = pre in _WHOLE_WORDS
    bpe = _assembled(vocab, merges, _PRE_TOKENIZERS[pre](), texts, whole_words=whole_words)
    controls = gguf_controls(metadata, control, adds_bos=whole_words)
    return ByteLevelTokenizer(bpe, _spelled(len(tokens), vocab, texts), controls)


def from_folder(folder: Path) -> ByteLevelTokenizer:
    """The tokenizer of a folder with tokenizer.json.

    Raises:
        UnsupportedModel: It is not byte-level BPE.
        KeyError, TypeError, ValueError: The file is damaged.
    """
    file = read_config(folder, "tokenizer.json")
    model, cuts = file["model"], json.dumps(file.get("pre_tokenizer"))
    if model.get("type") != "BPE" or '"ByteLevel"' not in cuts:
        raise UnsupportedModel(
            f"{folder / 'tokenizer.json'} is not byte-level BPE. If the model has a "
            "tokenizer.model, download it beside this file."
        )
    vocab: dict[str, int] = model["vocab"]
    texts: dict[str, int] = {}
    control: dict[str, int] = {}
    for added in file.get("added_tokens", []):
        text = added["content"]
        group = control if is_control(text, marked=added["special"]) else texts
        group[text] = added["id"]
    # A space before the first word would not be the document's.
    cuts = cuts.replace('"add_prefix_space": true', '"add_prefix_space": false')
    size = size_for([*vocab.values(), *texts.values(), *control.values()])
    merges, whole_words = model["merges"], model.get("ignore_merges", False)
    plain = {text: token for text, token in vocab.items() if text not in control}
    bpe = _assembled(plain, merges, _pre_tokenizer(cuts), texts, whole_words=whole_words)
    adds_bos = "TemplateProcessing" in json.dumps(file.get("post_processor"))
    controls = folder_controls(folder, control, adds_bos=adds_bos)
    return ByteLevelTokenizer(bpe, _spelled(size, plain, texts), controls)


def _guessed_pre(control: Iterable[str]) -> str:
    return next((pre for token, pre in _TELLTALES.items() if token in control), _DEFAULT)


def _pre_tokenizer(cuts: str) -> PreTokenizer:
    """The pre-tokenizer that a tokenizer.json describes: the library reads whole files only."""
    empty = '{"type": "BPE", "vocab": {}, "merges": []}'
    try:
        whole = Tokenizer.from_str(f'{{"model": {empty}, "pre_tokenizer": {cuts}}}')
    except Exception as error:  # the library has no class of its own
        raise ValueError(str(error)) from error
    loaded: PreTokenizer = whole.pre_tokenizer
    return loaded


def _assembled(
    vocab: dict[str, int],
    merges: list[str] | list[list[str]],
    cuts: PreTokenizer,
    texts: dict[str, int],
    *,
    whole_words: bool,
) -> Tokenizer:
    """A tokenizer that knows no control token; `texts` are added tokens that stand for text."""
    pairs = [_pair(merge) for merge in merges]
    try:
        bpe = models.BPE(vocab | texts, pairs, ignore_merges=whole_words)
    except Exception as error:  # the library has no class of its own
        raise ValueError(str(error)) from error
    tokenizer = Tokenizer(bpe)
    tokenizer.pre_tokenizer = cuts
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in texts])
    return tokenizer


def _pair(merge: str | list[str]) -> tuple[str, str]:
    left, right = merge.split(" ", 1) if isinstance(merge, str) else merge
    return left, right


def _spelled(size: int, vocab: dict[str, int], texts: dict[str, int]) -> list[bytes]:
    """What each id writes; nothing for those in neither table."""
    spelled = [b""] * size
    for text, token in vocab.items():
        spelled[token] = text.translate(_BYTES).encode("latin-1")
    for text, token in texts.items():
        spelled[token] = text.encode()
    return spelled
