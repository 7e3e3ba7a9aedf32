"""The `caret` command as a person runs it: a process, in a pipe or in a terminal."""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CARET = str(Path(sys.executable).with_name("caret"))
SHOP = """\
def total(prices):
    result = 0
    for price in prices:
        result = price
    return result
"""
"""A function for commands to work on; line 4 forgets what was added up."""


def caret(
    *arguments: str,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    given: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run it to its end with pipes, `given` in the one that it may read."""
    return subprocess.run(
        [CARET, *arguments],
        cwd=cwd,
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def in_terminal(
    *arguments: str, cwd: Path | None = None, columns: int = 80, typed: str = "", code: int = 0
) -> str:
    """What a person sees who has `typed` ahead; the command must end with `code`."""
    master, slave = pty.openpty()
    env = os.environ | {"COLUMNS": str(columns), "TERM": "xterm-256color"}
    with subprocess.Popen(
        [CARET, *arguments], stdin=slave, stdout=slave, stderr=slave, cwd=cwd, env=env
    ) as process:
        os.close(slave)
        os.write(master, typed.encode())
        shown = b""
        while chunk := _read(master):
            shown += chunk
    os.close(master)
    assert process.returncode == code
    return shown.decode()


def failing_program(file: Path, last_words: str) -> str:
    """Write a program that says something and fails; return its path."""
    file.write_text(f"#!/bin/sh\necho {shlex.quote(last_words)} >&2\nexit 1\n")
    file.chmod(0o755)
    return str(file)


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # how Linux says that the other end of a terminal is closed
        return b""
