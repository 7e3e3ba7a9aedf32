"""Sentencepiece tokenizers: Llama's and Code Llama's.

Ids are those of Meta's reference (facebookresearch/codellama, llama/tokenizer.py) for every text
in which no sentinel is spelled out. Meta's own model holds "▁<PRE>" and its like as ordinary
pieces, so its encode() turns the characters " <PRE>" into the sentinel; here they stay text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError
from sentencepiece import SentencePieceProcessor
from sentencepiece.sentencepiece_model_pb2 import ModelProto

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
    from pathlib import Path

_SPACE = "▁"
_GUARD = "☺"
_Kind = ModelProto.SentencePiece
_TEXT = (_Kind.NORMAL, _Kind.USER_DEFINED)
_SENTINEL = re.compile(
    r"▁?<(?:PRE|SUF|MID|EOT|step)>|<(?:fim_(?:prefix|suffix|middle|pad)|file_sep|repo_name)>"
)
"""Code Llama's, CodeQwen's. A wider net would catch ordinary pieces, and with them Meta's ids."""
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")


class SentencePieceTokenizer(Vocabulary):
    """A `Tokenizer` over the sentencepiece library."""

    def __init__(self, model: ModelProto, spelled: list[bytes], controls: Controls) -> None:
        """`model` has its sentinels as control pieces: see `_disarmed`."""
        super().__init__(spelled, controls)
        self._pieces = SentencePieceProcessor(model_proto=model.SerializeToString())
        self._guard = len(self._pieces.encode(_GUARD))
        self._space_ids = [self._pieces.piece_to_id(f"<0x{b:02X}>") for b in _SPACE.encode()]

    def encode_continuation(self, text: str) -> list[int]:
        """See `Tokenizer.encode_continuation`.

        Meta's encode_infilling: a guard character takes the implicit space, and both go.
        """
        return self.encode(_GUARD + text)[self._guard :]

    def _ids(self, text: str) -> tuple[int, ...]:
        """Meta's rule, but for the sign for a space itself: written as its three bytes.

        The library would take it for a space, and the ids would no longer write the text.
        """
        first, *others = text.split(_SPACE)
        ids: list[int] = self._pieces.encode(first)
        for other in others:
            ids += self._space_ids + self._pieces.encode(_GUARD + other)[self._guard :]
        return tuple(ids)


def from_folder(folder: Path) -> SentencePieceTokenizer:
    """The tokenizer of a folder with tokenizer.model.

    Raises:
        UnsupportedModel: It rewrites text before encoding it.
        ValueError: The file is damaged.
    """
    model = ModelProto()
    try:
        model.ParseFromString((folder / "tokenizer.model").read_bytes())
    except DecodeError as error:
        raise ValueError(f"tokenizer.model cannot be read ({error})") from error
    if not model.pieces:
        raise ValueError("tokenizer.model is empty")
    ids, spelled = _disarmed(model)
    added = read_config(folder, "tokenizer_config.json").get("added_tokens_decoder", {})
    entries = {int(key): entry for key, entry in added.items()}
    spelled += [b""] * (size_for(entries) - len(spelled))
    for token, entry in entries.items():
        if token >= len(model.pieces) and is_control(entry["content"], marked=entry["special"]):
            ids[entry["content"]] = token
    names = {token: name for name, token in ids.items()}
    bos, eos = (names.get(i, "") for i in (model.trainer_spec.bos_id, model.trainer_spec.eos_id))
    controls = folder_controls(folder, ids, adds_bos=True, bos=bos, eos=eos)
    return SentencePieceTokenizer(model, spelled, controls)


def from_gguf(metadata: dict[str, Any]) -> SentencePieceTokenizer:
    """The tokenizer in the metadata of a GGUF file ("tokenizer.ggml.model" is "llama").

    Raises:
        UnsupportedModel: A part of the tokenizer is not in the file.
        RuntimeError, TypeError, ValueError: The metadata contradicts itself.
    """
    pieces: list[str] = column(metadata, "tokens")
    column(metadata, "scores")  # without them nothing says which pieces are merged first
    scores: list[float] = column(metadata, "scores", [0.0] * len(pieces))
    kinds: list[int] = column(metadata, "token_type", _kinds(metadata, pieces))
    rows = zip(pieces, scores, kinds, strict=True)
    model = ModelProto(pieces=[_Kind(piece=p, score=s, type=t) for p, s, t in rows])
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    trainer.model_type, trainer.byte_fallback = model.trainer_spec.BPE, True
    trainer.vocab_size = len(model.pieces)
    normalizer.name, normalizer.remove_extra_whitespaces = "identity", False
    normalizer.add_dummy_prefix = metadata.get("tokenizer.ggml.add_space_prefix", True)
    for token in named_tokens(metadata).values():
        if model.pieces[token].type in _TEXT:
            model.pieces[token].type = _Kind.CONTROL
    ids, spelled = _disarmed(model)
    return SentencePieceTokenizer(model, spelled, gguf_controls(metadata, ids, adds_bos=True))


def _kinds(metadata: dict[str, Any], pieces: list[str]) -> list[int]:
    """Return the types of pieces for a file that has none: all normal, but for the obvious."""
    unknown = metadata.get("tokenizer.ggml.unknown_token_id", 0)
    kinds = [_Kind.BYTE if _BYTE.fullmatch(piece) else _Kind.NORMAL for piece in pieces]
    for token, piece in enumerate(pieces):
        if token == unknown:
            kinds[token] = _Kind.UNKNOWN
        elif piece in ("<s>", "</s>"):
            kinds[token] = _Kind.CONTROL
    return [int(kind) for kind in kinds]


def _disarmed(model: ModelProto) -> tuple[dict[str, int], list[bytes]]:
    """Make every sentinel a control piece, which no text is encoded to.

    Returns the ids of the control pieces, and what each piece writes.
    """
    normalizer = model.normalizer_spec
    if normalizer.precompiled_charsmap or normalizer.remove_extra_whitespaces:
        raise UnsupportedModel(
            "This model's tokenizer rewrites text before it encodes it, so what it completes "
            "would not be your document. Choose another model."
        )
    for piece in model.pieces:
        if piece.type == _Kind.NORMAL and _SENTINEL.fullmatch(piece.piece):
            piece.type = _Kind.CONTROL
        if piece.type == _Kind.USER_DEFINED and is_control(piece.piece, marked=False):
            piece.type = _Kind.CONTROL
    kinds = (*_TEXT, _Kind.BYTE, _Kind.UNUSED)
    ids = {p.piece: i for i, p in enumerate(model.pieces) if p.type not in kinds}
    return ids, [_written(piece) for piece in model.pieces]


def _written(piece: ModelProto.SentencePiece) -> bytes:
    """What a piece writes; a byte piece is called <0x0A>."""
    if piece.type == _Kind.BYTE:
        return bytes.fromhex(piece.piece[3:5])
    if piece.type in _TEXT:
        text: str = piece.piece.replace(_SPACE, " ")
        return text.encode()
    return b""
