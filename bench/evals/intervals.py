"""How sure a share or a mean is, and how likely one of k tries is right."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_Z = 1.959964
"""Of the normal distribution, for 95 %."""
_RESAMPLED = 1_000


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure with its 95 % confidence interval."""

    name: str
    value: float
    low: float
    high: float
    unit: str = "%"
    """With %, the values are shares: from 0 to 1."""

    def text(self) -> str:
        """Such as "85.0 (79.1 to 89.5) %"."""
        scale = 100 if self.unit == "%" else 1
        value, low, high = (f"{number * scale:.1f}" for number in (self.value, self.low, self.high))
        return f"{value} ({low} to {high}) {self.unit}".strip()


def share(name: str, hits: Sequence[bool]) -> Measure:
    """Of independent trials, with the interval of Wilson (1927), which holds near 0 and 1 too.

    >>> share("passed", [True] * 9 + [False]).text()
    '90.0 (59.6 to 98.2) %'
    """
    count, right = len(hits), sum(hits)
    if not count:
        return Measure(name, 0.0, 0.0, 1.0)
    part, spread = right / count, _Z * _Z / count
    middle = (part + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(part * (1 - part) / count + spread / (4 * count))
    return Measure(name, part, max(middle - half, 0.0), min(middle + half, 1.0))


def resampled(
    name: str,
    values: Sequence[tuple[float, float]],
    statistic: Callable[[Sequence[tuple[float, float]]], float],
    unit: str = "%",
) -> Measure:
    """Any statistic of pairs, with the percentile bootstrap (Efron 1979); the same each time."""
    if not values:
        return Measure(name, 0.0, 0.0, 0.0, unit)
    chance = random.Random(0)
    found = sorted(statistic(chance.choices(values, k=len(values))) for _ in range(_RESAMPLED))
    low, high = found[round(0.025 * _RESAMPLED)], found[round(0.975 * _RESAMPLED) - 1]
    return Measure(name, statistic(values), low, high, unit)


def ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """The sum of all firsts by that of all seconds; with seconds of 1, the mean.

    >>> ratio([(1, 2), (3, 6)])
    0.5
    """
    below = sum(second for _, second in pairs)
    return sum(first for first, _ in pairs) / below if below else 0.0


def mean(name: str, values: Sequence[float], unit: str = "%") -> Measure:
    """The mean with its bootstrapped interval."""
    return resampled(name, [(value, 1.0) for value in values], ratio, unit)


def pass_at_k(tries: int, right: int, k: int) -> float:
    """Chance that one of k tries is right, without bias from more (arXiv 2107.03374, equation 1).

    >>> pass_at_k(2, 1, 1), pass_at_k(10, 3, 10)
    (0.5, 1.0)
    """
    if tries - right < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / n for n in range(tries - right + 1, tries + 1))
