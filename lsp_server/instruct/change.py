"""What an answer makes of a file: its new lines, and the least edits that lead there. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsp_server.instruct.answers import code, indent, reindented
from lsp_server.instruct.comments import commented, documented
from lsp_server.instruct.difference import changes, matches
from lsp_server.instruct.imports import needed, with_imports, without_imports
from lsp_server.instruct.lacking import lacking
from lsp_server.instruct.region import TODO
from lsp_server.instruct.syntax import breaks, owner, regions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lsp_server.instruct.ask import Task
    from lsp_server.instruct.place import Place
    from lsp_server.instruct.syntax import Region


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
        """The few that lead from one to the other, in the order of the file."""
        old, new = (self.before or "").split("\n"), self.after.split("\n")
        return [
            LineEdit(first, last, tuple(new[start:end]))
            for first, last, start, end in changes(old, new)
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
        raise NoCodeError("the answer has no block of code that ends; less will do")
    change = _made(task, found)
    return None if change.before == change.after else change


def complaints_about(task: Task, change: Change) -> list[str]:
    """Why it may not be applied: what does not parse after it, and did before; what it loses."""
    place, before = task.ask.place, change.before or ""
    assert place is not None
    faults = breaks(before, change.after, place.language)
    return faults or _losses(task, before, change.after, place.language)


def _losses(task: Task, before: str, after: str, language: str) -> list[str]:
    """Definitions that would be gone, or there twice: more, or less, than was asked for."""
    command, region = task.ask.command, task.region
    old, new = regions(before, language), _names(after, language, regions(after, language))
    around: Iterable[Region] = old
    if command.yields == "rewrite":
        around = [r for r in old if r.first < region.first or r.last > region.last]
    kept = dict.fromkeys(_names(before, language, around))
    if region.name and command.name in ("fix", "todo"):
        kept |= dict.fromkeys(_names(before, language, [region]))
    count = _names(before, language, old)
    return [
        *(f"`{name}` would be gone" for name in kept if not new[name]),
        *(f"`{name}` is there already" for name in kept if new[name] > count[name]),
    ]


def _names(text: str, language: str, found: Iterable[Region]) -> Counter[str]:
    """What definitions are called, members with their class."""
    return Counter(f"{owner(text, language, region)}.{region.name}".strip(".") for region in found)


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
    if place.language == "python":
        new = documented(new, old, region.name)
    replaced = [*lines[: region.first], *_spaced(new, old), *lines[region.last + 1 :]]
    return with_imports(replaced, imports)


def _spaced(new: list[str], old: list[str]) -> list[str]:
    """With the white space at line ends that the old code has, so that no edit is for that."""
    was, now = ([line.rstrip() for line in lines] for lines in (old, new))
    for at, to, size in matches(was, now):
        new[to : to + size] = old[at : at + size]
    return new


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
    rows, language = found.split("\n"), place.language
    there, defined = regions(place.text, language), regions(found, language)
    added = {region.name for region in defined} - {task.region.name}
    known = added & {region.name for region in there}
    same = _same(task, place, found) if task.region.name else None
    if same is None and task.region.name and known:
        raise NoCodeError(f"the answer has other code than {task.what}")
    whole = same is None or (task.ask.command.name == "refactor" and added and not known)
    code = without_imports(rows) if same is None or whole else rows[same.first : same.last + 1]
    return needed(rows, code, place.lines, language), code


def _same(task: Task, place: Place, found: str) -> Region | None:
    """The definition in an answer that takes the place of the one in question.

    Where several have its name, it is the one in the class of the same name, and of those the one
    of the same rank.
    """
    text, language, region = place.text, place.language, task.region
    named = [other for other in regions(found, language) if region.name == other.name]
    twins = [other for other in regions(text, language) if region.name == other.name]
    within = owner(text, language, region)
    alike = [other for other in named if owner(found, language, other) == within] or named
    rank = [other for other in twins if owner(text, language, other) == within].index(region)
    return alike[min(rank, len(alike) - 1)] if alike else None


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
    return with_imports([*lines[:at], *kept, *new, *lines[at + 1 :]], imports)


def _unrepeated(place: Place, found: str) -> tuple[list[str], list[str]]:
    """New imports of an answer, and its code without definitions that the file has."""
    rows = found.split("\n")
    there = {region.name for region in regions(place.text, place.language)}
    for region in regions(found, place.language):
        if region.name in there and not indent(rows[region.first]):
            rows[region.first : region.last + 1] = [""] * (region.last - region.first + 1)
    code = without_imports(rows)
    return needed(rows, code, place.lines, place.language), code


def _with_tests(task: Task, found: str) -> Change:
    """The file of tests, new or longer."""
    place, target = task.ask.place, task.ask.target
    assert place is not None
    assert target is not None
    rows = found.split("\n")
    rows = with_imports(rows, lacking(rows, place.lines, target.module))
    if target.before is None:
        return Change(target.path, None, "\n".join([*rows, ""]))
    lines, code = target.before.rstrip("\n").split("\n"), reindented(without_imports(rows), "")
    lines = with_imports(lines, needed(rows, code, lines, place.language))
    gap = ["", ""] if place.language == "python" else [""]
    return Change(target.path, target.before, "\n".join([*lines, *gap, *code, ""]))
