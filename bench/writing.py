"""How fast text is written while somebody types: with drafts, and without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.ours import PLAIN
from bench.report import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.ours import Engine

_BEFORE = 4_000
"""Characters of the text behind which is written without drafts: about as many tokens as a
completion's window has."""
_TOKENS = 32


@dataclass(frozen=True, slots=True)
class Writing:
    """What the engine counted of its passes while keys were typed."""

    tokens: float
    passes: float
    later: float
    """Passes behind the first one of each answer, which reads what is new of the prompt as well."""
    seconds: float
    """That these took."""
    plain: float | None = None
    """Milliseconds a token without drafts; None where the model wrote no second token."""

    @classmethod
    def between(
        cls, before: Mapping[str, float], after: Mapping[str, float], plain: float | None
    ) -> Writing:
        """By the engine's counters at two times."""
        tokens, passes, answers, seconds = (
            after.get(name, 0.0) - before.get(name, 0.0)
            for name in (
                "caret_generated_tokens_total",
                "caret_generating_passes_total",
                "caret_requests_total",
                "caret_decode_seconds_total",
            )
        )
        return cls(tokens, passes, passes - answers, seconds, plain)

    def figures(self) -> list[Figure]:
        """A token's share of a pass takes less where drafts hold."""
        if self.later <= 0:
            return []
        each = self.tokens / self.passes
        served = 1000 * self.seconds / self.later / each
        return [
            Figure("written, tokens a pass", each, None, "tokens", less_is_better=False),
            Figure("written, with drafts", served, None, "ms/token"),
            Figure("written, without", self.plain, None, "ms/token"),
        ]


async def without_drafts(engine: Engine, model: str, text: str) -> float | None:
    """Milliseconds a token behind the end of `text`, but for the first."""
    usage = (await engine.write(model, text[-_BEFORE:], _TOKENS, PLAIN)).usage
    later = usage.completion_tokens - 1
    return usage.decode_ms / later if later > 0 else None
