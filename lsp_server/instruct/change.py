"""What an answer makes of a file: its new lines, and the least edits that lead there. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import takewhile
from typing import TYPE_CHECKING

from lsp_server.instruct.answers import code, indent, reindented
from lsp_server.instruct.comments import commented
from lsp_server.instruct.region import TODO
from lsp_server.instruct.syntax import breaks, regions
from lsp_server.workspace.wanted import imported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsp_server.instruct.ask import Task
    from lsp_server.instruct.place import Place

IMPORT = re.compile(r"(?:from\s+\S+\s+import|import|use|using|#\s*include|require(?:_relative)?)\b")
"""A line that brings names in, at the margin."""
_UNTOLD = ("#", "using")
"""Imports that do not tell which names they bring."""


@dataclass(frozen=True, slots=True)
class LineEdit:
    """Lines from `first` up to, not including, `last` become `lines`."""

    first: int
    last: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A file before and after."""

    path: str
    before: str | None
    r"""With `\n` line ends; None for a file that is to be made."""
    after: str

    @property
    def edits(self) -> list[LineEdit]:
        """The least that lead from one to the other, in the order of the file."""
        old, new = (self.before or "").split("\n"), self.after.split("\n")
        matcher = SequenceMatcher(None, old, new, autojunk=False)
        return [
            LineEdit(first, last, tuple(new[start:end]))
            for kind, first, last, start, end in matcher.get_opcodes()
            if kind != "equal"
        ]


class NoCodeError(Exception):
    """The answer has no code that could be put in; says why."""


def change_of(task: Task, answer: str) -> Change | None:
    """What the answer changes; None if that is nothing.

    Raises:
        NoCodeError: there is no code in it, or not what was asked for.
    """
    found = code(answer)
    if found is None:
        raise NoCodeError("the answer has no whole block of code")
    change = _made(task, found)
    return None if change.before == change.after else change


def complaints_about(change: Change, language: str) -> list[str]:
    """Why it may not be applied: what does not parse after it, and did before."""
    return breaks(change.before or "", change.after, language)


def _made(task: Task, found: str) -> Change:
    ask, place = task.ask, task.ask.place
    assert place is not None
    if ask.command.yields == "tests":
        return _with_tests(task, found)
    if ask.command.yields == "comment":
        lines = commented(place, task.region, found)
        if lines is None:
            raise NoCodeError("the answer has no comment that could be taken")
    elif ask.command.yields == "insertion":
        lines = _inserted(task, place, found)
    else:
        lines = _rewritten(task, place, found)
    return Change(place.path, place.text, "\n".join(lines))


def _rewritten(task: Task, place: Place, found: str) -> list[str]:
    """The file with the region replaced; imports that stand before it go to the file's own."""
    region, lines = task.region, place.lines
    old = lines[region.first : region.last + 1]
    imports, new = _own(task, place, found)
    new = _aligned(_done(task, new, old), old)
    if not new:
        raise NoCodeError("the answer's code is empty")
    replaced = [*lines[: region.first], *new, *lines[region.last + 1 :]]
    return _with_imports(replaced, imports)


def _done(task: Task, new: list[str], old: list[str]) -> list[str]:
    """Without the comment that says what was to be done, which models tend to keep."""
    if task.ask.command.name != "todo":
        return new
    wish = next((line.strip() for line in old if TODO.search(line)), "")
    return [line for line in new if line.strip() != wish]


def _own(task: Task, place: Place, found: str) -> tuple[list[str], list[str]]:
    """New imports of an answer, and its code.

    Of an answer that has more than was asked for, the definition in question is taken; one that was
    rewritten may bring new definitions along.
    """
    rows, name = found.split("\n"), task.region.name
    imports, begins = _new_imports(rows, place.lines)
    defined = regions(found, place.language)
    same = next((region for region in defined if name and region.name == name), None)
    if same is None:
        return imports, rows[begins:]
    there = {region.name for region in regions(place.text, place.language)}
    added = {region.name for region in defined} - {name}
    if task.ask.command.name == "refactor" and added and not added & there:
        return imports, rows[begins:]
    return imports, rows[same.first : same.last + 1]


def _new_imports(rows: list[str], lines: Sequence[str]) -> tuple[list[str], int]:
    """Imports at the beginning of some code that it uses and a file lacks; where the code goes on.

    Models import at random: the file's own names, modules that nothing uses.
    """
    begins = next((n for n, row in enumerate(rows) if row.strip() and not IMPORT.match(row)), 0)
    known = {line.strip() for line in lines}
    code = "\n".join(rows[begins:])
    defined = set(
        re.findall(r"^\s*(?:async )?(?:def|class|func|function|fn) (\w+)", code, re.MULTILINE)
    )
    used = set(re.findall(r"\w+", code)) - defined
    new = [row for row in rows[:begins] if row.strip() and row.strip() not in known]
    return [row for row in new if row.startswith(_UNTOLD) or used & set(imported([row]))], begins


def _aligned(new: list[str], old: list[str]) -> list[str]:
    """With the indentation of the code whose place it takes.

    Models begin a method at the margin and go on as it stood in the file: then only the first
    line is moved.
    """
    full = [line for line in old if line.strip()]
    rest = [line for line in new if line.strip()]
    if len(rest) > 1 and full and not indent(rest[0]) and len(full) > 1:
        inner = min(len(indent(line)) for line in rest[1:])
        if indent(full[0]) and inner >= len(indent(full[-1])) > len(indent(full[0])):
            first = new.index(rest[0])
            return [*reindented([rest[0]], full[0]), *new[first + 1 :]]
    return reindented(new, full[0] if full else "")


def _inserted(task: Task, place: Place, found: str) -> list[str]:
    """The file with code below the line that asks for it, or in place of a blank one."""
    lines, at = place.lines, task.region.last
    here = lines[at]
    below = next((line for line in lines[at + 1 :] if line.strip()), "")
    opens = here.rstrip().endswith((":", "{", "("))
    like = below if opens and len(indent(below)) > len(indent(here)) else here
    imports, rows = _unrepeated(place, found)
    new = reindented(rows, like)
    if new and here.strip() == new[0].strip():  # the comment itself, repeated
        new = new[1:]
    if not new:
        raise NoCodeError("the answer has no code that is not there already")
    kept = [here] if here.strip() else []
    return _with_imports([*lines[:at], *kept, *new, *lines[at + 1 :]], imports)


def _unrepeated(place: Place, found: str) -> tuple[list[str], list[str]]:
    """New imports of an answer, and its code without definitions that the file has."""
    rows = found.split("\n")
    there = {region.name for region in regions(place.text, place.language)}
    for region in regions(found, place.language):
        if region.name in there and not indent(rows[region.first]):
            rows[region.first : region.last + 1] = [""] * (region.last - region.first + 1)
    if not any(row.strip() and not IMPORT.match(row) for row in rows):
        return [], []
    imports, begins = _new_imports(rows, place.lines)
    return imports, rows[begins:]


def _with_tests(task: Task, found: str) -> Change:
    """The file of tests, new or longer."""
    place, target = task.ask.place, task.ask.target
    assert place is not None
    assert target is not None
    rows = found.split("\n")
    if target.before is None:
        return Change(target.path, None, "\n".join([*rows, ""]))
    lines = target.before.rstrip("\n").split("\n")
    imports, begins = _new_imports(rows, lines)
    lines = _with_imports(lines, imports)
    gap = ["", ""] if place.language == "python" else [""]
    return Change(target.path, target.before, "\n".join([*lines, *gap, *rows[begins:], ""]))


def _with_imports(lines: list[str], imports: list[str]) -> list[str]:
    """Behind the last import at the margin, else at the top, behind a comment or docstring."""
    if not imports:
        return lines
    rows = [n for n, line in enumerate(lines) if IMPORT.match(line)]
    if rows:
        at = rows[-1] + 1
        while at < len(lines) and _open_bracket(lines[rows[-1] : at]):
            at += 1
        return [*lines[:at], *imports, *lines[at:]]
    at = _preamble(lines)
    return [*lines[:at], *imports, "", *lines[at:]]


def _open_bracket(lines: Sequence[str]) -> bool:
    text = "".join(lines)
    return text.count("(") + text.count("{") > text.count(")") + text.count("}")


def _preamble(lines: Sequence[str]) -> int:
    """Lines at the top that are comments, or a docstring, with blank ones behind them."""
    at = sum(1 for _ in takewhile(lambda line: line.startswith(("#", "//")), lines))
    if at < len(lines) and lines[at].startswith('"""'):
        ends = [n for n in range(at, len(lines)) if lines[n].rstrip().endswith('"""')]
        ends = [n for n in ends if n > at or lines[n].count('"""') > 1]
        at = ends[0] + 1 if ends else at
    while at and at < len(lines) and not lines[at].strip():
        at += 1
    return at
