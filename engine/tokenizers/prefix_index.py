"""Which tokens can spell some bytes: the question of token healing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:

    class _Vocabulary(Protocol):
        @property
        def vocab_size(self) -> int: ...
        def token_bytes(self, token: int) -> bytes: ...


class PrefixIndex:
    """The tokens of a vocabulary that write something, sorted by their bytes."""

    def __init__(self, vocabulary: _Vocabulary) -> None:
        spelled = [vocabulary.token_bytes(token) for token in range(vocabulary.vocab_size)]
        self._ids = sorted((i for i, b in enumerate(spelled) if b), key=spelled.__getitem__)
        self._bytes = [spelled[token] for token in self._ids]

    def allowed(self, remaining: bytes) -> list[int]:
        """Ids whose bytes begin with `remaining`, or with whose bytes `remaining` begins.

        `remaining` is not empty.
        """
        found = self._ids[self._first(remaining) : self._behind(remaining)]
        for length in range(1, len(remaining)):
            head = remaining[:length]
            found += self._ids[self._first(head) : bisect_right(self._bytes, head)]
        return found

    def extends(self, text: bytes) -> bool:
        """Whether some token is longer than `text` and begins with it."""
        return bisect_right(self._bytes, text) < self._behind(text)

    def _first(self, text: bytes) -> int:
        return bisect_left(self._bytes, text)

    def _behind(self, text: bytes) -> int:
        """Where the tokens that begin with `text` end."""
        following = text.rstrip(b"\xff")
        if not following:
            return len(self._bytes)
        return self._first(following[:-1] + bytes([following[-1] + 1]))
