"""Tokenizers, real ones and a small one like Code Llama's, and real models in memory."""

from __future__ import annotations

import argparse
import io
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from sentencepiece import SentencePieceTrainer
from sentencepiece.sentencepiece_model_pb2 import ModelProto

from engine.models import find
from engine.runtime import Runtime
from engine.scheduler import Scheduler
from engine.tokenizers import Tokenizer, open_tokenizer, tokenizer_from_gguf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CODE = Path(argparse.__file__).read_text() + Path(textwrap.__file__).read_text()
CACHE = 1 << 30
"""Bytes that a model in memory may spend on cached sequences."""
SENTINELS = ["▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"]


def _trained(text: str) -> ModelProto:
    """A BPE with Llama's settings."""
    written = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(text.split("\n")),
        model_writer=written,
        model_type="bpe",
        vocab_size=700,
        byte_fallback=True,
        split_digits=True,
        allow_whitespace_only_pieces=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        required_chars="☺",
        minloglevel=2,
    )
    model = ModelProto()
    model.ParseFromString(written.getvalue())
    return model


@pytest.fixture(scope="session")
def codellama_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer.model like Code Llama's.

    As in Meta's file the sentinels are ordinary pieces, with the pieces they are merged from.
    """
    model = _trained(CODE)
    known, score = {p.piece for p in model.pieces}, min(p.score for p in model.pieces)
    steps = [name[:end] for name in SENTINELS for end in range(2, len(name) + 1)]
    for count, piece in enumerate(step for step in dict.fromkeys(steps) if step not in known):
        model.pieces.add(piece=piece, score=score - 1 - count, type=ModelProto.SentencePiece.NORMAL)
    folder = tmp_path_factory.mktemp("codellama")
    (folder / "tokenizer.model").write_bytes(model.SerializeToString())
    return folder


@pytest.fixture(scope="session")
def codellama_gguf(codellama_folder: Path) -> dict[str, Any]:
    """The metadata that llama.cpp's converter writes for that tokenizer.model."""
    model = ModelProto()
    model.ParseFromString((codellama_folder / "tokenizer.model").read_bytes())
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": [p.piece for p in model.pieces],
        "tokenizer.ggml.scores": [p.score for p in model.pieces],
        "tokenizer.ggml.token_type": [p.type for p in model.pieces],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    }


@pytest.fixture(scope="session")
def codellama(codellama_folder: Path) -> Tokenizer:
    """The small tokenizer in Code Llama's manner."""
    return open_tokenizer(codellama_folder)


@pytest.fixture(scope="session")
def qwen(qwen_small_path: Path) -> Tokenizer:
    """Qwen2.5-Coder's tokenizer."""
    return open_tokenizer(qwen_small_path)


@pytest.fixture(scope="session")
def smollm2(smollm2_path: Path) -> Tokenizer:
    """SmolLM2's tokenizer."""
    return open_tokenizer(smollm2_path)


@pytest.fixture(scope="module")
def qwen_runtime(qwen_small_path: Path) -> Runtime:
    """Qwen2.5-Coder-0.5B in the engine's own format; what is cached, a file's tests share."""
    return Runtime.load(find("qwen2.5-coder-0.5b"), qwen_small_path, lambda *_: None, CACHE)


@pytest.fixture(scope="module")
def smollm_runtime(smollm2_path: Path) -> Runtime:
    """SmolLM2-135M likewise."""
    return Runtime.load(find("smollm2-135m"), smollm2_path, lambda *_: None, CACHE)


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """For decoders so small that to share their work among threads costs more than the work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    """The compute thread and its queue, ended after the test."""
    scheduler = Scheduler()
    yield scheduler
    scheduler.close()


@pytest.fixture(scope="session")
def code() -> str:
    """A long Python file."""
    return CODE


def _byte_metadata(*controls: str) -> dict[str, Any]:
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    alphabet = [chr(code) for code in [*printable, *range(256, 256 + 68)]]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": [*alphabet, *controls],
        "tokenizer.ggml.token_type": [1] * len(alphabet) + [3] * len(controls),
        "tokenizer.ggml.merges": [],
    }


@pytest.fixture(scope="session")
def byte_metadata() -> Callable[..., dict[str, Any]]:
    """Makes GGUF metadata of a byte-level tokenizer: 256 tokens and the named control tokens."""
    return _byte_metadata


@pytest.fixture(scope="session")
def with_controls() -> Callable[..., Tokenizer]:
    """Makes such a tokenizer."""
    return lambda *controls: tokenizer_from_gguf(_byte_metadata(*controls))
