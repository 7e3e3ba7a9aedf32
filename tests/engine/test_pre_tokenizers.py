"""Names of ways to cut text into words, as llama.cpp gives them, against the published rules."""

from __future__ import annotations

import json
from typing import Any

import pytest
import regex
from tokenizers import Tokenizer, trainers
from tokenizers.pre_tokenizers import ByteLevel

from engine.errors import UnsupportedModel
from engine.tokenizers import tokenizer_from_gguf

TEXTS = [
    "def f(x):\n\treturn 12345 + 0x1F  # it's WE'LL l'été\r\n\r\n  y = 3.14159\n",
    "日本語のコメント 123 한국어 여기 2024年12月 １２３ ²³ ½ ٣٤٥",
    "\t\t\tfoo  bar   \n\n\n   baz\u00a0qux \u3000 end   ",
    'a+b==c!=d => e~|f^g$h<i>j `k` "it\'d" 😀👩‍👩‍👧 e\u0301 _x_ -- ... ;;\n{\n}\n',
    "1 12 123 1234 12345 123456 1234567 1,234.567e-10 v1.2.3",
]
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3 = QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
SEED = QWEN2.replace(r" ?[^\s\p{L}\p{N}]+[\r\n]*", r" ?[^\s\p{L}\p{N}\r\n]+")
RULES: dict[str, tuple[tuple[str, ...], str]] = {
    # the rules, one after the other; names that mean them
    "default": ((r"[\p{P}$+<=>^~|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"), "default"),
    "gpt-2": (
        (GPT2,),
        "gpt-2 phi-2 jina-v2-de jina-v2-code gigachat mellum roberta-bpe exaone4 mpt",
    ),
    "starcoder": (
        (r"\p{N}", GPT2),
        "starcoder refact smollm command-r codeshell exaone minerva-7b",
    ),
    "qwen2": ((QWEN2,), "qwen2 deepseek-r1-qwen megrez stablelm2 hunyuan kormo"),
    "llama3": ((LLAMA3,), "dbrx smaug-bpe glm4 chatglm-bpe"),
    "whole words": ((LLAMA3,), "llama-bpe llama3 llama-v3 falcon3 pixtral lfm2"),
    "seed-coder": ((SEED,), "seed-coder"),
}


@pytest.fixture(scope="module")
def metadata(code: str) -> dict[str, Any]:
    """A vocabulary whose merges go over every boundary that a rule could draw."""
    model = {"type": "BPE", "vocab": {}, "merges": []}
    cuts = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    tokenizer = Tokenizer.from_str(
        json.dumps({"model": model, "pre_tokenizer": cuts | {"use_regex": False}})
    )
    trainer = trainers.BpeTrainer(
        vocab_size=1500, initial_alphabet=ByteLevel.alphabet(), show_progress=False
    )
    lines = [*code.splitlines(keepends=True)[:300], *TEXTS * 9]
    tokenizer.train_from_iterator(lines, trainer)
    vocab = tokenizer.get_vocab()
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": sorted(vocab, key=vocab.__getitem__),
        "tokenizer.ggml.token_type": [1] * len(vocab),
        "tokenizer.ggml.merges": [" ".join(pair) for pair in merges],
    }


def _words(text: str, rules: tuple[str, ...]) -> list[str]:
    """The text cut at all matches of one rule after the other, in an engine of its own."""
    words = [text]
    for rule in rules:
        words = [part for word in words for part in _cut(word, rule) if part]
    return words


def _cut(word: str, rule: str) -> list[str]:
    parts, at = [], 0
    for match in regex.finditer(rule, word):
        parts += [word[at : match.start()], match[0]]
        at = match.end()
    return [*parts, word[at:]]


@pytest.mark.parametrize("name", RULES)
def test_names_of_one_rule_cut_as_it_says(metadata: dict[str, Any], name: str) -> None:
    rules, names = RULES[name]
    model = {
        "type": "BPE",
        "vocab": {text: i for i, text in enumerate(metadata["tokenizer.ggml.tokens"])},
        "merges": metadata["tokenizer.ggml.merges"],
        "ignore_merges": name == "whole words",
    }
    cuts = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    reference = Tokenizer.from_str(
        json.dumps({"model": model, "pre_tokenizer": cuts | {"use_regex": False}})
    )
    for text in TEXTS:
        expected = [i for word in _words(text, rules) for i in reference.encode(word).ids]
        for pre in names.split():
            ours = tokenizer_from_gguf(metadata | {"tokenizer.ggml.pre": pre})
            assert ours.encode(text) == expected, pre


def test_rules_differ(metadata: dict[str, Any]) -> None:
    """The texts above tell them apart."""
    firsts = [names.split()[0] for _, names in RULES.values()]
    ids = {
        pre: [
            tokenizer_from_gguf(metadata | {"tokenizer.ggml.pre": pre}).encode(text)
            for text in TEXTS
        ]
        for pre in firsts
    }
    assert [a for a in firsts for b in firsts if a < b and ids[a] == ids[b]] in ([], ["dbrx"])


def test_a_file_that_names_none_is_cut_as_default(metadata: dict[str, Any]) -> None:
    named = tokenizer_from_gguf(metadata | {"tokenizer.ggml.pre": "default"})
    for text in TEXTS:
        assert tokenizer_from_gguf(metadata).encode(text) == named.encode(text)


def test_llama_3s_way_begins_texts_with_bos(metadata: dict[str, Any]) -> None:
    tokens, kinds = metadata["tokenizer.ggml.tokens"], metadata["tokenizer.ggml.token_type"]
    with_bos = metadata | {
        "tokenizer.ggml.tokens": [*tokens, "<|begin|>"],
        "tokenizer.ggml.token_type": [*kinds, 1],
        "tokenizer.ggml.bos_token_id": len(tokens),
    }
    for pre, bos in (("llama3", len(tokens)), ("dbrx", None)):
        assert tokenizer_from_gguf(with_bos | {"tokenizer.ggml.pre": pre}).bos_id == bos


@pytest.mark.parametrize("pre", ["klingon", "qwen2 ", "QWEN2", "gpt-4o", 7, ["qwen2"]])
def test_an_unknown_name_is_refused_and_told(metadata: dict[str, Any], pre: object) -> None:
    with pytest.raises(UnsupportedModel, match="which Caret does not know") as caught:
        tokenizer_from_gguf(metadata | {"tokenizer.ggml.pre": pre})
    assert repr(pre) in str(caught.value)
