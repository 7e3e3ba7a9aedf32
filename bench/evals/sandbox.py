"""Runs programs that a model wrote, where they can reach nothing and last no longer than they may.

Where Linux lets us, a program gets name spaces of its own: no network but an unconnected loopback,
no other process to see, a file system that is read-only but for a folder in memory; when its first
process ends, all others do. In a container without that right the kernel filters what it asks for
(seccomp and Landlock): no sockets, no processes, no signals to others, no writing outside of its
folder. Limits on time, memory and files hold in both. Where neither works, nothing is run: hooks
in Python, for one, are no sandbox. `Sandbox.in_force` says which it is.

A program has passed when the guard, which runs it, has handed back a nonce of this process's. That
it does at the end of the program only; how a program ends itself does not matter.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from bench.evals import guard
from engine import spawn
from engine.errors import CaretError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

Level = Literal["namespaces", "filters"]
_UNSHARE = ("--net", "--pid", "--ipc", "--mount", "--fork", "--kill-child")
_AS_USER = ("--user", "--map-root-user")
"""Who is not the superuser may do the above only as that of a user name space."""
_GUARD = Path(guard.__file__)
_KILLED = "unshare: sigprocmask"
_TOLD = 2_000
"""Bytes of a program's last words that are read."""
_MEANING = {
    "namespaces": "name spaces of its own: no network, no other processes, files read-only",
    "filters": "filters of the kernel: no sockets, no processes, no writing outside its folder",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use."""

    seconds: float = 10.0
    """From its start, whether it computes or sleeps."""
    cpu_seconds: int = 8
    memory: int = 1 << 30
    """Bytes of address space, for each process."""
    processes: int = 16
    file_bytes: int = 16 << 20
    room: int = 64 << 20
    """Bytes of all its files together, where name spaces are in force."""

    def arguments(self) -> list[str]:
        """For `guard`."""
        values = (self.cpu_seconds, self.memory, self.processes, self.file_bytes, self.room)
        return [str(value) for value in values]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended."""

    passed: bool
    """It came to its end, no exception raised."""
    why: str = ""
    """The last line that it said, or "timeout"; empty when it passed."""


class Sandbox:
    """One way to run programs, the strictest that this machine allows."""

    def __init__(self, limits: Limits | None = None, level: Level | None = None) -> None:
        """`level` asks for one way only.

        Raises:
            CaretError: no way works here.
        """
        self._limits = limits or Limits()
        tried: tuple[Level, ...] = (level,) if level else ("namespaces", "filters")
        for self.level in tried:
            problem = self._problem()
            if not problem:
                return
        raise CaretError(
            "Generated code cannot be run safely on this machine, so it is not run: "
            f"{problem}. Use Linux with user name spaces, or of version 6.2 or newer."
        )

    @property
    def in_force(self) -> str:
        """For people: what keeps programs in."""
        return f"{_MEANING[self.level]}; {_describe(self._limits)}"

    def run(self, program: str, limits: Limits | None = None) -> Outcome:
        """Run it to its end, or to the end of its time; `limits` for this one only."""
        with (
            tempfile.TemporaryDirectory(prefix="caret-eval-") as folder,
            tempfile.TemporaryFile() as said,
        ):
            passed = self._run(program, folder, said, limits or self._limits)
            if passed:
                return Outcome(passed=True)
            return Outcome(passed=False, why="timeout" if passed is None else _last_line(said))

    def _run(self, program: str, folder: str, said: IO[bytes], limits: Limits) -> bool | None:
        """Return whether it came to its end; None if it had to be killed."""
        nonce = secrets.token_hex().encode()
        with _pipe() as (reading, report):
            status = self._status(nonce, program, folder, said, report, limits)
            if status is None:
                return None
            return status == 0 and _waiting(reading) == nonce

    def _status(
        self,
        nonce: bytes,
        program: str,
        folder: str,
        said: IO[bytes],
        report: int,
        limits: Limits,
    ) -> int | None:
        arguments = [str(_GUARD), folder, self.level, str(report), *limits.arguments()]
        process = spawn.start(
            [*self._prefix(), sys.executable, "-I", "-B", *arguments],
            stdin=spawn.PIPE,
            stdout=said,
            stderr=said,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": folder, "TMPDIR": folder},
            folder=folder,
            session=True,
            passed=[report],
        )
        try:
            given = nonce + b"\n" + program.encode(errors="replace")
            process.communicate(given, timeout=limits.seconds)
        except spawn.TimeoutExpired:
            return None
        finally:
            _end(process)
        return process.returncode

    def _prefix(self) -> list[str]:
        if self.level == "filters":
            return []
        return [
            spawn.program("unshare") or "unshare",
            *_UNSHARE,
            *(_AS_USER if os.geteuid() else ()),
            "--",
        ]

    def _problem(self) -> str:
        """Why this way does not work here; empty if it does."""
        if os.name != "posix":
            return "its processes cannot be limited"
        try:
            return self.run("import json, socket").why
        except OSError as error:
            return str(error)


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    """Two ends, closed afterwards."""
    reading, writing = os.pipe()
    try:
        yield reading, writing
    finally:
        os.close(reading)
        os.close(writing)


def _waiting(reading: int) -> bytes:
    """Return what was written to a pipe so far."""
    os.set_blocking(reading, False)
    with suppress(BlockingIOError):
        return os.read(reading, _TOLD)
    return b""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole group; with name spaces, that ends everything that is in them."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_line(said: IO[bytes]) -> str:
    size = said.seek(0, os.SEEK_END)
    said.seek(max(size - _TOLD, 0))
    lines = said.read().decode(errors="replace").strip().splitlines()
    # unshare has a last word of its own where its child was killed.
    return lines[-1][:200] if lines and not lines[-1].startswith(_KILLED) else "killed"


def _describe(limits: Limits) -> str:
    return (
        f"{limits.seconds:.0f} s, {limits.cpu_seconds} s of a processor, "
        f"{limits.memory >> 20} MiB of memory, {limits.processes} processes"
    )
