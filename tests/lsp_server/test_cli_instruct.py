"""`caret explain|fix|test|doc|ask|debug` as a person runs them: a process, a terminal, a server."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lsp_server.consultation import Lines, parse_lines
from lsp_server.patch import diff
from lsp_server.terminal import settled
from tests.command import CARET, SHOP, caret, in_terminal

if TYPE_CHECKING:
    from tests.lsp_server.conftest import ModelServer

FIXED = SHOP.replace("result = price", "result += price")
ANSWER = ["It must add.\n\n```python\n", FIXED, "```\n"]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "shop.py"
    file.write_bytes(SHOP.replace("\n", "\r\n").encode())
    (tmp_path / ".git").mkdir()
    return file


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def ask(
    model: ModelServer, *arguments: str, cwd: Path, given: str = ""
) -> subprocess.CompletedProcess[str]:
    return caret(*arguments, "--endpoint", model.url, cwd=cwd, given=given)


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("a.py", Lines(Path("a.py"))),
        ("a.py:7", Lines(Path("a.py"), 7, 7)),
        ("c:/a.py:7-12", Lines(Path("c:/a.py"), 7, 12)),
        ("a.py:0", Lines(Path("a.py:0"))),
    ],
)
def test_places(written: str, place: Lines) -> None:
    assert parse_lines(written) == place


def test_a_pipe_gets_the_text_alone(model: ModelServer, shop: Path) -> None:
    model.answer = lambda _: ["It adds ", "`prices`."]
    done = ask(model, "explain", "shop.py:2", cwd=shop.parent)
    assert (done.returncode, done.stdout) == (0, "It adds `prices`.\n"), done.stderr
    (request,) = model.requests
    assert "result = price" in request["messages"][-1]["content"]


def test_fix_writes_only_when_told(model: ModelServer, shop: Path) -> None:
    before = shop.read_bytes()
    model.answer = lambda _: ANSWER
    done = ask(model, "fix", "shop.py:2", "-m", "add them up", "--json", cwd=shop.parent)
    told = json.loads(done.stdout)
    assert "+        result += price" in told["diff"].splitlines()
    assert (told["applied"], shop.read_bytes()) == (False, before)
    asked = ask(model, "fix", "shop.py:2", "-m", "add them up", "--apply", cwd=shop.parent)
    assert "--yes writes without asking" in asked.stderr
    assert shop.read_bytes() == before
    fix = ["fix", "shop.py:2", "-m", "add them up", "--apply", "--yes"]
    model.answer = lambda _: [ANSWER[0], FIXED.replace("prices:", "prices[0:]:"), ANSWER[2]]
    assert "+    for price in prices[0:]:\n" in ask(model, *fix, cwd=shop.parent).stdout
    fixed = FIXED.replace("prices:", "prices[0:]:").replace("\n", "\r\n")
    assert shop.read_bytes() == fixed.encode()


@pytest.mark.parametrize(("typed", "fixed"), [("y\n", True), ("n\n", False)])
def test_a_terminal_shows_the_change_and_asks(
    model: ModelServer, shop: Path, typed: str, fixed: bool
) -> None:
    model.answer = lambda _: ANSWER
    fix = ["fix", "shop.py:2", "-m", "add them up", "--apply"]
    shown = in_terminal(*fix, "--endpoint", model.url, cwd=shop.parent, typed=typed)
    assert "Write shop.py? [y/N]" in shown
    assert ("+=" in shop.read_text()) == fixed


def test_debug_reads_the_frames_of_a_traceback(model: ModelServer, shop: Path) -> None:
    model.answer = lambda _: ["See `shop.py:4` and `other.py:9`."]
    trace = f'Traceback (most recent call last):\n  File "{shop}", line 4, in total\nTypeError: x\n'
    done = ask(model, "debug", "--json", cwd=shop.parent, given=trace)
    assert "TypeError: x" in model.requests[0]["messages"][-1]["content"]
    assert json.loads(done.stdout)["answer"].startswith("See `shop.py:4`")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["explain", "absent.py"], 1, "absent.py cannot be read: No such file"),
        (["explain", "shop.py:99"], 1, "has no line 99, it ends at 6"),
        (["fix", "shop.py", "--yes"], 2, "--yes goes with --apply"),
        (["debug"], 1, "needs the output of the program"),
        (["explain", "shop.py:4-99"], 1, "has no lines 4 to 99, it ends at 6"),
        (["fix", "shop.py:4"], 1, "the command line with -m"),
        (["explain", ".env"], 1, "caret.privacy.exclude has .env"),
    ],
)
def test_refusals(
    model: ModelServer, shop: Path, arguments: list[str], code: int, said: str
) -> None:
    (shop.parent / ".env").write_text("KEY=1\n")
    done = ask(model, *arguments, cwd=shop.parent)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback (most" not in done.stderr
    assert (done.stdout, model.requests) == ("", [])


def test_the_diff_of_a_new_file() -> None:
    assert (
        diff("tests/test_a.py", None, "y\n")
        == "--- /dev/null\n+++ b/tests/test_a.py\n@@ -0,0 +1 @@\n+y\n"
    )


def test_what_is_printed_for_good_is_never_half_a_block() -> None:
    text = "# Title\n\nSome words.\n\n```python\na = 1\n\n\nb = 2\n```\n\n1. one\n2. two\n\n" * 3
    printed, rest = "", ""
    for letter in text:
        whole, rest = settled(rest + letter)
        printed += whole
        assert printed.count("```") % 2 == 0
    assert (printed, rest) == (text, "")


async def test_ctrl_c_stops_the_model(model: ModelServer, shop: Path) -> None:
    model.gate.clear()
    model.answer = lambda _: ["It adds", *["."] * 1000]
    command = [CARET, "explain", str(shop), "--endpoint", model.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=shop.parent) as process:
        assert process.stdout
        assert process.stdout.read(7) == b"It adds"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 1
    model.gate.set()
    for _ in range(3000):
        if model.hung_up:
            break
        await asyncio.sleep(0.01)
    assert model.hung_up == 1
