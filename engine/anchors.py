"""Where the prompt of a completion is parted: where it leaves the least to evaluate.

A style that reads the suffix after the lines above the anchor must read the suffix again whenever
the anchor moves. So the anchor stays where a cached prompt has it, while what was typed since is
short, and moves to the caret's line when that is as cheap, when the cached prompt no longer
begins as the document's would, or when the engine has nothing else to do. Which of these holds
is not deduced from edits: every possible prompt is planned from the document as it is, and the
tokens that it shares with a cached one decide.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from engine.fim import lines_of, plan_fim, splits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.api import CompletionRequest
    from engine.fim import FimPrompt
    from engine.slots import SlotPool
    from engine.tokenizers import Tokenizer

FAR, NEAR = 1200, 320
"""Characters that may stand between the anchor and the caret, some 300 and 80 tokens: at most,
and before an idle engine moves the anchor. An anchor a few lines above the caret's completes as
well as one at its line."""
WORTH = 8
"""New tokens that an anchor above the caret's line must save."""


class Planner:
    """Plans prompts of one style that continue what a pool of slots holds."""

    def __init__(self, tokenizer: Tokenizer, style: str, slots: SlotPool) -> None:
        self._tokenizer, self._style, self._slots = tokenizer, style, slots

    def plan(self, request: CompletionRequest, budget: int, *, idle: bool = False) -> FimPrompt:
        """The prompt for a request, of at most `budget` tokens."""
        assert request.suffix is not None
        planned = partial(
            plan_fim,
            self._tokenizer,
            self._style,
            prefix=request.prompt,
            suffix=request.suffix,
            budget=budget,
            path=request.path,
            context=request.context,
            hint=request.hint,
        )
        at_line = planned()
        if not splits(self._style):
            return at_line
        held = [planned(anchor=at) for at in set(self._held(request, NEAR if idle else FAR))]
        cheapest = min(held, key=self._cost, default=at_line)
        return cheapest if self._cost(cheapest) + WORTH <= self._cost(at_line) else at_line

    def _cost(self, prompt: FimPrompt) -> int:
        """Tokens to evaluate."""
        return len(prompt.tokens) - self._slots.shared(prompt.tokens)

    def _held(self, request: CompletionRequest, reach: int) -> Iterator[int]:
        """Places of the anchors of cached prompts, as far as they show in the document."""
        prefix = request.prompt
        for tokens in self._slots.held:
            lines = lines_of(self._tokenizer, self._style, tokens, request.path)
            if lines is None:
                continue
            # All of the prefix up to the anchor; else its window, which text seldom repeats.
            start = 0 if prefix.startswith(lines) else prefix.rfind(lines)
            anchor = start + len(lines)
            if start >= 0 and len(prefix) - anchor <= reach:
                yield anchor
