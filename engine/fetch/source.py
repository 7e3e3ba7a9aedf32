"""What the sources of model files have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull is."""

    done: int
    """Bytes on disk, those of earlier attempts included."""
    total: int | None
    source: str
    """Where the bytes come from, in a few words."""


Report: TypeAlias = Callable[[Progress], None]
"""Called a few times a second or more; an exception that it raises stops the pull, resumably."""

Digests: TypeAlias = dict[str, str]
"""SHA-256 in hex of every file that a source delivered, by its path below the models folder."""


class SourceFailed(Exception):
    """This source cannot deliver, another one may; the text goes into the final FetchError."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
