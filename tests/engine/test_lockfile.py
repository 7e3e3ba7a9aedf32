"""The engine's address and lock, whatever lies at their places."""

from __future__ import annotations

import errno
import json
import os
import resource
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import filelock
import pytest

from engine import launch, lockfile
from engine.errors import EngineUnavailable
from engine.launch import LaunchOptions
from engine.lockfile import Address

if TYPE_CHECKING:
    from pathlib import Path

HERE = Address(os.getpid(), 1, "t", "1", lockfile.place())


@pytest.fixture(autouse=True)
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runtime folder."""
    monkeypatch.setenv("CARET_HOME", str(tmp_path))
    (tmp_path / "run").mkdir(mode=0o700)
    return tmp_path / "run"


def _lacks_locks(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", flock)


def test_an_address_is_read_as_it_was_written(run: Path) -> None:
    lockfile.write_address(HERE)
    assert lockfile.read_address() == HERE
    assert [file.name for file in run.iterdir()] == ["engine.json"]


@pytest.mark.parametrize(
    "address",
    [
        replace(HERE, place="another machine"),
        replace(HERE, pid=3_999_999),
        replace(HERE, pid=2**40),
        replace(HERE, pid=-1),
    ],
)
def test_an_address_of_a_process_that_is_not_here(address: Address) -> None:
    lockfile.write_address(address)
    assert lockfile.read_address() is None


def test_an_address_of_an_older_version() -> None:
    lockfile.write_address(replace(HERE, place=""))
    assert lockfile.read_address() == replace(HERE, place="")


@pytest.mark.parametrize("kind", ["link", "writable", "pipe", "folder"])
def test_an_address_that_somebody_else_put_there(run: Path, kind: str) -> None:
    file, other = run / "engine.json", run.parent / "other.json"
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    else:
        other.write_text(json.dumps(asdict(HERE)))
        other.chmod(0o666 if kind == "writable" else 0o600)
        file.symlink_to(other) if kind == "link" else other.rename(file)
    assert lockfile.read_address() is None


def test_an_address_of_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    lockfile.write_address(HERE)
    mine = os.stat
    monkeypatch.setattr(os, "fstat", lambda _: _Another(mine("/")))
    assert lockfile.read_address() is None


class _Another:
    """Facts of a file that is another user's."""

    def __init__(self, facts: os.stat_result) -> None:
        self.st_uid, self.st_mode = os.getuid() + 1, 0o100600
        self.st_size, self.st_blksize = facts.st_size, facts.st_blksize


def test_the_token_is_not_written_through_a_link(run: Path) -> None:
    bait = run.parent / "bait"
    for name in ("engine.json", f"engine.{os.getpid()}"):
        (run / name).symlink_to(bait)
    lockfile.write_address(HERE)
    assert not bait.exists()
    assert lockfile.read_address() == HERE


def test_an_engine_withdraws_no_other_ones_address() -> None:
    lockfile.write_address(HERE)
    lockfile.remove_address(replace(HERE, token="another"))
    assert lockfile.read_address() == HERE
    lockfile.remove_address(HERE)
    assert lockfile.read_address() is None


async def test_an_engine_that_has_no_address_here() -> None:
    lockfile.write_address(replace(HERE, place="another container"))
    assert await launch.stop() is None
    with lockfile.engine_lock(), pytest.raises(EngineUnavailable, match="cannot be reached"):
        await launch.stop()


@pytest.mark.filterwarnings("ignore:flock")  # filelock says that it makes do without
def test_a_file_system_without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    _lacks_locks(errno.ENOSYS, monkeypatch)
    with lockfile.engine_lock(), pytest.raises(filelock.Timeout):
        lockfile.engine_lock().acquire(timeout=0)
    lockfile.engine_lock().acquire(timeout=0).lock.release()


async def test_a_network_without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    _lacks_locks(errno.ENOLCK, monkeypatch)
    with pytest.raises(EngineUnavailable, match=r"No locks available.*CARET_HOME"):
        await launch.connect(LaunchOptions())


def test_an_address_that_cannot_be_looked_for_is_not_withdrawn(run: Path) -> None:
    lockfile.write_address(HERE)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))  # no file more can be opened
    try:
        found = lockfile.read_address(), lockfile.is_withdrawn(HERE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert found == (None, False)
    assert lockfile.is_withdrawn(replace(HERE, port=2))
    (run / "engine.json").write_text("{}")
    assert lockfile.is_withdrawn(HERE)
    (run / "engine.json").unlink()
    assert lockfile.is_withdrawn(HERE)
