"""What a model wrote runs, and can do no harm: no network, no lasting process, no file outside."""

from __future__ import annotations

import os
import resource
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
OTHERS: tuple[Level, ...] = ("namespaces", "filters")


def levels() -> list[Level]:
    """Return those that this machine has: one at least, else no test of this file means a thing."""
    return [Sandbox().level, *(level for level in OTHERS if _works(level))]


def _works(level: Level) -> bool:
    try:
        return Sandbox(level=level).level != Sandbox().level
    except CaretError:
        return False


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
    _, alive = psutil.wait_procs(processes(), timeout=60)  # what was killed may still be ending
    assert alive == []


def test_what_comes_to_its_end_passes(sandbox: Sandbox) -> None:
    outcome = sandbox.run("import json, re\nopen('a', 'w').write('é')\nassert open('a').read()")
    assert outcome.passed
    assert outcome.why == ""


FORGED = {
    "exit": "exit()",
    "exit with 113": "raise SystemExit(113)",
    "leave": "import os; os._exit(0)",
    "leave with 113": "import os; os._exit(113)",
    "signal": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "handler": "import signal, os; signal.signal(14, lambda *_: os._exit(0)); signal.alarm(1)\n"
    "while True: pass",
    "at exit": "import atexit, os; atexit.register(os._exit, 0); exit(1)",
    "excepthook": "import sys; sys.excepthook = lambda *_: __import__('os')._exit(0)",
    "traceback": "import traceback, os; traceback.print_exception = lambda *_, **__: os._exit(0)",
    "no way out": "import os; os._exit = lambda _: None",
    "output": "print('passed', flush=True)",
    "all files": "import os\nfor n in range(3, 64):\n    try: os.write(n, b'passed')\n"
    "    except OSError: pass",
    "event": "import sys; sys.audit('caret.program_ended'); __import__('os')._exit(0)",
    "main": "import sys; m = sys.modules['__main__']; m.main = print; __import__('os')._exit(0)",
    "frames": "import sys\nf = sys._getframe()\nwhile f.f_back: f = f.f_back\n"
    "f.f_globals['main'] = print\nf.f_globals['os']._exit = print\n"
    "exec(f.f_code, {'__name__': '__main__', '__file__': ''})",
    "thread": "import sys, _thread, time, os\nf = sys._getframe()\nwhile f.f_back: f = f.f_back\n"
    "_thread.start_new_thread(exec, (f.f_code, {'__name__': '__main__'}))\n"
    "time.sleep(0.3); os._exit(0)",
    "gc": "import gc, os\nfor o in gc.get_objects():\n    if callable(o): pass\nos._exit(0)",
    "skip": "import sys\ndef jump(frame, event, _):\n    frame.f_lineno = 99\n    return jump\n"
    "sys._getframe().f_trace = jump; sys.settrace(jump)",
    "equal to all": "import builtins; builtins.isinstance = lambda *_: True",
    "assertion": "import builtins; builtins.AssertionError = SystemExit",
    "memory": "import os, re, stat\n"
    "for line in open('/proc/self/maps'):\n    if ' rw' not in line: continue\n"
    "    low, high = (int(end, 16) for end in line.split()[0].split('-'))\n"
    "    mem = open('/proc/self/mem', 'rb', 0)\n    mem.seek(low)\n"
    "    try: held = mem.read(high - low)\n    except OSError: continue\n"
    "    found = re.search(rb'([0-9a-f]{64})\\n', held)\n    if found: nonce = found[1]\n"
    "for number in range(3, 64):\n"
    "    try: stat.S_ISFIFO(os.fstat(number).st_mode) and os.write(number, nonce)\n"
    "    except OSError: pass\nos._exit(0)",
}


@pytest.mark.parametrize("program", FORGED.values(), ids=FORGED)
def test_nothing_but_its_end_is_passing(sandbox: Sandbox, program: str) -> None:
    assert not sandbox.run(f"{program}\nassert False").passed


def test_a_child_that_comes_to_the_end_has_not_passed_for_its_parent(sandbox: Sandbox) -> None:
    assert not sandbox.run("import os\nif os.fork(): assert False").passed
    assert not sandbox.run("import os\nif os.fork(): os._exit(0)").passed


ESCAPES = {
    "sqlite": "import sqlite3; sqlite3.connect({!r}).execute('create table a (b)')",
    "sqlite attached": "import sqlite3\nc = sqlite3.connect(':memory:')\n"
    "c.execute('attach ? as o', [{!r}]); c.execute('create table o.a (b)')",
    "dbm": "import dbm; dbm.open({!r}, 'n')",
    "relative to a folder": "import os, posixpath as p\nd = os.open(p.dirname({0!r}), 0)\n"
    "os.open(p.basename({0!r}), os.O_CREAT | os.O_WRONLY, dir_fd=d)",
    "fifo": "import os; os.mkfifo({!r})",
    "link": "import os; os.symlink('/', 'root'); open('root' + {!r}, 'w')",
    "renamed": "import os; open('a', 'w'); os.rename('a', {!r})",
    "patched": "import os, sys, builtins\nbuiltins.isinstance = lambda *_: False\n"
    "os.path.realpath = lambda _: os.getcwd()\nopen({!r}, 'w')",
    "program": "import subprocess; subprocess.run(['/usr/bin/touch', {!r}])",
    "fork_exec": "import _posixsubprocess as s, os, sys\nr, w = os.pipe()\n"
    "a = [[b'/usr/bin/touch', {!r}.encode()], [b'/usr/bin/touch'], True, (w,), None, None]\n"
    "a += [-1] * 6 + [r, w, True, False, 0, None, None, None, -1, None]\n"
    "s.fork_exec(*a, *[False] * (sys.version_info >= (3, 11))); import time; time.sleep(0.5)",
}


@pytest.mark.parametrize("program", ESCAPES.values(), ids=ESCAPES)
def test_ways_past_the_guard(sandbox: Sandbox, program: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    file = tmp_path / "escaped"
    sandbox.run(program.format(str(file)))
    assert list(tmp_path.iterdir()) == []


def test_files_of_others_keep_mode_owner_and_times(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "kept"
    file.write_text("a")
    before = file.stat()
    for call in ("chmod({!r}, 0)", "utime({!r}, (1, 1))", "chown({!r}, 1, 1)", "truncate({!r}, 0)"):
        sandbox.run(f"import os; os.{call.format(str(file))}")
    after = file.stat()
    assert (after.st_mode, after.st_uid, after.st_size) == (before.st_mode, before.st_uid, 1)
    assert after.st_mtime == before.st_mtime


def test_threads_and_signals_to_itself_work(sandbox: Sandbox) -> None:
    program = (
        "import signal, threading\n"
        "seen = []\n"
        "signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))\n"
        "thread = threading.Thread(target=signal.raise_signal, args=(signal.SIGUSR1,))\n"
        "thread.start(); thread.join()\n"
        "assert seen\n"
    )
    assert sandbox.run(program).why == ""


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
    sandbox.run(f"import os, signal; signal.pidfd_send_signal(os.pidfd_open({os.getpid()}), 9)")
    limits = resource.getrlimit(resource.RLIMIT_CORE)
    sandbox.run(f"import resource; resource.prlimit({os.getpid()}, resource.RLIMIT_CORE, (0, 0))")
    assert resource.getrlimit(resource.RLIMIT_CORE) == limits


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
