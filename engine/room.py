"""Which models may be let go where another one finds no room, and what to do where none may.

The model that completes is not let go for one that is talked to while somebody types: two models
that push each other out at every turn would leave a user with neither. Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.api import Ability
    from engine.models import ModelEntry

IN_USE_S = 600.0
"""A model that was asked to complete within so many seconds is in somebody's use."""


@dataclass(slots=True)
class Wanted:
    """When a model was last wanted, and for what; seconds of one clock."""

    entry: ModelEntry
    at: dict[Ability, float] = field(default_factory=dict)

    def yields(self, ability: Ability, now: float) -> bool:
        """Whether it may make room for another model that is wanted for an ability."""
        completed = self.at.get("infill")
        return ability == "infill" or completed is None or now - completed >= IN_USE_S


def first_to_go(models: Iterable[Wanted], ability: Ability, now: float) -> Wanted | None:
    """The one wanted least recently of those that may make room; None where none may."""
    yielding = (model for model in models if model.yields(ability, now))
    return min(yielding, key=lambda model: max(model.at.values()), default=None)


def advice(ability: Ability, kept: Iterable[ModelEntry]) -> str:
    """What else would do for a model that finds no room beside those that are kept; may be ""."""
    if ability == "infill" or not (names := [entry.name for entry in kept]):
        return ""
    able = [entry.name for entry in kept if "instruct" in entry.abilities]
    same = [f"leave caret.instruct.model empty, so that {able[0]} answers too"] if able else []
    ways = [*same, "let another machine answer by caret.instruct.endpoint"]
    return f" {' and '.join(names)} stays in memory to complete: {', or '.join(ways)}."
