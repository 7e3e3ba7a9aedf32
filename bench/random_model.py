"""A model of random weights, in the shape of Code Llama 7B, as a GGUF file.

Speed and memory depend on the shape of a model and on the format of its weights, not on their
values; so what needs 4 GB of download otherwise can be measured on any machine. Its text is noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, TokenType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_BLOCK, _BLOCK_BYTES = 32, 18
"""Weights of a Q4_0 block, and its bytes: a float16 scale and 32 nibbles."""
_SPREAD = 0.02
"""Standard deviation of the weights, as trained ones have it roughly: activations stay finite."""
_NIBBLES = 4.61
"""Standard deviation of a uniform nibble."""
_LAST_BYTE = 255


@dataclass(frozen=True, slots=True)
class Shape:
    """A Llama's dimensions; Code Llama 7B's by default (arXiv 2308.12950, and its config.json)."""

    layers: int = 32
    hidden: int = 4096
    heads: int = 32
    inner: int = 11008
    """Of the MLP."""
    vocabulary: int = 32016

    def matrices(self) -> Iterator[tuple[str, int, int]]:
        """Name, outputs and inputs of each, by llama.cpp's names."""
        yield "token_embd", self.vocabulary, self.hidden
        for layer in range(self.layers):
            for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
                yield f"blk.{layer}.{name}", self.hidden, self.hidden
            for name in ("ffn_gate", "ffn_up"):
                yield f"blk.{layer}.{name}", self.inner, self.hidden
            yield f"blk.{layer}.ffn_down", self.hidden, self.inner
        yield "output", self.vocabulary, self.hidden

    def norms(self) -> Iterator[str]:
        """Names of the norms, all of `hidden` elements."""
        for layer in range(self.layers):
            yield from (f"blk.{layer}.attn_norm", f"blk.{layer}.ffn_norm")
        yield "output_norm"

    @property
    def bytes(self) -> int:
        """Of the matrices, which are nearly the file."""
        return sum(rows * columns for _, rows, columns in self.matrices()) // _BLOCK * _BLOCK_BYTES


def write_random_model(path: Path, shape: Shape, report: Callable[[str], None]) -> None:
    """Write it matrix by matrix; memory for one of them is enough."""
    writer = GGUFWriter(path, "llama")
    _describe(writer, shape)
    for name, rows, columns in shape.matrices():
        packed = (rows, columns // _BLOCK * _BLOCK_BYTES)
        writer.add_tensor_info(
            f"{name}.weight",
            packed,
            np.dtype(np.uint8),
            packed[0] * packed[1],
            GGMLQuantizationType.Q4_0,
        )
    for name in shape.norms():
        size = 4 * shape.hidden
        writer.add_tensor_info(f"{name}.weight", (shape.hidden,), np.dtype(np.float32), size)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    chance = np.random.default_rng(0)
    for name, rows, columns in shape.matrices():
        report(f"writing random weights: {name}")
        writer.write_tensor_data(_blocks(chance, rows, columns))
    for _ in shape.norms():
        writer.write_tensor_data(np.ones(shape.hidden, np.float32))
    writer.close()


def _blocks(chance: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Random Q4_0 blocks, uint8 [rows, bytes of a row], each with the same scale."""
    blocks = np.frombuffer(chance.bytes(rows * columns // _BLOCK * _BLOCK_BYTES), np.uint8)
    blocks = blocks.reshape(-1, _BLOCK_BYTES).copy()
    blocks[:, :2] = np.frombuffer(np.float16(_SPREAD / _NIBBLES).tobytes(), np.uint8)
    return blocks.reshape(rows, -1)


def _describe(writer: GGUFWriter, shape: Shape) -> None:
    writer.add_name("random Code Llama 7B")
    writer.add_context_length(16384)
    writer.add_embedding_length(shape.hidden)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.hidden // shape.heads)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(shape.vocabulary)
    _add_vocabulary(writer, shape.vocabulary)


def _add_vocabulary(writer: GGUFWriter, size: int) -> None:
    """Sentencepiece's controls and bytes, then words that no text has: text costs its bytes."""
    controls = [
        ("<unk>", TokenType.UNKNOWN),
        ("<s>", TokenType.CONTROL),
        ("</s>", TokenType.CONTROL),
    ]
    spelled = [(f"<0x{byte:02X}>", TokenType.BYTE) for byte in range(_LAST_BYTE + 1)]
    words = [
        (f"▁{number:x}▁", TokenType.NORMAL) for number in range(size - len(controls) - len(spelled))
    ]
    tokens = [*controls, *spelled, *words]
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text for text, _ in tokens])
    writer.add_token_scores([-float(index) for index in range(len(tokens))])
    writer.add_token_types([int(kind) for _, kind in tokens])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
