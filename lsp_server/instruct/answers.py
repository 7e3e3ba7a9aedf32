"""What is taken from a model's Markdown. Pure functions."""

from __future__ import annotations

import re
from itertools import dropwhile

_FENCE = re.compile(r"^(?P<indent> {0,3})(?P<ticks>`{3,}|~{3,})[^`\n]*$", re.MULTILINE)

_LOOK, _SAYS, _REPEATS = 4_000, 30, 4
"""Characters of the end that is looked at, and of a line that is long enough to say something; how
many such lines must be the same."""
_COUNTING = 12
"""The same for lines that are the same but for their numbers, which a table has too."""
_NUMBERS = re.compile(r"\d[\d., ]*")


def blocks(answer: str) -> list[str]:
    """The code blocks of an answer in its order; one that does not end is left out."""
    found, at = [], 0
    while opening := _FENCE.search(answer, at):
        closing = re.compile(rf"^ {{0,3}}{opening['ticks']}[`~]*[ \t]*$", re.MULTILINE)
        end = closing.search(answer, opening.end() + 1)
        if end is None:
            break
        found.append(answer[opening.end() + 1 : end.start()].removesuffix("\n"))
        at = end.end()
    return found


def code(answer: str) -> str | None:
    """The code that an answer consists of: its longest block; None where there is none."""
    best = max(blocks(answer), key=len, default=None)
    return best if best and best.strip() else None


def loops(text: str) -> bool:
    """Whether the model says the same thing over and over, as small ones do.

    Its last lines that say something are the same but for their numbers in a list; or many are one
    or the other but for any numbers.
    """
    lines = [line for line in text[-_LOOK:].split("\n")[:-1] if len(line) >= _SAYS]
    same = {re.sub(r"^\s*\d+[.)]", "", line) for line in lines[-_REPEATS:]}
    alike = {_NUMBERS.sub("", line) for line in lines[-_COUNTING:]}
    return (len(lines) >= _REPEATS and len(same) == 1) or (
        len(lines) >= _COUNTING and len(alike) <= 2
    )


def reindented(lines: list[str], like: str) -> list[str]:
    """Lines moved sideways, so that the first begins where `like` does, without blank ends."""
    lines = list(dropwhile(lambda line: not line.strip(), lines))
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        return []
    have, want = indent(lines[0]), indent(like)
    return [_moved(line, have, want) for line in lines]


def indent(line: str) -> str:
    """The white space that a line begins with."""
    return line[: len(line) - len(line.lstrip())]


def _moved(line: str, have: str, want: str) -> str:
    if not line.strip():
        return ""
    return want + (line[len(have) :] if line.startswith(have) else line.lstrip())
