"""Which lines a command is about, and what it is to do there. Pure functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.errors import RequestError
from lsp_server.instruct.ask import Task
from lsp_server.instruct.syntax import Region, enclosing, paragraph

if TYPE_CHECKING:
    from collections.abc import Callable

    from lsp_server.instruct.ask import Ask
    from lsp_server.instruct.place import Place

TODO = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b(?:\([^)]*\))?[:\s-]*(?P<wish>.*)")
_COMMENT = re.compile(r"\s*(?:#+!?|//+!?|--+|/\*+|\*+/?|;+|%+)\s?(?P<text>.*?)\s*(?:\*/)?\s*$")


def task_of(ask: Ask) -> Task:
    """The region and the instruction of an ask.

    Raises:
        RequestError: there is nothing there to do it with, or something is missing.
    """
    _check(ask)
    if ask.place is None:
        return Task(ask, Region(0, 0), "", ask.instruction.strip())
    region, instruction = _FINDERS.get(ask.command.name, _selected)(ask, ask.place)
    return Task(ask, region, _called(ask, region), instruction.strip())


def _check(ask: Ask) -> None:
    name, needs = ask.command.id, ask.command.needs
    if needs == "document" and ask.place is None:
        raise RequestError(f"{name} needs a document: put the caret into one, and try again.")
    if needs == "instruction" and not ask.instruction.strip():
        raise RequestError(f"{name} needs a question in `instruction`.")
    if needs == "text" and not (ask.text.strip() or ask.problems):
        raise RequestError(
            f"{name} needs the output of the program in `text`: paste the traceback, the "
            "compiler's error or the failing test."
        )


def _selected(ask: Ask, place: Place) -> tuple[Region, str]:
    """The selection; at a caret, the definition around it, or the paragraph."""
    first, last = place.rows
    if not place.empty:
        whole = enclosing(place.text, place.language, first, last)
        exact = whole if whole and (whole.first, whole.last) == (first, last) else None
        return exact or Region(first, last), ask.instruction
    return _around(place, first, last), ask.instruction


def _definition(ask: Ask, place: Place) -> tuple[Region, str]:
    """The definition around the place, which is documented or tested."""
    region = enclosing(place.text, place.language, *place.rows)
    if region is None:
        raise RequestError(
            f"{ask.command.id} needs a function or class: put the caret into one."
            if not place.empty
            else "There is no function or class here: put the caret into one, or name a line of it."
        )
    return region, ask.instruction


def _tested(ask: Ask, place: Place) -> tuple[Region, str]:
    """The definition around the place, else the selection."""
    region = enclosing(place.text, place.language, *place.rows)
    return (region, ask.instruction) if region else _selected(ask, place)


def _faulty(ask: Ask, place: Place) -> tuple[Region, str]:
    """What holds all problems."""
    rows = [row for problem in ask.problems for row in (problem.first, problem.last)]
    if not rows and not ask.instruction.strip():
        raise RequestError(
            "There is nothing to fix: no diagnostic here. Say what is wrong in `instruction`, on "
            "the command line with -m."
        )
    rows = [min(row, len(place.lines) - 1) for row in rows] or list(place.rows)
    return _around(place, min(rows), max(rows)), ask.instruction


def _todo(ask: Ask, place: Place) -> tuple[Region, str]:
    """What is around the first TODO of the selection, or of the definition at the caret."""
    rows = place.rows
    if place.empty and not TODO.search(place.lines[rows[0]]):
        around = _around(place, *rows)
        rows = around.first, around.last
    for row in range(rows[0], rows[1] + 1):
        if found := TODO.search(place.lines[row]):
            wish = _uncommented(found["wish"]) or ask.instruction
            return _around(place, row, row), f"{wish} {ask.instruction}".strip()
    raise RequestError("There is no TODO here: put the caret on one.")


def _caret(ask: Ask, place: Place) -> tuple[Region, str]:
    """The line at which code is put in, and the sentence that asks for it."""
    first, last = place.rows
    wish = ask.instruction or "\n".join(map(_uncommented, place.lines[first : last + 1]))
    while place.empty and not wish.strip() and first:  # on the blank line under a comment
        first -= 1
        wish = _uncommented(place.lines[first]) if _COMMENT.match(place.lines[first]) else ""
        if not place.lines[first].strip() and last - first > 1:
            break
    above = first
    while not ask.instruction and place.empty and above and _goes_on(place.lines, above):
        above -= 1
        wish = f"{_uncommented(place.lines[above])}\n{wish}"
    if not wish.strip():
        raise RequestError(
            "Say what to write: in a comment above the caret, in a selected sentence, or in "
            "`instruction`."
        )
    return Region(last, last), wish


def _goes_on(lines: list[str], row: int) -> bool:
    """Whether the comment on a line began on the one above."""
    return bool(_COMMENT.match(lines[row]) and _COMMENT.match(lines[row - 1]))


def _around(place: Place, first: int, last: int) -> Region:
    """The definition that holds the lines; a class only if it is selected or small."""
    found = enclosing(place.text, place.language, first, last)
    if found and found.kind == "function":
        return found
    return paragraph(place.lines, first, last)


def _called(ask: Ask, region: Region) -> str:
    place = ask.place
    if region.name:
        return f"the {region.kind} `{region.name}`"
    if ask.command.name == "explain" and place and place.empty and place.word:
        return f"`{place.word}` on line {place.start[0] + 1}"
    if region.first == region.last:
        return f"line {region.first + 1}"
    return f"the code in lines {region.first + 1} to {region.last + 1}"


def _uncommented(line: str) -> str:
    found = _COMMENT.match(line)
    return found["text"] if found else line.strip()


_FINDERS: dict[str, Callable[[Ask, Place], tuple[Region, str]]] = {
    "doc": _definition,
    "test": _tested,
    "fix": _faulty,
    "todo": _todo,
    "generate": _caret,
}
