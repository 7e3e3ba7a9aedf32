"""A terminal in which a real program runs, and its screen."""

from __future__ import annotations

import io
import os
import pty
import select
import subprocess
import termios
from typing import TYPE_CHECKING

import pyte
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

SIZE = (90, 24)


class Terminal:
    """A program at the other end of a pseudo-terminal."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self._screen = pyte.Screen(*SIZE)
        self._stream = pyte.ByteStream(self._screen)
        self._end, inner = pty.openpty()
        termios.tcsetwinsize(inner, SIZE[::-1])
        told = {"TERM": "xterm-256color", "COLUMNS": str(SIZE[0]), "LINES": str(SIZE[1])}
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *command],  # Emacs opens /dev/tty
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env={**environment, **told},
        )
        os.close(inner)

    def keys(self, text: str) -> None:
        os.write(self._end, text.encode())

    @property
    def screen(self) -> list[str]:
        """What is drawn now."""
        while select.select([self._end], [], [], 0)[0]:
            try:
                self._stream.feed(os.read(self._end, 1 << 16))
            except OSError:  # Linux's word for the other end being gone
                break
        return [line.rstrip() for line in self._screen.display]

    def picture(self, title: str) -> str:
        """The screen's text as SVG."""
        console = Console(record=True, file=io.StringIO(), width=SIZE[0])
        console.print(Text("\n".join(self.screen)))
        return console.export_svg(title=title)

    def shows(self, text: str) -> bool:
        return any(text in line for line in self.screen)

    def close(self) -> None:
        """End the program."""
        self._process.terminate()
        self._process.wait(60.0)
        os.close(self._end)
