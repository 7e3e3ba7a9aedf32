"""What the keys of a replay come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bench.report import Figure
from bench.stats import percentile, spread

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.replay import Key
    from bench.sites import Site
    from bench.writing import Writing

Side = Literal["caret", "peer"]


def _empty() -> dict[Side, list[Key]]:
    return {"caret": [], "peer": []}


@dataclass(frozen=True, slots=True)
class Sides:
    """Keys of both sides; the peer's are none where it was not measured."""

    typed: dict[Side, list[Key]] = field(default_factory=_empty)
    jumped: dict[Side, list[Key]] = field(default_factory=_empty)
    """The first key at another place of a file."""
    rested: dict[Side, list[Key]] = field(default_factory=_empty)
    """The same, when the caret has stood there for a while."""
    writing: Writing | None = None
    """Caret's, while keys were typed; None where it was not measured."""

    def by_name(self) -> dict[str, list[Key]]:
        """For a file."""
        named = {"": self.typed, " jumped": self.jumped, " rested": self.rested}
        return {side + name: keys for name, sides in named.items() for side, keys in sides.items()}


def figures(sides: Sides, *, accept: bool, idle: float) -> list[Figure]:
    """Times in milliseconds; tokens and keys as counts."""
    return [
        *_times("key to answer", sides.typed, lambda key: not key.first, "mean p50 p90 p99"),
        *_times("off keys", sides.typed, lambda key: key.off, "p50 p90"),
        *_times("new place", sides.typed, lambda key: key.first, "p50"),
        *_times("jump, at once", sides.jumped, lambda _: True, "p50"),
        *_times(f"jump, after {idle:g} s", sides.rested, lambda _: True, "p50"),
        *_calls(sides.typed),
        *_tokens(sides.typed),
        *_suggestions(sides.typed, accept=accept),
        *(sides.writing.figures() if sides.writing else []),
    ]


def _figure(
    name: str,
    keys: dict[Side, list[Key]],
    value: Callable[[list[Key]], float | None],
    unit: str,
    *,
    less_is_better: bool = True,
) -> Figure:
    """One value of each side; `value` is not asked where nothing was typed."""
    ours, peer = (value(keys[side]) if keys[side] else None for side in _empty())
    return Figure(name, ours, peer, unit, less_is_better)


def _times(
    name: str, keys: dict[Side, list[Key]], wanted: Callable[[Key], bool], shown: str
) -> list[Figure]:
    chosen = {side: list(filter(wanted, keys[side])) for side in keys}
    return [
        _figure(f"{name}, {which}", chosen, _milliseconds(which), "ms") for which in shown.split()
    ]


def _milliseconds(which: str) -> Callable[[list[Key]], float]:
    return lambda keys: getattr(spread([key.seconds * 1000 for key in keys]), which)


def _calls(keys: dict[Side, list[Key]]) -> list[Figure]:
    """Keys that cost no call, and how long those took: the peer's cache is inside this process."""
    free: dict[Side, list[Key]] = {
        "caret": [key for key in keys["caret"] if not key.calls],
        "peer": [],
    }
    no_call = _percent(lambda key: not key.calls)
    return [
        _figure("no model call, keys", keys, no_call, "%", less_is_better=False),
        *_times("no model call", free, lambda _: True, "p50 p99 max"),
        _figure("off keys, of all", keys, _percent(lambda key: key.off), "%"),
    ]


def _tokens(keys: dict[Side, list[Key]]) -> list[Figure]:
    """New tokens of the prompt: of all keys but the first at each site, and of off keys."""
    known = {side: [key for key in keys[side] if key.evaluated is not None] for side in keys}
    later = {side: [key for key in known[side] if not key.first] for side in known}
    off = {side: [key for key in known[side] if key.off] for side in known}
    return [
        _figure("new tokens a key, median", later, _median_tokens, "tokens"),
        _figure("new tokens an off key, median", off, _median_tokens, "tokens"),
    ]


def _median_tokens(keys: list[Key]) -> float:
    return percentile([key.evaluated or 0 for key in keys], 0.5)


def _suggestions(keys: dict[Side, list[Key]], *, accept: bool) -> list[Figure]:
    """How often the rest of the line was suggested; with an accepting user, keys saved."""
    hits = _percent(lambda key: key.hit)
    shown = [_figure("rest of the line suggested, keys", keys, hits, "%", less_is_better=False)]
    if accept:
        shown.append(_figure("characters saved", keys, _saved, "%", less_is_better=False))
    return shown


def _percent(wanted: Callable[[Key], bool]) -> Callable[[list[Key]], float]:
    return lambda keys: 100 * sum(map(wanted, keys)) / len(keys)


def _saved(keys: list[Key]) -> float:
    """Percent of the characters that an accepting user did not type."""
    taken = sum(len(key.wanted) - 1 for key in keys if key.hit)
    return 100 * taken / (len(keys) + taken)


def notes(typing: list[Site], sides: Sides) -> list[str]:
    """What a reader must know beside the figures."""
    keys = sides.typed["caret"]
    unknown = sum(key.evaluated is None for key in keys)
    told = [
        f"Typed: {', '.join(site.name for site in typing)}; "
        f"{len(keys)} keys with Caret, {len(sides.typed['peer'])} with llama.vim's way.",
        "What llama.vim's cache answers takes no time here: it is in the editor's own process.",
    ]
    if unknown:
        told.append(
            f"New tokens are not counted for {unknown} of Caret's keys, whose request was closed "
            "before its first text."
        )
    return told
