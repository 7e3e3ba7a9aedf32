"""The front door: `make` explains itself and refuses a Python that is too old."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def make(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """What `make` reads of a fresh clone."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_help_lists_every_target_and_is_the_default() -> None:
    done = make("--no-print-directory", "help")
    assert done.returncode == 0
    for target in ("demo", "test", "setup", "check", "optimized", "devmode", "sanitizers"):
        assert f"make {target} " in done.stdout
    assert make("--no-print-directory").stdout == done.stdout


def test_old_python_is_refused_in_words(fresh: Path) -> None:
    old = fresh / "python3.8"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = make("demo", f"PYTHON={old}", cwd=fresh)
    assert done.returncode != 0
    assert "Caret needs Python 3.11 or newer" in done.stderr
    assert "make demo PYTHON=" in done.stderr
    assert not (fresh / ".venv").exists()


def test_second_call_installs_nothing(fresh: Path) -> None:
    stamps = fresh / ".venv"
    stamps.mkdir()
    (stamps / ".installed").touch()
    (stamps / ".installed-dev").touch()
    assert "pip" not in make("--dry-run", "setup", cwd=fresh).stdout


def test_ci_runs_what_a_developer_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert script.read_text("utf-8").rstrip().endswith("make test")
