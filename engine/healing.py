"""What an answer may begin with: the bytes that the caret cut off a token, and no end too soon.

Token healing: the prompt is backed up over the token that the caret cuts, and the first generated
tokens are limited to those that spell the removed text again, so the model sees the tokens that it
was trained on (Code Llama, arXiv 2308.12950, appendix E, names it as the remedy).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from engine.tokenizers import Tokenizer


class Healing:
    """Constraint of `engine.generate`: spell `heal`, then `least` tokens, then anything."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        heal: bytes,
        least: int = 0,
        ends: frozenset[int] = frozenset(),
    ) -> None:
        """`least` tokens go beyond `heal` before one of `ends` may come."""
        self._tokenizer, self._rest = tokenizer, heal
        self._least, self._ends = least, ends

    def limited(self, logits: Tensor) -> Tensor:
        """See `engine.generate.Constraint`."""
        if self._rest:
            mask = torch.full_like(logits, -torch.inf)
            mask[self._spellings()] = 0
            return logits + mask
        if self._least > 0:
            ends = torch.tensor(sorted(self._ends), device=logits.device)
            return logits.index_fill(0, ends, -torch.inf)
        return logits

    def allows(self, token: int) -> bool:
        """Whether this one may come next."""
        if not self._rest:
            return self._least <= 0 or token not in self._ends
        spelled = self._tokenizer.token_bytes(token)
        if spelled == self._rest:
            return not self._must_go_beyond()
        return bool(spelled) and (spelled.startswith(self._rest) or self._rest.startswith(spelled))

    def advance(self, token: int) -> None:
        """Take the chosen token's bytes off what is still to be spelled."""
        spelled = self._tokenizer.token_bytes(token)
        self._least -= len(spelled) > len(self._rest)
        self._rest = self._rest[len(spelled) :]

    def _spellings(self) -> list[int]:
        tokens = self._tokenizer.spellings.allowed(self._rest)
        if not self._must_go_beyond():
            return tokens
        return [each for each in tokens if self._tokenizer.token_bytes(each) != self._rest]

    def _must_go_beyond(self) -> bool:
        """A model that would end here would spell `heal` first, and go astray from there."""
        return self._least > 0 and self._tokenizer.spellings.extends(self._rest)
