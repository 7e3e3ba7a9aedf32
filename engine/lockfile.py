"""Where the running engine can be reached, and the locks that keep it the only one.

`engine.lock` is held by the engine as long as it lives, `launch.lock` by whoever starts one.
The operating system frees both when their holder dies, so a crash leaves nothing to clean up.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING

import filelock
import psutil

from engine.paths import runtime_dir

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Address:
    """One running engine: where it listens and what it wants to hear."""

    pid: int
    port: int
    """On 127.0.0.1."""
    token: str = field(repr=False)
    version: str

    @property
    def url(self) -> str:
        """Base of every request."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """What every request must carry."""
        return {"Authorization": f"Bearer {self.token}"}


def our_version() -> str:
    """Version of this installation; engine and clients of different ones do not mix."""
    return installed_version("caret-lsp")


def read_address() -> Address | None:
    """Where the user's engine says it is; None if there is none, or its process was killed."""
    try:
        address = Address(**json.loads(_address_file().read_bytes()))
        return address if psutil.pid_exists(address.pid) else None
    except (OSError, ValueError, TypeError):
        return None


def write_address(address: Address) -> None:
    """Publish where this process listens, readable by the user alone, whole or not at all."""
    path = _address_file()
    draft = path.with_suffix(f".{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(address), file)
    draft.replace(path)


def remove_address() -> None:
    """Withdraw it; only the holder of the engine's lock may."""
    _address_file().unlink(missing_ok=True)


def engine_lock() -> filelock.FileLock:
    """Held by the engine, and by nobody else for longer than a glance."""
    return filelock.FileLock(runtime_dir() / "engine.lock", mode=0o600)


def engine_ended(timeout_s: float) -> filelock.AsyncFileLock:
    """The same lock, for a client to wait until no engine holds it."""
    return _awaited("engine.lock", timeout_s)


def launch_lock(timeout_s: float) -> filelock.AsyncFileLock:
    """Held by a client that looks for the engine and, finding none, starts it."""
    return _awaited("launch.lock", timeout_s)


def _awaited(name: str, timeout_s: float) -> filelock.AsyncFileLock:
    # An attempt to lock is instant; on an executor's thread it could outlive its cancelled task.
    return filelock.AsyncFileLock(
        runtime_dir() / name, timeout=timeout_s, mode=0o600, run_in_executor=False
    )


def _address_file() -> Path:
    return runtime_dir() / "engine.json"
