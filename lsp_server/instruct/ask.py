"""A request for an instruct model, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsp_server.instruct.commands import Command
    from lsp_server.instruct.place import Place, Problem
    from lsp_server.instruct.syntax import Region
    from lsp_server.instruct.target import Target


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines of a file that the model gets to read."""

    path: str
    """As the workspace would write it."""
    line: int
    """Index of the first line."""
    text: str

    @property
    def title(self) -> str:
        """For example `src/a.py:10`."""
        return f"{self.path}:{self.line + 1}"


@dataclass(frozen=True, slots=True)
class Ask:
    """What a person wants."""

    command: Command
    place: Place | None = None
    problems: tuple[Problem, ...] = ()
    instruction: str = ""
    text: str = ""
    """Pasted output of a program."""
    excerpts: tuple[Excerpt, ...] = ()
    """Code that is in question beside the place's: frames of a traceback, what a search found."""
    related: tuple[Excerpt, ...] = ()
    """Code that may help, the most telling first; left out where there is no room."""
    target: Target | None = None
    """Where tests go."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done about it, once the place was looked at."""

    ask: Ask
    region: Region
    """The lines that are explained, or that the answer takes the place of."""
    what: str
    """How the region is called: "the function `area`"."""
    instruction: str = ""
    """The user's, or the comment's that stands there."""
