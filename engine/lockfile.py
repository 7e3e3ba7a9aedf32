"""Where the running engine can be reached, and the locks that keep it the only one.

`engine.lock` is held by the engine as long as it lives, `launch.lock` by whoever starts one.
The operating system frees both when their holder dies, so a crash leaves nothing to clean up.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import stat
from dataclasses import asdict, dataclass, field
from importlib.metadata import version as installed_version
from pathlib import Path

import filelock
import psutil

from engine.paths import runtime_dir

_SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ESTALE)
"""Error numbers that do not mean that a file is missing."""
ELSEWHERE = "Set CARET_HOME to a folder of a local disk."


@dataclass(frozen=True, slots=True)
class Address:
    """One running engine: where it listens and what it wants to hear."""

    pid: int
    port: int
    """On 127.0.0.1."""
    token: str = field(repr=False)
    version: str
    place: str = ""
    """Id of the machine and container in which `pid` is valid (see the function `place`)."""

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


def place() -> str:
    """Return an id of this machine since its last start, and of this container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return platform.node()


def read_address() -> Address | None:
    """Return the address of the user's engine; None if there is none, or its process was killed.

    An address that somebody else wrote does not count: what is typed would be sent there. Nor
    does one of another machine or container that shares the folder.
    """
    try:
        address = Address(**json.loads(_own_bytes(_address_file())))
        here = address.place in ("", place())
        return address if here and psutil.pid_exists(address.pid) else None
    except (OSError, ValueError, TypeError, OverflowError):
        return None


def is_withdrawn(address: Address) -> bool:
    """Return whether no client finds `address` any more; False where that cannot be seen."""
    try:
        return Address(**json.loads(_own_bytes(_address_file()))) != address
    except OSError as error:
        return error.errno not in _SHORTAGES
    except (ValueError, TypeError):
        return True


def _own_bytes(path: Path) -> bytes:
    """Read a regular file that nobody but the user can write."""
    # A pipe that somebody put there must not hold us up.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if facts.st_uid != os.getuid() or facts.st_mode & 0o022 or not stat.S_ISREG(facts.st_mode):
            raise PermissionError(f"{path} is not the user's own file")
        return file.read()


def write_address(address: Address) -> None:
    """Publish where this process listens, readable by the user alone, whole or not at all."""
    path = _address_file()
    draft = path.with_suffix(f".{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(address), file)
    draft.replace(path)


def remove_address(address: Address | None = None) -> None:
    """Remove `address`, or with None any, as only the holder of the engine's lock may."""
    if address is None or read_address() == address:
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
