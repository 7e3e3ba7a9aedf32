"""The engine's process from its lock to its last breath."""

from __future__ import annotations

import faulthandler
import logging
import os
import secrets
import signal
import socket
import time
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from typing import Literal, NoReturn

import filelock
import psutil

from engine import limits, lockfile
from engine.host import Host, loader
from engine.lockfile import Address
from engine.paths import log_dir
from engine.scheduler import Scheduler
from engine.web.server import EngineServer

_log = logging.getLogger("engine")
_PATIENCE_S = 10.0
"""How long to wait for an engine that is on its way out."""


def serve(
    port: int,
    idle_seconds: float,
    fmt: str,
    device: Literal["auto", "cpu", "cuda"],
    memory_limit: int | None,
) -> NoReturn:
    """Be the user's one engine, up to the end of this process; see `engine.__main__`."""
    _start_logging()
    limits.return_large_blocks()
    lock = _only_engine()
    _serve(_listen(port), Host(loader(fmt, device, memory_limit)), idle_seconds)
    lock.release()
    _exit()


def _start_logging() -> None:
    faulthandler.enable()
    logging.raiseExceptions = False  # a full disk is no reason to write tracebacks
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    with suppress(OSError):  # nothing can be written
        file = RotatingFileHandler(log_dir() / "engine.log", maxBytes=1 << 20, backupCount=2)
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        handlers.append(file)
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=handlers)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def _only_engine() -> filelock.BaseFileLock:
    """Become the user's one engine, or end this process with a message.

    One that is on its way out has withdrawn its address, and is waited for.
    """
    try:
        lock = lockfile.engine_lock()
        return _locked(lock)
    except OSError as error:
        _die(f"The engine cannot lock its folder: {error}. {lockfile.ELSEWHERE}")


def _locked(lock: filelock.BaseFileLock) -> filelock.BaseFileLock:
    deadline = time.monotonic() + _PATIENCE_S
    while not lock.is_locked:
        try:
            lock.acquire(timeout=0.1)
        except filelock.Timeout:
            other = lockfile.read_address()
            if other or time.monotonic() > deadline:
                _die(f"An engine runs already{_known(other)}")
    lockfile.remove_address()  # left by one that was killed
    return lock


def _known(other: Address | None) -> str:
    if other:
        return f" (pid {other.pid}). `caret engine --stop` ends it."
    return f", on another machine or in another container with this folder. {lockfile.ELSEWHERE}"


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    # On POSIX this only allows a port in TIME_WAIT, as after a restart with a fixed --port.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        _die(f"Cannot listen on port {port}: {error.strerror}. Choose another or leave it out.")
    return listener


def _serve(listener: socket.socket, host: Host, idle_seconds: float) -> None:
    address = Address(
        pid=os.getpid(),
        port=listener.getsockname()[1],
        token=secrets.token_urlsafe(32),
        version=lockfile.our_version(),
        place=lockfile.place(),
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        # Serving, it takes them as the wish to leave; afterwards uvicorn raises them once more,
        # which must not cut the rest short.
        signal.signal(number, signal.SIG_IGN)
    EngineServer(host, Scheduler(), address, idle_seconds).run([listener])


def _exit() -> NoReturn:
    """End, with what it started."""
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            child.terminate()
    _leave(0)


def _die(message: str) -> NoReturn:
    _log.error(message)
    _leave(1)


def _leave(status: int) -> NoReturn:
    """End now, though a download, a load or an import may be under way on its thread."""
    logging.shutdown()
    os._exit(status)
