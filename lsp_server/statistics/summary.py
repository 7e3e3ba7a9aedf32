"""From numbers to what they say. Pure functions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsp_server.statistics.counts import COUNTS, SOURCES, bucket_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lsp_server.statistics.counts import Key

PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one day, of one language, or of all."""

    counts: Counter[str]
    """By name, see `counts.Key`."""

    @property
    def acceptance(self) -> float | None:
        """Share of the suggestions shown of which something was accepted."""
        return _share(self.counts["accepted"], self.counts["shown"])

    @property
    def kept(self) -> float | None:
        """Share of the acceptances that stood unchanged after 30 s, of those looked at then."""
        looked = sum(self.counts[fate] for fate in ("kept", "changed", "gone"))
        return _share(self.counts["kept"], looked)

    @property
    def tokens_per_s(self) -> float | None:
        """Of the model at work, with the time in which it reads what is new."""
        rate = _share(self.counts["tokens"], self.counts["model_ms"])
        return None if rate is None else rate * 1000

    @property
    def without_model(self) -> float | None:
        """Share of the answers for which the model was not asked anew."""
        answers = {source: sum(self._buckets(source).values()) for source in SOURCES}
        return _share(sum(answers.values()) - answers["model"], sum(answers.values()))

    def latency(self, source: str | None = None) -> dict[str, float]:
        """Answers, and the percentiles of their times in ms, of a source or of all."""
        buckets: Counter[int] = Counter()
        for name in [source] if source else SOURCES:
            buckets.update(self._buckets(name))
        answers = buckets.total()
        told: dict[str, float] = {"answers": answers}
        if answers:
            told |= {f"p{n}_ms": _percentile(buckets, n) for n in PERCENTILES}
        return told

    def record(self) -> dict[str, Any]:
        """All of it, for programs."""
        return {name: self.counts[name] for name in COUNTS} | {
            "acceptance": self.acceptance,
            "kept_share": self.kept,
            "tokens_per_s": self.tokens_per_s,
            "without_model": self.without_model,
            "latency": {source: self.latency(source) for source in SOURCES},
        }

    def _buckets(self, source: str) -> Counter[int]:
        split = ((name.partition(" "), count) for name, count in self.counts.items())
        return Counter({int(bucket): n for (of, _, bucket), n in split if of == source})


@dataclass(frozen=True, slots=True)
class Summary:
    """What the numbers of some days say."""

    total: Figures
    languages: dict[str, Figures]
    """The one with most suggestions first."""
    days: dict[str, Figures]
    """In their order; those on which nothing was counted are not there."""


def summarise(numbers: Mapping[Key, int]) -> Summary:
    """Add the numbers up."""
    languages = _by(numbers, lambda key: key.language)
    busiest = sorted(languages.items(), key=lambda item: -item[1].counts["shown"])
    total = _by(numbers, lambda _: "").get("", Figures(Counter()))
    days = _by(numbers, lambda key: key.day)
    return Summary(total, dict(busiest), dict(sorted(days.items())))


def _by(numbers: Mapping[Key, int], group: Callable[[Key], str]) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    for key, number in numbers.items():
        found.setdefault(group(key), Figures(Counter())).counts[key.name] += number
    return found


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _percentile(buckets: Counter[int], percent: int) -> float:
    """Milliseconds within which this percentage of the answers came, give or take a bucket."""
    wanted, seen = buckets.total() * percent / 100, 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= wanted:
            break
    return bucket_ms(bucket)
