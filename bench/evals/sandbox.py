"""Runs programs that a model wrote, where they can reach nothing and last no longer than they may.

Where Linux lets us, a program gets name spaces of its own: no network but an unconnected loopback,
no other process to see, a file system that is read-only but for a folder in memory; when its first
process ends, all others do. Elsewhere (a container without that right) Python's audit hooks refuse
sockets, processes and writing outside. Limits on time, memory, processes and files hold in both.
`Sandbox.in_force` says which it is.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from bench.evals import guard
from engine import spawn
from engine.errors import CaretError

if TYPE_CHECKING:
    import subprocess

Level = Literal["namespaces", "hooks"]
_UNSHARE = ("--net", "--pid", "--ipc", "--mount", "--fork", "--kill-child")
_AS_USER = ("--user", "--map-root-user")
"""Who is not the superuser may do the above only as that of a user name space."""
_GUARD = Path(guard.__file__)
_KILLED = "unshare: sigprocmask"
_TOLD = 2_000
"""Bytes of a program's last words that are read."""
_MEANING = {
    "namespaces": "name spaces of its own: no network, no other processes, files read-only",
    "hooks": "Python's audit hooks: no sockets, no processes, no writing outside its folder",
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
        tried: tuple[Level, ...] = (level,) if level else ("namespaces", "hooks")
        for self.level in tried:
            problem = self._problem()
            if not problem:
                return
        raise CaretError(
            "Generated code cannot be run safely on this machine, so it is not run: "
            f"{problem}. Linux can."
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
            status = self._run(program, folder, said, limits or self._limits)
            if status == guard.FINISHED:
                return Outcome(passed=True)
            return Outcome(passed=False, why="timeout" if status is None else _last_line(said))

    def _run(self, program: str, folder: str, said: IO[bytes], limits: Limits) -> int | None:
        """The status that it left with; None if it had to be killed."""
        arguments = [str(_GUARD), folder, self.level, *limits.arguments()]
        process = spawn.start(
            [*self._prefix(), sys.executable, "-I", "-B", *arguments],
            stdin=spawn.PIPE,
            stdout=said,
            stderr=said,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": folder, "TMPDIR": folder},
            folder=folder,
            session=True,
        )
        try:
            process.communicate(program.encode(errors="replace"), timeout=limits.seconds)
        except spawn.TimeoutExpired:
            return None
        finally:
            _end(process)
        return process.returncode

    def _prefix(self) -> list[str]:
        if self.level == "hooks":
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
