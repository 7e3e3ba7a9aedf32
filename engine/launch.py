"""Find the user's engine, or start it: what every client does first. Imports no torch.

`connect` is quick when an engine runs: one file read and one request. Otherwise clients queue
for the launch lock, so that the first starts an engine and the others find it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import filelock
import httpx

from engine import lockfile, spawn
from engine.errors import EngineUnavailable, FolderUnavailable
from engine.paths import log_dir

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator
    from pathlib import Path

    from engine.lockfile import Address
    from engine.wire import JSON

START_TIMEOUT_S = 30.0
"""For an engine to answer after its start, while it imports torch, perhaps from a cold disk."""
_POLL_S = 0.02
_ANSWER_TIMEOUT_S = 30.0
"""An engine that is there may be silent for long while it imports torch from a cold disk."""
_END_TIMEOUT_S = 15.0
_GLANCE_S = 0.2
UNWANTED_S = 60.0
"""An engine of another version may be replaced when nobody has used it for so long."""


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    """How to start an engine; has no effect on one that runs already."""

    idle_minutes: float = 30.0
    """It leaves when nobody asked for anything for so long; 0: never."""
    threads: int | None = None
    memory: float | None = None
    """GB (2^30 bytes) that it may use."""

    def arguments(self) -> list[str]:
        """As arguments of `python -m engine`."""
        given = {"idle-minutes": self.idle_minutes, "threads": self.threads, "memory": self.memory}
        return [f"--{name}={value}" for name, value in given.items() if value is not None]


async def connect(options: LaunchOptions) -> Address:
    """Where the user's engine listens; starts it if there is none.

    Raises:
        EngineUnavailable: It could not be started, does not answer, or is of another version
            and in use.
    """
    try:
        async with _client() as http:
            engine = await _running(http)
            if engine is None or not engine.ours:
                engine = await _launched(http, options)
            return engine.address
    except FolderUnavailable:
        raise
    except OSError as error:  # no room for a lock, no locks in that file system, no Python
        raise EngineUnavailable(
            f"The engine could not be started: {error}. {lockfile.ELSEWHERE}"
        ) from None


async def running() -> Address | None:
    """Where the user's engine listens, if one runs."""
    async with _client() as http:
        engine = await _running(http)
        return engine.address if engine else None


async def stop() -> Address | None:
    """End the user's engine and wait until it is gone; returns where it was, None if nowhere.

    Raises:
        EngineUnavailable: It does not end.
    """
    address = lockfile.read_address()
    if address is None:
        await _check_none_runs()
        return None
    async with _client() as http:
        # Where HTTP fails it may be gone already: its lock will tell.
        with suppress(httpx.TransportError):
            await http.post(f"{address.url}/shutdown", headers=address.headers)
    try:
        async with lockfile.engine_ended(_END_TIMEOUT_S):
            return address
    except filelock.Timeout:
        raise EngineUnavailable(
            f"The engine does not end. End its process, {address.pid}, by force."
        ) from None


async def _check_none_runs() -> None:
    """Raise EngineUnavailable where an engine holds the lock that has no address here."""
    try:
        async with lockfile.engine_ended(_GLANCE_S):
            return
    except filelock.Timeout:
        raise EngineUnavailable(
            "An engine runs that cannot be reached: it begins or ends just now, or it is another "
            "machine's or container's that shares the folder. Try again, or end it there."
        ) from None


@dataclass(frozen=True, slots=True)
class _Engine:
    address: Address
    quiet_seconds: float

    @property
    def ours(self) -> bool:
        return self.address.version == lockfile.our_version()


def _client() -> httpx.AsyncClient:
    """For loopback alone: no proxy of the environment's, and no certificates to read."""
    return httpx.AsyncClient(trust_env=False, verify=False, timeout=_ANSWER_TIMEOUT_S)


async def _running(http: httpx.AsyncClient) -> _Engine | None:
    address = lockfile.read_address()
    if address is None:
        return None
    try:
        answer = await http.get(f"{address.url}/health", headers=address.headers)
        health: JSON = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return None
    if health.get("pid") != address.pid:
        return None  # somebody else listens at the port of an engine that was killed
    return _Engine(address, health.get("quiet_seconds", 0.0))


async def _launched(http: httpx.AsyncClient, options: LaunchOptions) -> _Engine:
    async with _only_launcher():
        engine = await _running(http)
        if engine is not None and engine.ours:
            return engine
        if engine is not None:
            await _replace(engine)
        return await _start(http, options)


@asynccontextmanager
async def _only_launcher() -> AsyncIterator[None]:
    try:
        async with lockfile.launch_lock(START_TIMEOUT_S):
            yield
    except filelock.Timeout:
        raise EngineUnavailable(
            "Another program has been starting the engine for too long. Try again."
        ) from None


async def _replace(engine: _Engine) -> None:
    if engine.quiet_seconds < UNWANTED_S:
        raise EngineUnavailable(
            f"The engine of Caret {engine.address.version} runs for another program, and this is "
            f"Caret {lockfile.our_version()}. Restart the other one, or run `caret engine --stop`."
        )
    await stop()


async def _start(http: httpx.AsyncClient, options: LaunchOptions) -> _Engine:
    process = _spawn(options)
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if engine := await _running(http):
            return engine
        if process.returncode is not None:
            raise EngineUnavailable(f"The engine did not start: {_last_words(process.returncode)}")
        await asyncio.sleep(_POLL_S)
    raise EngineUnavailable(
        f"The engine did not answer within {START_TIMEOUT_S:.0f} s. {_output_file()} may say why."
    )


def _spawn(options: LaunchOptions) -> subprocess.Popen[bytes]:
    """Start an engine that outlives this process."""
    command = spawn.python("engine", *options.arguments())
    with _output_file().open("wb") as output:
        process = spawn.start(command, stdout=output, stderr=output, session=True)
    # Collects its exit status, else an engine that ends before us would stay a zombie.
    threading.Thread(target=process.wait, name="engine's end", daemon=True).start()
    return process


def _last_words(status: int) -> str:
    """Why an engine ended before it listened."""
    if status < 0:
        return f"it was ended by signal {-status}. Try again."
    lines = _output_file().read_text(errors="replace").split("\n")
    said = next((line for line in reversed(lines) if line.strip()), "")
    return said or f"it ended with status {status}. {log_dir() / 'engine.log'} may say why."


def _output_file() -> Path:
    """What the last engine started in the background wrote to its standard output and error."""
    return log_dir() / "engine.out"
