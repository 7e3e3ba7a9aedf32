"""What is on disk: verified once, looked at cheaply."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from engine.errors import ModelDamaged, ModelMissing
from engine.fetch import Progress, installed, pull
from engine.models import ModelEntry, find

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BLOB = hashlib.shake_256(b"weights").digest(100_000)
ENTRY = ModelEntry(
    name="tiny",
    repo="owner/name",
    file="tiny.gguf",
    sha256=hashlib.sha256(BLOB).hexdigest(),
    size=len(BLOB),
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARET_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def never(_progress: Progress) -> None:
    pytest.fail("nothing is to be downloaded")


def receipt() -> Path:
    return ENTRY.path.with_name(".tiny.gguf.receipt")


def test_an_absent_model_is_none() -> None:
    assert installed(ENTRY) is None


def test_a_file_put_there_by_hand_is_verified_and_noted() -> None:
    ENTRY.path.write_bytes(BLOB)
    assert pull(ENTRY, never) == ENTRY.path
    noted = receipt().read_bytes()
    assert installed(ENTRY) == ENTRY.path
    assert receipt().read_bytes() == noted


def test_a_link_to_a_file_elsewhere_will_do(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(BLOB)
    ENTRY.path.symlink_to(tmp_path / "elsewhere")
    assert installed(ENTRY) == ENTRY.path


def test_a_touched_file_is_verified_anew() -> None:
    ENTRY.path.write_bytes(BLOB)
    installed(ENTRY)
    noted = receipt().read_bytes()
    os.utime(ENTRY.path, ns=(1, 1))
    assert installed(ENTRY) == ENTRY.path
    assert receipt().read_bytes() != noted


@pytest.mark.parametrize("noted", [True, False])
def test_a_truncated_file_is_damaged(noted: bool) -> None:
    ENTRY.path.write_bytes(BLOB)
    if noted:
        installed(ENTRY)
    os.truncate(ENTRY.path, 10)
    with pytest.raises(ModelDamaged, match=r"10 bytes\) of 100\.0 kB .* Run `caret pull tiny`"):
        installed(ENTRY)


@pytest.mark.parametrize("noted", [True, False])
def test_other_bytes_are_damaged(noted: bool) -> None:
    ENTRY.path.write_bytes(BLOB)
    if noted:
        installed(ENTRY)
    ENTRY.path.write_bytes(BLOB[::-1])
    os.utime(ENTRY.path, ns=(1, 1))
    with pytest.raises(ModelDamaged, match=r"its SHA-256 is .* as published\. Run `caret pull"):
        installed(ENTRY)


@pytest.mark.parametrize(
    "damage", [lambda noted: noted[:20], lambda _: "[{}]", lambda _: "[" * 9999]
)
def test_a_receipt_damaged_by_a_crash_is_written_again(damage: Callable[[str], str]) -> None:
    ENTRY.path.write_bytes(BLOB)
    installed(ENTRY)
    noted = receipt().read_text()
    receipt().write_text(damage(noted))
    assert installed(ENTRY) == ENTRY.path
    assert receipt().read_text() == noted


def test_a_folder_in_the_place_of_the_file_is_no_model() -> None:
    entry = find("codellama-7b")
    entry.path.mkdir()
    with pytest.raises(ModelDamaged, match=r"is no file\. Remove it"):
        installed(entry)


def test_a_file_whose_digest_nobody_knows_is_taken_as_it_is() -> None:
    entry = find("codellama-7b")
    entry.path.write_bytes(b"GGUF")
    assert installed(entry) == entry.path


def test_a_local_model_is_used_where_it_lies(tmp_path: Path) -> None:
    file = tmp_path / "mine" / "mine.gguf"
    file.parent.mkdir()
    file.write_bytes(b"GGUF")
    entry = find(str(file))
    assert pull(entry, never) == installed(entry) == file
    assert list(file.parent.iterdir()) == [file]
    file.unlink()
    assert installed(entry) is None
    with pytest.raises(ModelMissing, match=r"no file .*mine\.gguf"):
        pull(entry, never)
