"""What a model wrote runs, and can do no harm: no network, no lasting process, no file outside."""

from __future__ import annotations

import os
import socket
import sys
import uuid
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from bench.evals import guard
from bench.evals.sandbox import Level, Limits, Sandbox
from engine.errors import CaretError

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMITS = Limits(seconds=30.0, cpu_seconds=1, memory=512 << 20, processes=8, file_bytes=1 << 20)
SHORT = replace(LIMITS, seconds=2.0)


def levels() -> list[Level]:
    """Those that this machine has; `hooks` is everywhere, name spaces where the kernel lets us."""
    best = Sandbox().level
    return ["hooks"] if best == "hooks" else ["namespaces", "hooks"]


def processes() -> list[psutil.Process]:
    """That a sandbox has started, and those that they started."""
    guards = str(Path(guard.__file__))
    return [one for one in psutil.process_iter() if guards in _command(one)]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.fixture(params=levels())
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    yield Sandbox(LIMITS, request.param)
    _, alive = psutil.wait_procs(processes(), timeout=10)  # what was killed may still be ending
    assert alive == []


def test_what_comes_to_its_end_passes(sandbox: Sandbox) -> None:
    outcome = sandbox.run("import json, re\nopen('a', 'w').write('é')\nassert open('a').read()")
    assert outcome.passed
    assert outcome.why == ""


@pytest.mark.parametrize("program", ["exit()", "raise SystemExit", "import os; os._exit(0)"])
def test_ending_itself_is_not_passing(sandbox: Sandbox, program: str) -> None:
    assert not sandbox.run(f"{program}\nassert False").passed


def test_why_it_failed(sandbox: Sandbox) -> None:
    assert sandbox.run("print('a')\nassert 1 == 2, 'no'").why == "AssertionError: no"
    assert sandbox.run("def f(:").why == "SyntaxError: invalid syntax"


def test_an_endless_loop_ends(sandbox: Sandbox) -> None:
    assert sandbox.run("while True: pass").why in ("killed", "timeout")
    assert sandbox.run("import time; time.sleep(60)", SHORT).why == "timeout"


def test_a_fork_bomb_ends(sandbox: Sandbox) -> None:
    outcome = sandbox.run("import os\nwhile True: os.fork()")
    assert not outcome.passed


def test_nothing_outlives_it(sandbox: Sandbox) -> None:
    detached = "import os, time\nif not os.fork():\n    os.setsid()\n    time.sleep(60)\n"
    sandbox.run(detached)
    sandbox.run(f"{detached}time.sleep(60)", SHORT)


def test_no_connection_is_made(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        port = server.getsockname()[1]
        program = f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)"
        assert not sandbox.run(program).passed
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_huge_allocation_fails(sandbox: Sandbox) -> None:
    assert sandbox.run("a = bytearray(1 << 30)").why == "MemoryError"


def test_a_huge_file_fails(sandbox: Sandbox) -> None:
    program = "with open('a', 'wb') as file:\n    while True: file.write(bytes(1 << 16))"
    assert sandbox.run(program).why == "OSError: [Errno 27] File too large"
    assert not sandbox.run("while True: print('a' * 1000)").passed


@pytest.mark.parametrize("how", ["open({!r}, 'w')", "import os; os.mkdir({!r})"])
def test_writing_elsewhere_fails(sandbox: Sandbox, how: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    for folder in (tmp_path, Path.home(), Path("/var/tmp"), Path("/dev/shm")):
        file = folder / f"caret-{uuid.uuid4()}"
        assert not sandbox.run(how.format(str(file))).passed
        assert not file.exists()


def test_removing_elsewhere_fails(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "kept"
    file.write_text("a")
    assert not sandbox.run(f"import os; os.remove({str(file)!r})").passed
    assert file.exists()


def test_nobody_else_is_killed(sandbox: Sandbox) -> None:
    sandbox.run(f"import os; os.kill({os.getpid()}, 9)")
    sandbox.run("import os; os.kill(-1, 9)")


def test_native_code_cannot_open_the_cage(sandbox: Sandbox) -> None:
    """Mounting anew would make everything writable; the right to is gone, or ctypes is."""
    program = (
        "import ctypes\n"
        "system = ctypes.CDLL(None)\n"
        "assert system.mount(None, b'/', None, 32 | 4096, None) == 0\n"
    )
    assert not sandbox.run(program).passed


def test_the_environment_is_clean(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARET_API_KEY", "secret")
    assert sandbox.run("import os; assert 'CARET_API_KEY' not in os.environ").passed


def test_its_folder_goes(sandbox: Sandbox) -> None:
    seen = sandbox.run("import os; open('a', 'w').write('a'); raise ValueError(os.getcwd())")
    folder = Path(seen.why.removeprefix("ValueError: "))
    assert folder.is_absolute()
    assert not folder.exists()


def test_what_is_in_force_is_said(sandbox: Sandbox) -> None:
    assert "30 s, 1 s of a processor, 512 MiB of memory, 8 processes" in sandbox.in_force


def test_where_nothing_works_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(CaretError, match="cannot be run safely on this machine"):
        Sandbox()
