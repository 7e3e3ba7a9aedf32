"""Commands whose standard streams are closed, full or of another encoding, and terminals."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.command import CARET, caret, in_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lsp_server.conftest import ModelServer

_ORDERS = "\x1b]0;pwned\x07\x1b[31mred\x9b1m\u202e\x08"
"""Sequences that a terminal obeys."""


@pytest.fixture(name="home")
def _home(tmp_path: Path) -> dict[str, str]:
    return os.environ | {"CARET_HOME": str(tmp_path), "CARET_API_KEY": "k3y"}


@pytest.mark.parametrize(
    ("command", "streams", "code", "said"),
    [
        ("debug", "<&-", 1, b"caret: caret.debug needs the output of the program"),
        ("models", ">&-", 0, b""),
        ("models --json", ">/dev/full", 1, b"caret: The output cannot be used: No space left on"),
        ("pull codellama-7b", "<&- >&-", 1, b"asks you to accept the Llama 2 licence"),
        ("complete pyproject.toml:1:1 --endpoint ftp://h", "<&- >&- 2>&-", 1, b""),
    ],
)
def test_streams_that_are_closed_or_full(
    home: dict[str, str], command: str, streams: str, code: int, said: bytes
) -> None:
    line = f'exec "{CARET}" {command} {streams}'
    ended = subprocess.run(["/bin/sh", "-c", line], env=home, capture_output=True, check=False)
    assert ended.returncode == code
    assert said in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_an_answer_that_the_encoding_lacks(
    home: dict[str, str], model: ModelServer, tmp_path: Path
) -> None:
    model.answer = lambda _: ["\u2192"]
    (tmp_path / "a.txt").write_text("1 ")
    home |= {"PYTHONIOENCODING": "latin-1"}
    place = str(tmp_path / "a.txt:1:3")
    ended = caret("complete", place, "--endpoint", model.url, environment=home)
    assert (ended.stdout, ended.returncode) == ("?\n", 0)


def test_a_terminal_obeys_neither_a_file_nor_a_model(model: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(f"# {_ORDERS}\nx = 1\n")
    model.answer = lambda _: [f"{_ORDERS}\n\n```py\n# {_ORDERS}\nx = 2\n```\n"]
    arguments = ["fix", "a.py", "-m", "wrong", "--apply", "--endpoint", model.url]
    shown = in_terminal(*arguments, cwd=tmp_path, typed="n\n")
    assert "␛" in shown
    assert "Write a.py?" in shown
    obeyed = ["\x07", "\x9b", "\u202e", "\x1b]0", "\x1b[31mred"]
    assert not [order for order in obeyed if order in shown]


def test_an_error_is_harmless_too(home: dict[str, str]) -> None:
    said = caret("complete", f"{_ORDERS}:1:1", environment=home).stderr
    assert said.startswith("caret: ␛]0;pwned␇␛[31mred")
