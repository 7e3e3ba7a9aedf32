"""Prompts of a given length: real code, and no two alike, so that no cache can help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.sites import ROOTS
from engine.errors import CaretError
from engine.tokenizers import open_tokenizer

if TYPE_CHECKING:
    from pathlib import Path


class Texts:
    """Pieces of Caret's own sources, measured in a model's tokens."""

    def __init__(self, model: Path) -> None:
        tokenizer = open_tokenizer(model)
        files = sorted(path for root in ROOTS for path in root.rglob("*.py"))
        self._tokenizer = tokenizer
        self._tokens = tokenizer.encode("".join(file.read_text("utf-8") for file in files))
        self._next = 0

    def take(self, tokens: int) -> str:
        """The next text of so many tokens; a server may count one or two more or less.

        Raises:
            CaretError: all were taken.
        """
        taken = self._tokens[self._next : self._next + tokens]
        if len(taken) < tokens:
            raise CaretError(f"Caret's sources have only {len(self._tokens):,} tokens to read.")
        self._next += tokens
        spelled = b"".join(map(self._tokenizer.token_bytes, taken))
        return spelled.decode("utf-8", "ignore")
