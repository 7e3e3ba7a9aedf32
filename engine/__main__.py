"""The engine as a process: `python -m engine`. Clients start it; `caret engine` does by hand."""

from __future__ import annotations

import faulthandler
import logging
import os
import secrets
import signal
import socket
import sys
import time
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from typing import Literal, NoReturn

import click
import filelock
import psutil

from engine import lockfile
from engine.host import Host, loader
from engine.lockfile import Address
from engine.paths import log_dir
from engine.scheduler import Scheduler
from engine.web.server import EngineServer

_log = logging.getLogger("engine")
_PATIENCE_S = 10.0
"""How long to wait for an engine that is on its way out."""


@click.command()
@click.option("--port", default=0, show_default="any free one", help="Port on 127.0.0.1.")
@click.option("--idle-minutes", default=30.0, show_default=True, help="Leave after; 0: never.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads to compute with.")
@click.option("--memory", type=click.FloatRange(min=0), help="GB that the engine may use.")
@click.option("--format", "fmt", default="", help="Weight format, where a client wishes none.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto")
def main(
    port: int,
    idle_minutes: float,
    threads: int | None,
    memory: float | None,
    fmt: str,
    device: Literal["auto", "cpu", "cuda"],
) -> None:
    """Serve Caret's models on the loopback interface, as the user's one engine."""
    _start_logging()
    _tune_torch(threads)
    limit = None if memory is None else int(memory * 2**30)
    lock = _only_engine()
    _serve(_listen(port), Host(loader(fmt, device, limit)), idle_minutes * 60)
    lock.release()
    _exit()


def _tune_torch(threads: int | None) -> None:
    """Settings that torch and OpenMP read when they are first imported."""
    if threads is not None:
        # Valid on every thread, unlike a call to torch.set_num_threads.
        os.environ["OMP_NUM_THREADS"] = str(threads)
    # An editor and its other servers share these cores: a thread that spins for one which they
    # have displaced takes the core that this one needs, and decoding becomes several times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Huge pages: half of the time to read a model is page faults of fresh matrices.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def _start_logging() -> None:
    faulthandler.enable()
    file = RotatingFileHandler(log_dir() / "engine.log", maxBytes=1 << 20, backupCount=2)
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(
        level=logging.INFO, format="%(message)s", handlers=[file, logging.StreamHandler()]
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def _only_engine() -> filelock.BaseFileLock:
    """Become the user's one engine, or end this process with a message.

    One that is on its way out has withdrawn its address, and is waited for.
    """
    lock = lockfile.engine_lock()
    deadline = time.monotonic() + _PATIENCE_S
    while not lock.is_locked:
        try:
            lock.acquire(timeout=0.1)
        except filelock.Timeout:
            other = lockfile.read_address()
            if other or time.monotonic() > deadline:
                who = f" (pid {other.pid})" if other else ""
                _die(f"An engine runs already{who}. `caret engine --stop` ends it.")
    lockfile.remove_address()  # left by one that was killed
    return lock


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
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        # Serving, it takes them as the wish to leave; afterwards uvicorn raises them once more,
        # which must not cut the rest short.
        signal.signal(number, signal.SIG_IGN)
    EngineServer(host, Scheduler(), address, idle_seconds).run([listener])


def _exit() -> None:
    """End now, though a download or a load may be under way on its thread."""
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            child.terminate()
    logging.shutdown()
    os._exit(0)


def _die(message: str) -> NoReturn:
    _log.error(message)
    logging.shutdown()
    sys.exit(1)


if __name__ == "__main__":
    main()
