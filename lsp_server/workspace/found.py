"""What goes into a prompt, before it is cut and put in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Found:
    """Text of another file, or of another place in the caret's own."""

    path: str
    """Relative to the workspace folder."""
    line: int
    """Index of the first line in its file."""
    text: str
    score: float
    """Comparable among those of one kind."""
    kind: Literal["definition", "recent", "piece"]
    brief: str = ""
    """A shorter form, of a definition: its first lines."""
