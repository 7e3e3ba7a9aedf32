"""How many drafted tokens to check in a pass: as many as make a token cheapest, here and now.

Checking is greedy-exact (Leviathan et al., arXiv 2211.17192, at temperature 0): a drafted token
holds where it is the model's own choice, so drafts change the cost of an answer, never its text.
What one costs depends on the processor, the format and the model, and what it yields on the text;
both are measured as answers are written. Imports no torch.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from engine.drafts import LONGEST, Draft, Reference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_ROWS = 16
"""Rows of a pass that checks a draft, at most; the cost of larger ones is not looked at."""
_WEIGHT = 1 / 8
"""Of the newest time in a mean."""
_FORGET = 256
"""Passes after which a time is forgotten, so that what once was slow is tried again."""
_MEMORY = 64
"""Drafts that a rate of agreement goes by, about."""


class PassTimes:
    """What a forward pass takes, by its number of rows, as far as that was measured."""

    def __init__(self) -> None:
        self._passes = 0
        self._means: dict[int, tuple[float, int]] = {}
        """Rows to exponentially weighted mean and number of the last pass."""

    def note(self, rows: int, seconds: float) -> None:
        """One more pass."""
        self._passes += 1
        mean, _ = self._means.get(rows, (seconds, 0))
        self._means[rows] = (mean + (seconds - mean) * _WEIGHT, self._passes)
        for old in [n for n, (_, last) in self._means.items() if self._passes - last > _FORGET]:
            del self._means[old]

    def expected(self, rows: int) -> float:
        """Seconds: on the line between the nearest numbers measured, outside as the nearest."""
        known = sorted(self._means)
        at = bisect_left(known, rows)
        if not known:
            return 0.0
        if at in (0, len(known)) or known[at] == rows:
            return self._bound(known[min(at, len(known) - 1)])
        below, above = known[at - 1], known[at]
        low, high = self._bound(below), self._bound(above)
        return low + (high - low) * (rows - below) / (above - below)

    def _bound(self, rows: int) -> float:
        """The mean, unless more rows took less: then something else kept the processor busy."""
        return min(mean for known, (mean, _) in self._means.items() if known >= rows)


class HitRates:
    """How likely a drafted token holds when those before it do, by the match of its source."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(range(LONGEST + 1), (0.0, 0.0))

    def note(self, match: int, held: int, tested: int) -> None:
        """Of `tested` tokens `held` ones were the model's choice; older drafts count less."""
        hits, tests = self._counts[match]
        fading = 1 - 1 / _MEMORY
        self._counts[match] = (hits * fading + held, tests * fading + tested)

    def expected(self, match: int) -> float:
        """By Laplace's rule of succession: a half at first, and never quite 0 or 1."""
        hits, tests = self._counts[match]
        return (hits + 1) / (tests + 2)


class Experience:
    """What was learned about drafts with one model on this machine, and where they come from."""

    def __init__(self) -> None:
        self.times, self.rates, self.reference = PassTimes(), HitRates(), Reference()

    def size(self, draft: Draft, pending: int) -> int:
        """Drafted tokens to check in a pass that has `pending` rows in any case.

        The pass gives 1 + rate + rate² + … tokens, for what a pass of one row takes and what the
        rows of the draft add to this one.
        """
        rate, alone = self.rates.expected(draft.match), self.times.expected(1)
        base, tokens = self.times.expected(pending), 1.0
        best, cheapest = 0, alone
        for size in range(1, min(len(draft.tokens), MOST_ROWS - pending) + 1):
            tokens += rate**size
            cost = (alone + self.times.expected(pending + size) - base) / tokens
            if cost < cheapest:
                best, cheapest = size, cost
        return best


class Speculation:
    """Drafts for one answer, and what became of them; a `Drafter` of `engine.generate`."""

    def __init__(self, experience: Experience, prompt: Sequence[int], max_tokens: int) -> None:
        self._experience, self._left = experience, max_tokens
        self._draft = Draft([])
        experience.reference.begin(prompt)

    def draft(self, pending: int, room: int, allows: Callable[[int], bool]) -> list[int]:
        """See `Drafter.draft`; no more than the answer may still have."""
        most = max(min(MOST_ROWS, room, self._left - 1), 0)
        self._draft = self._experience.reference.draft(most, allows)
        return self._draft.tokens[: self._experience.size(self._draft, pending)]

    def learn(self, rows: int, seconds: float, drafted: int, chosen: Sequence[int]) -> None:
        """See `Drafter.learn`.

        A draft that was not checked is still compared: so it shows when drafts are worth it again.
        """
        self._left -= len(chosen)
        if rows <= MOST_ROWS:
            self._experience.times.note(rows, seconds)
        checked = self._draft.tokens[: drafted or 1]
        if checked:
            held = len(chosen) - 1 if drafted else int(chosen[0] == checked[0])
            self._experience.rates.note(self._draft.match, held, min(held + 1, len(checked)))
        self._experience.reference.extend(chosen)


class NoDrafts:
    """A `Drafter` for answers that are drawn by lot, or to compare with."""

    def draft(self, pending: int, room: int, allows: Callable[[int], bool]) -> list[int]:
        """Nothing."""
        del pending, room, allows
        return []

    def learn(self, rows: int, seconds: float, drafted: int, chosen: Sequence[int]) -> None:
        """Nothing to learn."""
