"""Standard streams of a command: always open, and safe from what strangers have written."""

from __future__ import annotations

import io
import os
import sys

_PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"} | {0x7F: 0x2421}
"""Control characters, each with its picture in Unicode."""
_HIDDEN = (*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""More control characters, and those that change the direction of text."""
_VISIBLE = _PICTURES | dict.fromkeys(_HIDDEN, 0xFFFD)


def harmless(text: str) -> str:
    r"""Return text with its control characters made visible, which a terminal would obey.

    They can set its title, write to the clipboard or hide a line of a diff.

    >>> harmless("\x1b]0;title\x07\tx\r\n")
    '␛]0;title␇\tx\n'
    """
    return text.replace("\r\n", "\n").translate(_VISIBLE)


def prepare() -> None:
    """Open standard streams that are closed, and let them take any character.

    A file that is opened later would get the number of a closed stream, and what is meant for it.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    sys.stdin = sys.stdin or os.fdopen(0, "r", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def give_up_output() -> None:
    """Drop what standard output still holds and cannot take, which Python would try at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
