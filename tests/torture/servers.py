"""Ten servers on one workspace of 5,000 files: their memory, their idle CPU, and what they leave.

Each editor ends in another way; ten seconds later no server and no index is there.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import psutil

from tests.command import CARET
from tests.pipe import Server, initialize, notification
from tests.torture.figures import Figures

if TYPE_CHECKING:
    from collections.abc import Callable

SERVERS, FILES, IDLE_S = 10, 5_000, 300.0
GONE_S = 10.0
_PATIENCE_S = 600.0
_MOST_CPU = 0.01
"""Processors that all servers together may use while nobody types."""
# Starts a server at its own pipes, as an editor does, and tells its number.
_EDITOR = f"""
import subprocess, sys, time
server = subprocess.Popen([{CARET!r}, "lsp"])
print(server.pid, file=sys.stderr, flush=True)
server.wait()
"""
_OPTIONS = {"fim": {"model": "/no/such.gguf"}}
"""With them there is an index, and no engine."""


class Window:
    """An editor's process, and the server that it started."""

    def __init__(self, stack: ExitStack, folder: str, environment: dict[str, str]) -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", _EDITOR]
        process = stack.enter_context(
            subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
        )
        assert process.stderr
        self.editor, self.pipe = process, Server(process)
        self.server = psutil.Process(int(process.stderr.readline()))
        stack.callback(self._kill)
        place = {"rootUri": f"file://{folder}", "processId": process.pid}
        self.pipe.send(initialize(**place, initializationOptions=_OPTIONS))
        self.pipe.answer(1)
        self.pipe.send(notification("initialized", {}))
        self._ids = itertools.count(10)

    def processes(self) -> list[psutil.Process]:
        """Return the server and its index."""
        return [self.server, *self.server.children(recursive=True)]

    def files(self) -> int | None:
        """Return how many files the index has when it is whole."""
        name = next(self._ids)
        params = {"command": "caret.status"}
        ask = {"jsonrpc": "2.0", "id": name, "method": "workspace/executeCommand", "params": params}
        self.pipe.send(ask)
        files: int | None = self.pipe.answer(name)["result"]["context"]["files"]
        return files

    def _kill(self) -> None:
        for process in (self.editor, self.server):
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _polite(window: Window) -> None:
    window.pipe.send({"jsonrpc": "2.0", "id": 2, "method": "shutdown"})
    window.pipe.answer(2)
    window.pipe.send(notification("exit", None))


def _stopped_for_a_while(window: Window) -> None:
    window.server.suspend()
    window.pipe.stdin.close()
    window.server.resume()


WAYS: dict[str, Callable[[Window], Any]] = {
    "SIGKILL of the editor, its pipes left open": lambda window: window.editor.kill(),
    "SIGTERM of the server": lambda window: window.server.send_signal(signal.SIGTERM),
    "end of stdin": lambda window: window.pipe.stdin.close(),
    "end of stdout": lambda window: window.pipe.stdout.close(),
    "exit without shutdown": lambda window: window.pipe.send(notification("exit", None)),
    "end of stdin while it is stopped": _stopped_for_a_while,
    "SIGHUP of the server": lambda window: window.server.send_signal(signal.SIGHUP),
    "SIGKILL of the server": lambda window: window.server.kill(),
    "shutdown and exit": _polite,
}


def run(seed: int, scale: float = 1.0) -> Figures:
    """Start `scale` times as many servers; fewer than ways to end them only for a short form."""
    count, files = max(2, round(SERVERS * scale)), max(20, round(FILES * scale**3))
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as home:
        _fill(Path(folder), files, Random(seed))
        environment = dict(os.environ) | {"CARET_HOME": home}
        with ExitStack() as stack:
            windows = [Window(stack, folder, environment) for _ in range(count)]
            _until(lambda: all(window.files() == files for window in windows))
            running = [process for window in windows for process in window.processes()]
            pss = sum(process.memory_full_info().pss for process in running) >> 20
            cpu = _cpu(running, IDLE_S * scale) if scale == 1 else 0.0
            late = Window(stack, folder, environment)  # its index is at work when it ends
            running += late.processes()
            left = _end([*windows, late], running)
    told = f"{count} servers on {files:,} files: {pss:,} MiB (PSS), {cpu:.2%} of a processor idle"
    off = [*left, *([f"idle CPU of {cpu:.2%}"] if cpu > _MOST_CPU else [])]
    return Figures(f"{told}, {len(left)} processes left behind", tuple(off))


def _fill(folder: Path, files: int, random: Random) -> None:
    for number in range(files):
        name = folder / f"part{number % 50}" / f"module{number}.py"
        name.parent.mkdir(exist_ok=True)
        body = "".join(f"def f{random.randrange(10**6)}(x):\n    return x\n\n" for _ in range(10))
        name.write_text(body)


def _until(condition: Callable[[], bool], patience_s: float = _PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)


def _cpu(processes: list[psutil.Process], seconds: float) -> float:
    """Return the processors that were used while nobody did anything."""

    def used() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in processes)

    before = used()
    time.sleep(seconds)
    return (used() - before) / seconds


def _end(windows: list[Window], running: list[psutil.Process]) -> list[str]:
    ways = dict(zip([window.server.pid for window in windows], itertools.cycle(WAYS), strict=False))
    ways[windows[-1].server.pid] = "SIGTERM of the server"
    for window in windows:
        with suppress(OSError, psutil.NoSuchProcess):
            WAYS[ways[window.server.pid]](window)
    _until(lambda: not any(map(_lives, running)), GONE_S)
    return [f"{process}; ways were {ways}" for process in running if _lives(process)]


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
