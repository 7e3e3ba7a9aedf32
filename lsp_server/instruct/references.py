"""Places that an answer names as `path:line`: those that exist, and those that do not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsp_server.instruct.ask import Ask
    from lsp_server.instruct.files import Files

_PLACE = re.compile(r"(?<![\w/.:\\-])(?P<path>[\w./\\@+-]*\w\.[A-Za-z]\w{0,9}):(?P<line>\d{1,6})\b")
_MOST = 32


@dataclass(frozen=True, slots=True)
class References:
    """What an answer names."""

    real: tuple[tuple[str, str, int], ...] = ()
    """Root, path and index of the line."""
    wrong: tuple[str, ...] = ()
    """As they are written."""


def references(text: str, ask: Ask, files: Files) -> References:
    """The places that a text names, each once, in its order."""
    real: dict[tuple[str, str, int], None] = {}
    wrong: dict[str, None] = {}
    for found in list(_PLACE.finditer(text))[:_MOST]:
        place = _place(found["path"], int(found["line"]) - 1, ask, files)
        if place:
            real[place] = None
        else:
            wrong[found[0]] = None
    return References(tuple(real), tuple(wrong))


def with_notes(text: str, ask: Ask, found: References, *, cut: bool = False) -> str:
    """The text, and under it what it lacks, names wrongly, and was found to answer it from."""
    notes = []
    if cut:
        notes.append("> The answer ends here for its length: see caret.instruct.maxTokens.")
    if found.wrong:
        named = ", ".join(f"`{place}`" for place in found.wrong)
        notes.append(f"> Not found in the workspace: {named}.")
    if ask.excerpts:
        read = ", ".join(f"`{excerpt.title}`" for excerpt in ask.excerpts)
        notes.append(f"The model read {read}.")
    return "\n\n".join([text, *notes])


def _place(path: str, line: int, ask: Ask, files: Files) -> tuple[str, str, int] | None:
    own = ask.place
    if own and own.root and path in (own.path, own.path.rpartition("/")[2]):
        return (own.root, own.path, line) if 0 <= line < len(own.lines) else None
    at = files.find(path)
    text = files.read(*at) if at else None
    if at is None or text is None or not 0 <= line <= text.count("\n"):
        return None
    return *at, line
