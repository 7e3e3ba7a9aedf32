"""What the engine has done so far, in Prometheus' text format 0.0.4.

Used from the event loop alone, so it has no lock.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.api import Usage

Kind = Literal["completion", "ahead", "chat"]
"""An "ahead" is a completion of no tokens: its prompt is read for one to come."""
Labels = tuple[tuple[str, str], ...]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_FAMILIES: Mapping[str, tuple[str, str]] = {
    "caret_requests_started_total": ("counter", "Requests for text that came, by kind."),
    "caret_requests_total": ("counter", "Requests answered, by kind and outcome."),
    "caret_queue_depth": ("gauge", "Requests on the compute thread or waiting for it."),
    "caret_prompt_tokens_total": ("counter", "Tokens of prompts, cached ones included."),
    "caret_cached_tokens_total": ("counter", "Tokens of prompts found in the KV cache."),
    "caret_generated_tokens_total": ("counter", "Tokens generated."),
    "caret_generating_passes_total": ("counter", "Forward passes that gave these tokens."),
    "caret_drafted_tokens_total": ("counter", "Tokens guessed, to be checked in these passes."),
    "caret_accepted_tokens_total": ("counter", "Guessed tokens that are among the generated."),
    "caret_prefill_seconds_total": ("counter", "Time spent on evaluating prompts."),
    "caret_decode_seconds_total": ("counter", "Time spent on generating tokens."),
    "caret_models": ("gauge", "Models by phase on their way into memory."),
    "caret_resident_bytes": ("gauge", "Memory of the engine process, models included."),
}


class Metrics:
    """Counts by name and labels; `render` shows them with the gauges of the moment."""

    def __init__(self) -> None:
        self._counts: defaultdict[tuple[str, Labels], float] = defaultdict(float)

    def count_start(self, kind: Kind) -> None:
        """One more request; it may wait for its model or its turn."""
        self._counts["caret_requests_started_total", (("kind", kind),)] += 1

    def count_request(self, kind: Kind, outcome: str) -> None:
        """One more answer; `outcome` is "ok", "cancelled" or the code of an error."""
        labels = (("kind", kind), ("outcome", outcome))
        self._counts["caret_requests_total", labels] += 1

    def count_usage(self, kind: Kind, usage: Usage) -> None:
        """What one finished answer cost."""
        costs = {
            "caret_prompt_tokens_total": usage.prompt_tokens,
            "caret_cached_tokens_total": usage.cached_tokens,
            "caret_generated_tokens_total": usage.completion_tokens,
            "caret_generating_passes_total": usage.passes,
            "caret_drafted_tokens_total": usage.drafted_tokens,
            "caret_accepted_tokens_total": usage.accepted_tokens,
            "caret_prefill_seconds_total": usage.prefill_ms / 1000,
            "caret_decode_seconds_total": usage.decode_ms / 1000,
        }
        for name, cost in costs.items():
            self._counts[name, (("kind", kind),)] += cost

    def render(self, gauges: Mapping[tuple[str, Labels], float]) -> str:
        """The whole page, families in the order above, each with its help and type."""
        values = {**self._counts, **gauges}
        lines: list[str] = []
        for family, (kind, text) in _FAMILIES.items():
            lines += [f"# HELP {family} {text}", f"# TYPE {family} {kind}"]
            lines += [
                f"{name}{_braces(labels)} {value:.15g}"
                for (name, labels), value in sorted(values.items())
                if name == family
            ]
        return "\n".join(lines) + "\n"


def _braces(labels: Labels) -> str:
    """Every value comes from a fixed set of ours, so none needs escaping."""
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}" if labels else ""
