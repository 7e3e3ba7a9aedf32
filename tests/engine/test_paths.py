"""Paths of Caret's files, with a home folder and without one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from engine import paths
from engine.errors import FolderUnavailable


@pytest.fixture(autouse=True)
def _bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that names no folder but the temporary one."""
    for name in [name for name in os.environ if name.startswith("XDG_")] + ["CARET_HOME", "HOME"]:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))


def _no_passwd(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", unknown)


def _mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


def test_a_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert paths.models_dir() == tmp_path / ".local" / "share" / "caret" / "models"
    assert _mode(paths.log_dir()) == 0o700
    assert paths.unkept() is None


@pytest.mark.parametrize("home", [None, "", "/nonexistent", "relative"])
def test_no_home_folder(home: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _no_passwd(monkeypatch)
    if home is not None:
        monkeypatch.setenv("HOME", home)
    monkeypatch.chdir(tmp_path)
    for folder in (paths.models_dir, paths.packed_dir, paths.statistics_dir, paths.licences_path):
        with pytest.raises(FolderUnavailable, match=r"no home folder.*CARET_HOME"):
            folder()
    assert "no home folder" in str(paths.unkept())
    for private in (paths.runtime_dir, paths.log_dir, paths.answers_dir):
        assert _mode(private()) == 0o700
    assert paths.log_dir() == tmp_path / "tmp" / f"caret-{os.getuid()}" / "log"
    assert [path.name for path in tmp_path.iterdir()] == ["tmp"]


@pytest.mark.parametrize("named", ["relative", "~/x", "/proc/no/such"])
def test_a_caret_home_that_cannot_be(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _no_passwd(monkeypatch)
    monkeypatch.setenv("CARET_HOME", named)
    with pytest.raises(FolderUnavailable, match="CARET_HOME"):
        paths.models_dir()
    assert paths.runtime_dir().name == "run"


def test_a_folder_for_data_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _no_passwd(monkeypatch)
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert paths.models_dir() == tmp_path / "data" / "caret" / "models"
    with pytest.raises(FolderUnavailable):
        paths.packed_dir()


def test_the_runtime_folder_does_not_depend_on_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    before = paths.runtime_dir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "r1"))
    assert paths.runtime_dir() == before


def test_a_temporary_folder_that_somebody_else_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARET_HOME", "/proc/no/such")
    planted = tmp_path / "tmp" / f"caret-{os.getuid() + 1}"
    planted.symlink_to(tmp_path)
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)  # as if what is there were another's
    with pytest.raises(FolderUnavailable, match="belongs to another user"):
        paths.runtime_dir()
    assert [path.name for path in tmp_path.iterdir()] == ["tmp"]


@pytest.mark.parametrize("temporary", ["", "/no/such", "relative"])
def test_a_temporary_folder_that_is_missing(
    temporary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", temporary)
    monkeypatch.setenv("CARET_HOME", "/proc/no/such")
    assert paths.log_dir() == Path(f"/tmp/caret-{os.getuid()}/log")


def test_a_folder_that_others_could_read_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARET_HOME", str(tmp_path))
    (tmp_path / "run").mkdir(mode=0o755)
    assert _mode(paths.runtime_dir()) == 0o700
