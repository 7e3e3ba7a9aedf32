"""Token healing: the answer must begin with the bytes that the caret cut off a token.

The prompt is backed up over the token that the caret cuts, and the first generated tokens are
limited to those that spell the removed text again, so the model sees the tokens that it was
trained on (Code Llama, arXiv 2308.12950, appendix E, names it as the remedy).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.tokenizers import Tokenizer


class Healing:
    """Constraint of `engine.generate`: spell `heal`, then anything."""

    def __init__(self, tokenizer: Tokenizer, heal: bytes) -> None:
        self._tokenizer, self._rest = tokenizer, heal

    def allowed(self) -> list[int] | None:
        """The tokens that may come next, or None when every token may."""
        return self._tokenizer.spellings.allowed(self._rest) if self._rest else None

    def allows(self, token: int) -> bool:
        """Whether a token is one of `allowed`, without a list of them."""
        spelled = self._tokenizer.token_bytes(token)
        fits = spelled.startswith(self._rest) or self._rest.startswith(spelled)
        return not self._rest or bool(spelled and fits)

    def advance(self, token: int) -> None:
        """Take the chosen token's bytes off what is still to be spelled."""
        self._rest = self._rest[len(self._tokenizer.token_bytes(token)) :]
