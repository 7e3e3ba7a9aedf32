"""Files of a model and of its packed weights that are cut, altered, or find no room."""

from __future__ import annotations

import os
import resource
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING
from unittest import mock

import gguf
import numpy as np

from engine.api import CompletionRequest
from engine.errors import ModelError
from engine.models import find
from engine.paths import packed_dir
from engine.runtime import Runtime
from tests.torture.figures import Figures

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMES = 50
_HEADER = 1 << 20
"""Bytes in a file of packed weights before its tensors."""
_HIDDEN, _LAYERS, _TOKENS = 64, 2, 260
_REQUEST = CompletionRequest("", "def area(w, h):\n    return", max_tokens=16)


def run(seed: int, scale: float) -> Figures:
    """Damage each file `TIMES` times at random bytes, in each of the ways."""
    random, times = Random(seed), max(1, round(TIMES * scale))
    counted, off = Counter[str](), list[str]()
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, CARET_HOME=folder):
        model = Path(folder) / "tiny.gguf"
        write_model(model)
        answer, whole = _answer(model), model.read_bytes()
        for way in (_cut_store, _altered_store, _cut_model, _altered_model, _full_disk):
            for _ in range(times):
                off += _faults(way(model, random, answer), way.__name__.strip("_"), counted)
                model.write_bytes(whole)
    return Figures(", ".join(f"{name} {count}" for name, count in counted.items()), tuple(off))


def _faults(wrong: Iterator[str], way: str, counted: Counter[str]) -> list[str]:
    counted[way] += 1
    try:
        return [f"{way}: {fault}" for fault in wrong]
    except Exception as error:  # any other than those of engine.errors is one that a user would see
        return [f"{way}: {type(error).__name__}: {error}"]


def _answer(model: Path) -> tuple[str, str]:
    """Return the text that the model writes, and the message for its user."""
    runtime = loaded(model)
    return text_of(runtime), runtime.note


def loaded(model: Path) -> Runtime:
    """Load a model as the engine does."""
    return Runtime.load(find(str(model)), model, lambda *_: None, 1 << 26)


def text_of(runtime: Runtime) -> str:
    """Return what the model writes behind some code."""
    return "".join(piece.text for piece in runtime.complete(_REQUEST) if piece)


def _store() -> Path:
    (store,) = (path for path in packed_dir().iterdir() if path.suffix == ".safetensors")
    return store


def _cut_store(model: Path, random: Random, answer: tuple[str, str]) -> Iterator[str]:
    _answer(model)
    store = _store()
    data = store.read_bytes()
    at = random.randrange(random.choice((0, _HEADER)), len(data))
    yield from _made_again(model, store, data[:at], answer)


def _altered_store(model: Path, random: Random, answer: tuple[str, str]) -> Iterator[str]:
    _answer(model)
    store = _store()
    data = bytearray(store.read_bytes())
    data[random.randrange(random.choice((0, _HEADER)), len(data))] ^= 1 << random.randrange(8)
    yield from _made_again(model, store, bytes(data), answer)


def _made_again(model: Path, store: Path, damaged: bytes, answer: tuple[str, str]) -> Iterator[str]:
    store.unlink()
    store.write_bytes(damaged)
    if _answer(model) != answer:
        yield "another answer"
    if _answer(model) != answer:
        yield "another answer from the store that was made anew"


def _cut_model(model: Path, random: Random, answer: tuple[str, str]) -> Iterator[str]:
    del answer
    data = model.read_bytes()
    model.write_bytes(data[: random.randrange(len(data))])
    try:
        _answer(model)
    except ModelError as error:
        if str(model) not in str(error):
            yield f"a message without the file: {error}"
    else:
        yield "a truncated model was used"


def _altered_model(model: Path, random: Random, answer: tuple[str, str]) -> Iterator[str]:
    """Change one bit: only a changed weight may go unnoticed, else a message is required."""
    del answer
    data = bytearray(model.read_bytes())
    data[random.randrange(16_000)] ^= 1 << random.randrange(8)
    model.write_bytes(data)
    try:
        _answer(model)
    except ModelError as error:
        if not str(error):
            yield "no words"


def _full_disk(model: Path, random: Random, answer: tuple[str, str]) -> Iterator[str]:
    """Limit the size of files, as if the disk became full."""
    for path in packed_dir().glob("*.safetensors"):
        path.unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (random.randrange(1_100_000), hard))
    try:
        text, note = _answer(model)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    if text != answer[0]:
        yield "another answer"
    if "cannot be kept" not in note:
        yield f"the user is told {note!r}"
    if left := [path.name for path in packed_dir().iterdir() if path.suffix != ".lock"]:
        yield f"left behind: {left}"


def write_model(path: Path) -> None:
    """Write a Llama of random weights with a byte-level tokenizer."""
    draw = np.random.default_rng(0)
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    tokens = [chr(code) for code in [*printable, *range(256, 256 + 68)]]
    tokens += ["ĠĠ", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(512)
    writer.add_embedding_length(_HIDDEN)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_HIDDEN)
    writer.add_head_count(4)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_array("tokenizer.ggml.merges", ["Ġ Ġ"])
    writer.add_token_types([1] * 257 + [3] * (_TOKENS - 257))
    names = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd": (_TOKENS, _HIDDEN),
        "output_norm": (_HIDDEN,),
    }
    for layer in range(_LAYERS):
        shapes |= {f"blk.{layer}.{name}": (_HIDDEN, _HIDDEN) for name in names}
        shapes |= {f"blk.{layer}.{name}": (_HIDDEN,) for name in ("attn_norm", "ffn_norm")}
    for name, shape in shapes.items():
        weights = draw.normal(0, 0.3, shape) if len(shape) > 1 else np.ones(shape)
        writer.add_tensor(f"{name}.weight", weights.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
