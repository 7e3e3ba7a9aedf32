"""Fixtures that tests of the workspace share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def own_logs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Index processes log there, and not in the user's log folder."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("CARET_HOME", str(home))
    return home
