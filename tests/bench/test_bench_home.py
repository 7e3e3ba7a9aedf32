"""The home of a benchmark's own, and what of the user's is in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bench.home import private_home

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_packed_models_are_used_and_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARET_HOME", str(tmp_path))
    mine = tmp_path / "packed" / "a.safetensors"
    mine.parent.mkdir()
    mine.write_bytes(b"weights")
    with private_home() as home:
        assert os.environ["CARET_HOME"] == str(home)
        found = home / "packed" / "a.safetensors"
        assert found.read_bytes() == b"weights"
        found.unlink()  # as when an engine puts others in their place
    with private_home(packed=False) as home:
        assert not list((home / "packed").iterdir())
    assert mine.read_bytes() == b"weights"
    assert os.environ["CARET_HOME"] == str(tmp_path)
