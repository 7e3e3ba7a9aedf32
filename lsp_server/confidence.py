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


class Token(NamedTuple):
    """What the model wrote at once."""

    text: str
    logprob: float
    """Natural logarithm of its probability."""


def score(tokens: Iterable[Token], text: str, typed: str = "") -> float | None:
    """That of `text` or of its first line, whichever is lower: 0 to 1; None if nothing is known.

    Args:
        tokens: what the model wrote.
        text: what is left of that to be shown, after its beginning and its end were cut.
        typed: the beginning that was cut, since it was typed meanwhile.

    >>> tokens = [Token("f(", math.log(0.9)), Token("x)", math.log(0.4))]
    >>> [round(score(tokens, text, typed), 2) for text, typed in [("f(x)", ""), (")", "f(x")]]
    [0.6, 0.4]
    """
    known = list(tokens)
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


def _mean(tokens: Iterable[Token], start: int, end: int) -> float | None:
    """Geometric mean of the probabilities of the tokens between two counts of letters."""
    at, count, logprob = 0, 0.0, 0.0
    for token in tokens:
        share = _share(at, at + _letters(token.text), start, end)
        count += share
        logprob += share * token.logprob
        at += _letters(token.text)
    return math.exp(min(logprob / count, 0.0)) if count else None


def _share(first: int, last: int, start: int, end: int) -> float:
    """How much of first to last lies between start and end; white space is at one place."""
    if first == last:
        return float(start <= first < end)
    return max(min(last, end) - max(first, start), 0) / (last - first)
