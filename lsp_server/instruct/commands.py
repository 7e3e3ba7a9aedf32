"""The commands that an instruct model answers, as a table. Imports nothing: it is read at start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Yields = Literal["text", "rewrite", "insertion", "comment", "tests"]
"""What comes of the answer: text only; the region rewritten; code put in at the caret; the
comment of a definition; a file of tests."""
Needs = Literal["document", "instruction", "text", ""]


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    name: str
    title: str
    """For menus and progress bars."""
    does: str
    """For the docs."""
    yields: Yields = "text"
    needs: Needs = "document"
    """Without it there is nothing to do; an instruction comes with a document or without."""

    @property
    def id(self) -> str:
        """As `workspace/executeCommand` has it."""
        return f"caret.{self.name}"

    @property
    def edits(self) -> bool:
        """Whether an edit comes of it."""
        return self.yields != "text"


_ALL = (
    Command("explain", "Explain", "Explains the selection, the name at the caret or a diagnostic."),
    Command(
        "debug",
        "Debug",
        "Finds the cause of a traceback, a compiler's error or a failing test in your code.",
        needs="text",
    ),
    Command("fix", "Fix", "Corrects diagnostics, one or all in a function.", "rewrite"),
    Command("test", "Write tests", "Writes tests where the project has its own.", "tests"),
    Command("doc", "Document", "Writes the comment of a function or class.", "comment"),
    Command("refactor", "Refactor", "Rewrites code as you say.", "rewrite"),
    Command("generate", "Generate", "Writes code from a comment or a sentence.", "insertion"),
    Command("todo", "Complete TODO", "Does what a TODO comment says.", "rewrite"),
    Command("review", "Review", "Looks for faults in the selection or the file."),
    Command("ask", "Ask", "Answers a question about the workspace.", needs="instruction"),
)
COMMANDS = {command.name: command for command in _ALL}
IDS = tuple(command.id for command in _ALL)


def markdown() -> str:
    """The table for the docs."""
    kinds = {
        "text": "text",
        "rewrite": "text and an edit of the region",
        "insertion": "text and code at the caret",
        "comment": "text and the comment",
        "tests": "text and a file of tests",
    }
    needs = {
        "document": "a document",
        "instruction": "`instruction`",
        "text": "`text` or `diagnostics`",
    }
    lines = ["| command | what it does | needs | gives |", "|---|---|---|---|"]
    for command in _ALL:
        needed, given = needs[command.needs], kinds[command.yields]
        lines.append(f"| `{command.id}` | {command.does} | {needed} | {given} |")
    return "\n".join(lines)
