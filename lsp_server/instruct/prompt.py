"""From a task to the messages that a model reads, within a budget of tokens. Pure functions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.api import ChatMessage
from engine.errors import RequestError
from lsp_server.instruct import budget
from lsp_server.instruct.surroundings import surroundings
from lsp_server.instruct.templates import (
    AGAIN,
    COMMENTS,
    LANGUAGES,
    OTHER_COMMENT,
    PROBLEMS,
    RELATED,
    REST,
    SYSTEM,
    TEMPLATES,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsp_server.instruct.ask import Ask, Excerpt, Task
    from lsp_server.instruct.place import Place, Problem

MARKER = "<<< here >>>"
_ROOM = 300
"""Tokens for the template's own words and the format's."""
_TEXT_SHARE, _CODE_SHARE, _REST_SHARE = 0.3, 0.75, 0.4
"""Of the window: for what was pasted, for the code in question, for what stands around code that is
to be written anew."""
_REST_WORDS = 60
"""Tokens that `REST` has itself."""
_GATHERED = frozenset({"ask", "debug"})
"""Commands about code from anywhere."""


def messages(task: Task, window: int, *, again: bool = False) -> tuple[ChatMessage, ...]:
    """System and user message of a first question, of at most about `window` tokens.

    With `again`, in other words than before.

    Raises:
        RequestError: what must be rewritten does not fit.
    """
    template = AGAIN if again else ""
    return ChatMessage("system", SYSTEM), question(task, window - budget.tokens(SYSTEM), template)


def question(task: Task, window: int, template: str = "") -> ChatMessage:
    """The user message, of at most about `window` tokens; by the command's template or another."""
    ask, room = task.ask, window - _ROOM
    slots = _words(task)
    slots["text"] = budget.fenced(budget.ends(_pasted(ask), int(room * _TEXT_SHARE)))
    slots["problems"] = _problems(ask)
    room -= sum(map(budget.tokens, (slots["problems"], slots["instruction"], slots["text"])))
    slots["code"] = _code(task, int(room * _CODE_SHARE))
    room -= budget.tokens(slots["code"])
    slots["rest"] = _rest(task, min(room, int(window * _REST_SHARE)))
    slots["related"] = _related(ask.related, room - budget.tokens(slots["rest"]))
    return ChatMessage("user", filled(template or TEMPLATES[ask.command.name], slots))


def language_name(language: str) -> str:
    """As people write it.

    >>> language_name("python"), language_name("cpp"), language_name("")
    ('Python', 'C++', 'plain text')
    """
    return LANGUAGES.get(language, language.capitalize() or "plain text")


def _words(task: Task) -> dict[str, str]:
    """The slots that are a few words."""
    ask, place = task.ask, task.ask.place
    language = place.language if place else ""
    comment, style = COMMENTS.get(language, OTHER_COMMENT)
    target = ask.target
    return {
        "what": task.what,
        "What": task.what[:1].upper() + task.what[1:],
        "path": place.path if place else "",
        "language": language_name(language),
        "tag": language,
        "comment": comment,
        "style": style,
        "instruction": task.instruction,
        "marker": MARKER,
        "framework": target.framework if target else "",
        "target": target.path if target else "",
        "imports": target.imports if target else "",
    }


def filled(template: str, slots: dict[str, str]) -> str:
    """In one pass, so that no slot is looked for in what another one says."""
    paragraphs = []
    for paragraph in template.split("\n\n"):
        names = re.findall(r"\{(\w+)\}", paragraph)
        if paragraph.strip() not in {f"{{{name}}}" for name in names} or slots[names[0]].strip():
            filled = re.sub(r"\{(\w+)\}", lambda found: slots[found[1]], paragraph)
            paragraphs.append(filled.strip(" ").strip("\n"))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _problems(ask: Ask) -> str:
    if not ask.problems or ask.command.name == "debug":
        return ""
    lines = ask.place.lines if ask.place else []
    told = "\n".join(f"- {problem}{_at(problem, lines)}" for problem in ask.problems)
    return PROBLEMS.replace("{problems}", budget.head(told, 500))


def _at(problem: Problem, lines: list[str]) -> str:
    """The line that it is about: a model does not count lines."""
    line = lines[problem.first].strip() if problem.first < len(lines) else ""
    return f", in `{line}`" if line and "`" not in line else ""


def _pasted(ask: Ask) -> str:
    return ask.text.strip() or "\n".join(map(str, ask.problems))


def _code(task: Task, room: int) -> str:
    """The code in question: the place's, or what was found elsewhere with what is selected."""
    ask = task.ask
    if ask.place and ask.command.name not in _GATHERED:
        return _shown(task, ask.place, room)
    selected = "" if ask.place is None or ask.place.empty else _shown(task, ask.place, room // 2)
    numbers = ask.command.name == "ask"  # a program's output has its own, and code is copied
    excerpts = _excerpts(ask.excerpts, room - budget.tokens(selected), numbers=numbers)
    return "\n\n".join(filter(None, (selected, excerpts)))


def _shown(task: Task, place: Place, room: int) -> str:
    """The code in question: alone where `_rest` has the others, else with what stands around it."""
    command, region, lines = task.ask.command, task.region, place.lines
    own = lines[region.first : region.last + 1]
    if command.name == "review":
        return budget.fenced(budget.head(budget.numbered(own, region.first), room), place.language)
    if _apart(task):
        return budget.fenced(_whole(task, "\n".join(own), room), place.language)
    first, last = budget.around(lines, region.first, region.last, room)
    text = "\n".join([*lines[first : region.last + 1], MARKER, *lines[region.last + 1 : last + 1]])
    if not command.edits:
        text = "\n".join(lines[first : last + 1])
    if command.name == "explain":  # whose answer speaks of lines
        first, last = budget.around(lines, region.first, region.last, room * 3 // 4)
        text = budget.numbered(lines[first : last + 1], first)
    return budget.fenced(budget.head(text, room), place.language)


def _whole(task: Task, text: str, room: int) -> str:
    """What is to be written anew: all of it or nothing."""
    if (own := budget.tokens(text)) > room:
        raise RequestError(
            f"{task.what[0].upper()}{task.what[1:]} has about {own} tokens and the prompt has "
            f"room for {room}. Select less, or raise caret.instruct.window."
        )
    return text


def _apart(task: Task) -> bool:
    """Whether the answer is to be about the code in question alone."""
    command = task.ask.command
    return command.name == "review" or (command.edits and command.yields != "insertion")


def _rest(task: Task, room: int) -> str:
    """The file around code that is shown apart."""
    place = task.ask.place
    if place is None or not _apart(task):
        return ""
    mark = f"[… {task.what} …]"
    text = surroundings(place, task.region, mark, room - _REST_WORDS)
    block = budget.fenced(text, place.language)
    return filled(REST, {"path": place.path, "rest": block}) if text else ""


def _excerpts(excerpts: Sequence[Excerpt], room: int, *, numbers: bool) -> str:
    """As many as fit, maybe with the numbers of their lines."""
    shown: list[str] = []
    for excerpt in excerpts:
        block = _excerpt(excerpt, numbers=numbers)
        room -= budget.tokens(block)
        if room < 0 and shown:
            break
        shown.append(block)
    return "\n\n".join(shown)


def _excerpt(excerpt: Excerpt, *, numbers: bool) -> str:
    if not numbers:
        return f"`{excerpt.title}`:\n{budget.fenced(excerpt.text)}"
    code = budget.numbered(excerpt.text.split("\n"), excerpt.line)
    return f"`{excerpt.path}`:\n{budget.fenced(code)}"


def _related(related: Sequence[Excerpt], room: int) -> str:
    shown: list[str] = []
    for excerpt in related:
        block = _excerpt(excerpt, numbers=False)
        room -= budget.tokens(block)
        if room < 0:
            break
        shown.append(block)
    return RELATED.replace("{snippets}", "\n\n".join(shown)) if shown else ""
