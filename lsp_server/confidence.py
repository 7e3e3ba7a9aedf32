"""How sure the model was of a text, from the probabilities of its tokens. Pure functions.

The score is the geometric mean of the tokens' probabilities, which does not fall with the length
as their product does. Of a block, the first line has a score of its own: it is what a person reads
first and what all else rests on, and it is there long before the block is.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Part(NamedTuple):
    """What came of a stream at once."""

    text: str
    tokens: int
    logprob: float
    """Sum over the tokens; natural logarithm."""


def score(parts: Iterable[Part], text: str, typed: str = "") -> float | None:
    """That of `text` or of its first line, whichever is lower: 0 to 1; None if nothing is known.

    Args:
        parts: what the model wrote.
        text: what is left of that to be shown, after its beginning and its end were cut.
        typed: the beginning that was cut, since it was typed meanwhile.

    >>> parts = [Part("f(", 1, math.log(0.9)), Part("x)", 1, math.log(0.4))]
    >>> [round(score(parts, text, typed), 2) for text, typed in [("f(x)", ""), (")", "f(x")]]
    [0.6, 0.4]
    """
    known = list(parts)
    start = _letters(typed)
    ends = (start + _letters(shown) for shown in (text, first_line(text)))
    means = [mean for end in ends if (mean := _mean(known, start, end)) is not None]
    return min(means, default=None)


def first_line(text: str) -> str:
    r"""Up to the first line end that follows anything but white space.

    >>> first_line("\n  a\n  b"), first_line("a")
    ('\n  a', 'a')
    """
    begin = len(text) - len(text.lstrip())
    end = text.find("\n", begin)
    return text if end < 0 else text[:end]


def _letters(text: str) -> int:
    """Length without white space, which is what may be changed before a text is shown."""
    return len("".join(text.split()))


def _mean(parts: Iterable[Part], start: int, end: int) -> float | None:
    """Geometric mean of the probabilities of the tokens between two counts of letters."""
    at, tokens, logprob = 0, 0.0, 0.0
    for part in parts:
        share = _share(at, at + _letters(part.text), start, end)
        tokens += share * part.tokens
        logprob += share * part.logprob
        at += _letters(part.text)
    return math.exp(min(logprob / tokens, 0.0)) if tokens else None


def _share(first: int, last: int, start: int, end: int) -> float:
    """How much of first to last lies between start and end; white space is at one place."""
    if first == last:
        return float(start <= first < end)
    return max(min(last, end) - max(first, start), 0) / (last - first)
