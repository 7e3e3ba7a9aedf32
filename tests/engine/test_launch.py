"""Real engines, which start without any model."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from engine import launch, lockfile
from engine.errors import EngineUnavailable
from engine.launch import LaunchOptions
from engine.lockfile import Address
from tests.command import CARET, caret, failing_program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

DEADLINE_S = 60.0
OPTIONS = LaunchOptions(idle_minutes=2)


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Path]:
    """A folder of its own for locks and logs; the engine that is left there is ended."""
    monkeypatch.setenv("CARET_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    yield tmp_path
    await launch.stop()


def _until_gone(pid: int) -> None:
    end = time.monotonic() + DEADLINE_S
    while psutil.pid_exists(pid):
        assert time.monotonic() < end
        time.sleep(0.01)


async def test_engine_is_started_once_and_found(home: Path) -> None:
    assert await launch.running() is None
    first = await launch.connect(OPTIONS)
    assert await launch.connect(OPTIONS) == await launch.running() == first
    process = psutil.Process(first.pid)
    assert process.cmdline()[1:4] == ["-P", "-m", "engine"]
    assert process.cwd() == "/"
    assert os.getsid(first.pid) == first.pid
    assert stat.S_IMODE((home / "run" / "engine.json").stat().st_mode) == 0o600


@pytest.mark.usefixtures("home")
async def test_clients_that_start_at_once_share_one_engine() -> None:
    program = (
        "import asyncio; from engine.launch import *; "
        "print(asyncio.run(connect(LaunchOptions(idle_minutes=2))).pid)"
    )
    clients = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    ours = await asyncio.gather(*(launch.connect(OPTIONS) for _ in range(3)))
    theirs = [int((await client.communicate())[0]) for client in clients]
    assert {*theirs, *(address.pid for address in ours)} == {ours[0].pid}


@pytest.mark.usefixtures("home")
async def test_engine_that_was_killed_is_replaced() -> None:
    killed = await launch.connect(OPTIONS)
    os.kill(killed.pid, signal.SIGKILL)
    _until_gone(killed.pid)
    assert lockfile.read_address() is None
    assert (await launch.connect(OPTIONS)).pid != killed.pid


@pytest.mark.parametrize("rubbish", ["", "{", "[]", '{"pid": 1}'])
async def test_address_that_makes_no_sense(home: Path, rubbish: str) -> None:
    (home / "run").mkdir()
    (home / "run" / "engine.json").write_text(rubbish)
    assert (await launch.connect(OPTIONS)).version == lockfile.our_version()


@pytest.mark.usefixtures("home")
async def test_stranger_at_the_port_of_a_dead_engine() -> None:
    async def reply(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"status":"ok"}')
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as stranger:
        port = stranger.sockets[0].getsockname()[1]
        lockfile.write_address(Address(os.getpid(), port, "t", lockfile.our_version()))
        assert (await launch.connect(OPTIONS)).port != port


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_ends_it_cleanly(home: Path, number: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-m", "engine"], stderr=subprocess.DEVNULL)
    async with asyncio.timeout(DEADLINE_S):
        while not await launch.running():
            await asyncio.sleep(0.01)
    process.send_signal(number)
    assert process.wait(DEADLINE_S) == 0
    assert not (home / "run" / "engine.json").exists()
    assert "Engine stopped" in (home / "log" / "engine.log").read_text()


async def test_it_leaves_when_idle(home: Path) -> None:
    address = await launch.connect(LaunchOptions(idle_minutes=0.005))
    await asyncio.to_thread(_until_gone, address.pid)
    assert not (home / "run" / "engine.json").exists()
    assert await launch.running() is None


@pytest.mark.usefixtures("home")
async def test_only_one_engine_runs() -> None:
    first = await launch.connect(OPTIONS)
    command = [sys.executable, "-m", "engine"]
    second = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)
    assert second.returncode == 1
    assert f"An engine runs already (pid {first.pid})".encode() in second.stderr
    assert await launch.running() == first


async def test_engine_that_cannot_start_says_why(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", failing_program(home / "python", "no room in here"))
    with pytest.raises(EngineUnavailable, match=r"did not start: no room in here$"):
        await launch.connect(OPTIONS)


async def test_an_engine_whose_folder_is_removed_leaves(home: Path) -> None:
    (home / "log").write_text("in the way")  # logs lie elsewhere then
    lost = await launch.connect(OPTIONS)
    shutil.rmtree(home / "run")
    await asyncio.to_thread(_until_gone, lost.pid)
    (home / "log").unlink()


async def test_other_version_in_use_is_left_alone(home: Path) -> None:
    address = await launch.connect(OPTIONS)
    _pretend_version(home, "9.9.9")
    with pytest.raises(EngineUnavailable, match=r"Caret 9\.9\.9 runs for another program"):
        await launch.connect(OPTIONS)
    assert psutil.pid_exists(address.pid)


async def test_other_version_out_of_use_is_replaced(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await launch.connect(OPTIONS)
    _pretend_version(home, "9.9.9")
    monkeypatch.setattr(launch, "UNWANTED_S", 0.0)
    new = await launch.connect(OPTIONS)
    assert new.pid != old.pid
    _until_gone(old.pid)


def _pretend_version(home: Path, version: str) -> None:
    """Have the running engine's address say that it is of another version."""
    file = home / "run" / "engine.json"
    text = re.sub(r'"version": "[^"]*"', f'"version": "{version}"', file.read_text())
    file.write_text(text)


async def test_stop_waits_for_the_end(home: Path) -> None:
    address = await launch.connect(OPTIONS)
    assert await launch.stop() == address
    _until_gone(address.pid)
    assert await launch.stop() is None
    assert not (home / "run" / "engine.json").exists()


def test_options_as_arguments() -> None:
    assert LaunchOptions(1.5, 4, 6.0).arguments() == [
        "--idle-minutes=1.5",
        "--threads=4",
        "--memory=6.0",
    ]
    assert LaunchOptions().arguments() == ["--idle-minutes=30.0"]


async def test_caret_engine(home: Path) -> None:
    def said(*options: str) -> str:
        done = caret("engine", *options)
        return done.stdout + done.stderr

    assert said("--status") == "No engine runs. Editors start it when they need it.\n"
    assert "exclude each other" in said("--status", "--stop")
    engine = subprocess.Popen([CARET, "engine", "--threads", "1"], stderr=subprocess.DEVNULL)
    async with asyncio.timeout(DEADLINE_S):
        while not (address := await launch.running()):
            await asyncio.sleep(0.01)
    assert address.pid == engine.pid
    assert f"runs at {address.url} (pid {engine.pid})" in said("--status")
    assert "has ended" in said("--stop")
    assert engine.wait(DEADLINE_S) == 0
    assert said("--stop") == "No engine runs.\n"
    assert "Engine stopped" in (home / "log" / "engine.log").read_text()
