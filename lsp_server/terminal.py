"""Markdown on a terminal while it is being written. Knows neither models nor the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.live import Live
from rich.markdown import Markdown

from lsp_server.stdio import harmless

if TYPE_CHECKING:
    from rich.console import Console

_FENCES = ("```", "~~~")


class Growing:
    """Shows text as it comes: rendered on a terminal, elsewhere as it is.

    What cannot change any more is printed for good, so an answer may be longer than the screen;
    only the paragraph or block of code that is being written is drawn anew.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._open = ""
        self._said = False
        self._live = Live(
            console=console, refresh_per_second=8, transient=True, vertical_overflow="ellipsis"
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def say(self, text: str) -> None:
        """More of it."""
        self._said = True
        if not self._console.is_terminal:
            self._console.file.write(text)
            self._console.file.flush()
            return
        whole, self._open = settled(self._open + harmless(text))
        if whole:
            self._console.print(Markdown(whole), "")
        self._live.update(Markdown(self._open))

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()
            self._console.print(Markdown(self._open))
        elif self._said:
            self._console.file.write("\n")


def settled(text: str) -> tuple[str, str]:
    r"""Text up to its last blank line outside of a block of code, and the rest.

    >>> settled("a\n\nb"), settled("a\n\n```\nb\n\nc")
    (('a\n\n', 'b'), ('a\n\n', '```\nb\n\nc'))
    """
    at, end, fence = 0, 0, ""
    for line in text.splitlines(keepends=True):
        end += len(line)
        mark = line.lstrip()[:3]
        if fence:
            fence = "" if mark == fence else fence
        elif mark in _FENCES:
            fence = mark
        elif line == "\n":
            at = end
    return text[:at], text[at:]
