"""Limits of containers, in folders that look like the kernel's."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from engine import limits

if TYPE_CHECKING:
    from pathlib import Path

GB = 1 << 30


@pytest.fixture(autouse=True)
def _eight(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of eight processors and 64 GB, of which 40 are free."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    facts = psutil.virtual_memory()._replace(total=64 * GB, available=40 * GB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: facts)


def _tree(root: Path, group: str, files: dict[str, str]) -> Path:
    for name, text in {"proc/self/cgroup": group, **files}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def _second(root: Path, files: dict[str, str], group: str = "0::/a/b\n") -> Path:
    return _tree(root, group, {f"sys/fs/cgroup/{name}": text for name, text in files.items()})


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 8),
        ({"a/b/cpu.max": "max 100000\n"}, 8),
        ({"a/b/cpu.max": "200000 100000\n"}, 2),
        ({"a/b/cpu.max": "250000 100000\n"}, 2),
        ({"a/b/cpu.max": "50000 100000\n"}, 1),
        ({"a/b/cpu.max": "max 100000\n", "a/cpu.max": "300000 100000\n"}, 3),
        ({"a/b/cpu.max": "1600000 100000\n"}, 8),
        ({"cpu.max": "400000 100000\n"}, 4),
        ({"a/b/cpu.max": ""}, 8),
        ({"a/b/cpu.max": "odd\n"}, 8),
        ({"a/b/cpu.max": "200000 0\n"}, 8),
    ],
)
def test_processors_of_the_second_form(
    tmp_path: Path, files: dict[str, str], expected: int
) -> None:
    assert limits.processors(_second(tmp_path, files)) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, limits.Memory(64 * GB, 40 * GB)),
        ({"a/b/memory.max": "max\n"}, limits.Memory(64 * GB, 40 * GB)),
        (
            {"a/b/memory.max": f"{2 * GB}\n", "a/b/memory.current": f"{GB}\n"},
            limits.Memory(2 * GB, GB, limited=True),
        ),
        (
            {
                "a/b/memory.max": f"{4 * GB}\n",
                "a/b/memory.current": f"{3 * GB}\n",
                "a/b/memory.stat": f"anon 5\ninactive_file {2 * GB}\n",
            },
            limits.Memory(4 * GB, 3 * GB, limited=True),
        ),
        (
            {"a/memory.high": f"{3 * GB}\n", "a/memory.current": f"{4 * GB}\n"},
            limits.Memory(3 * GB, 0, limited=True),
        ),
        (
            {"a/b/memory.max": f"{8 * GB}\n", "a/memory.max": f"{2 * GB}\n"},
            limits.Memory(2 * GB, 2 * GB, limited=True),
        ),
    ],
)
def test_memory_of_the_second_form(
    tmp_path: Path, files: dict[str, str], expected: limits.Memory
) -> None:
    assert limits.memory(_second(tmp_path, files)) == expected


@pytest.mark.parametrize("mount", ["cpu,cpuacct", "cpu"])
@pytest.mark.parametrize("inside", ["", "docker/x/"])
def test_the_first_form(tmp_path: Path, mount: str, inside: str) -> None:
    """In a container the group's path is often the host's, and its files lie at the top."""
    root = _tree(
        tmp_path,
        "3:cpu,cpuacct:/docker/x\n2:memory:/docker/x\n1:name=systemd:/\n0::/\n",
        {
            f"sys/fs/cgroup/{mount}/{inside}cpu.cfs_quota_us": "150000\n",
            f"sys/fs/cgroup/{mount}/{inside}cpu.cfs_period_us": "50000\n",
            f"sys/fs/cgroup/memory/{inside}memory.limit_in_bytes": f"{3 * GB}\n",
            f"sys/fs/cgroup/memory/{inside}memory.usage_in_bytes": f"{2 * GB}\n",
            f"sys/fs/cgroup/memory/{inside}memory.stat": f"total_inactive_file {GB}\n",
        },
    )
    assert limits.processors(root) == 3
    assert limits.memory(root) == limits.Memory(3 * GB, 2 * GB, limited=True)


def test_the_first_form_without_limits(tmp_path: Path) -> None:
    root = _tree(
        tmp_path,
        "3:cpu:/\n2:memory:/\n",
        {
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        },
    )
    assert limits.processors(root) == 8
    assert limits.memory(root) == limits.Memory(64 * GB, 40 * GB)


def test_a_group_outside_of_what_is_seen(tmp_path: Path) -> None:
    root = _second(tmp_path, {"cpu.max": "200000 100000\n"}, "0::/../../other\n")
    assert limits.processors(root) == 2


def test_an_affinity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    assert limits.processors(_second(tmp_path, {"a/cpu.max": "400000 100000\n"})) == 1


def test_no_groups_at_all(tmp_path: Path) -> None:
    assert limits.processors(tmp_path) == 8
    assert limits.memory(tmp_path) == limits.Memory(64 * GB, 40 * GB)


def test_the_engine_starts_no_more_threads_than_may_run() -> None:
    program = (
        "import os, psutil; from engine import __main__ as engine, limits; "
        "psutil.cpu_count = lambda logical=True: 16; limits.processors = lambda: 2; "
        "engine._tune_torch(None); given = os.environ.pop('OMP_NUM_THREADS'); "
        "engine._tune_torch(5); print(given, os.environ['OMP_NUM_THREADS'])"
    )
    kept = {name: os.environ[name] for name in os.environ if name != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=kept, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["2", "5"]


def test_large_blocks_go_back_to_the_system() -> None:
    """Free blocks between small ones that stay, twice, since glibc learns their size.

    Where malloc is not glibc's, the call must do nothing.
    """
    program = (
        "import sys, psutil; from engine import limits\n"
        "if sys.argv[1:]: limits.return_large_blocks()\n"
        "kept = []\n"
        "for _ in range(2):\n"
        "    large = []\n"
        "    for _ in range(16):\n"
        "        large.append(b'x' * (8 << 20)); kept.append(b'x' * 100_000)\n"
        "    del large\n"
        "print(psutil.Process().memory_info().rss >> 20)"
    )

    def resident(*arguments: str) -> int:
        command = [sys.executable, "-c", program, *arguments]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    with_it, without = resident("give back"), resident()
    assert with_it <= without + 8
    if platform.libc_ver()[0] == "glibc":
        assert with_it < 64 < without
