"""Guesses at the next tokens that cost no model: text repeats itself, and answers each other.

A draft is what followed where the last few tokens stood before: in the suggestion of a key ago,
in the document, in an answer of an hour ago (inference with reference, Yang et al., arXiv
2304.04487). The model then checks all of it in one pass. Imports no torch.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONGEST = 4
"""Tokens that are compared at most; a longer match would say little more."""
KEPT = 16_384
"""Tokens that are remembered for certain; twice as many at most."""
_BREAK = -1
"""Stands between texts that do not follow each other."""


class Draft(NamedTuple):
    """Tokens that may come next."""

    tokens: list[int]
    match: int = 0
    """How many tokens before them agree with those before their source."""


class Reference:
    """What was read and written lately, and where each run of up to `LONGEST` tokens ended last.

    Time and memory are linear in the tokens.
    """

    def __init__(self) -> None:
        self._text: list[int] = []
        """The latest text as a whole."""
        self._tokens: list[int] = []
        """What of each text was new, behind the few tokens that lead to it."""
        self._start = 0
        """Of the latest text in `_tokens`."""
        self._ends: dict[tuple[int, ...], int] = {}
        self._back = 0
        """Distance from the end to the last source; 0 for none."""

    def begin(self, text: Sequence[int]) -> None:
        """Another text, of which only what the latest one did not begin with is new."""
        if len(self._tokens) > 2 * KEPT:
            self._forget()
        shared, pairs = min(len(text), len(self._text)), zip(text, self._text, strict=False)
        shared = next((i for i, (new, old) in enumerate(pairs) if new != old), shared)
        self._text, self._back = list(text[:shared]), 0
        self._note([_BREAK, *text[max(shared - LONGEST, 0) : shared]])
        self.draft(1)  # finds where the latest text went on from here, for `_back`
        self.extend(text[shared:])

    def extend(self, tokens: Sequence[int]) -> None:
        """The text goes on."""
        self._text += tokens
        self._note(tokens)

    def _note(self, tokens: Sequence[int]) -> None:
        for token in tokens:
            end = len(self._tokens)
            self._tokens.append(token)
            if token == _BREAK:
                self._start = end + 1
            for start in range(max(end - LONGEST, self._start), end):
                self._ends[tuple(self._tokens[start:end])] = end

    def draft(self, most: int, allows: Callable[[int], bool] = lambda _: True) -> Draft:
        """What followed the longest run that the text ends with, the latest of several.

        Where there is none, the text may have one token in place of another: then what followed
        that one.

        Args:
            most: Tokens wanted.
            allows: Says whether some token may be the first one; other sources do not count.
        """
        size = len(self._tokens)
        for length in range(min(LONGEST, size - self._start), -1, -1):
            run = tuple(self._tokens[size - length :])
            end = self._ends.get(run, size) if run else size - self._back
            if end < size and allows(self._tokens[end]):
                self._back = size - end
                found = self._tokens[end : end + most]
                return Draft(list(takewhile(lambda token: token != _BREAK, found)), length)
        return Draft([])

    def _forget(self) -> None:
        """Keep the newest; the next text counts as all new."""
        latest, self._text, self._tokens, self._ends = self._tokens[-KEPT:], [], [], {}
        self._note([_BREAK, *latest])
