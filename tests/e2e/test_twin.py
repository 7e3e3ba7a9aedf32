"""The command line and a real model: Qwen2.5-Coder-0.5B in an engine of our own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from engine.paths import models_dir

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CARET = [sys.executable, "-m", "lsp_server"]
MODEL = ["--model", "qwen2.5-coder-0.5b"]
SHOP = """\
def total(prices):
    result = 0
    for price in prices:
        result = price
    return result
"""


@pytest.fixture
def env(qwen_small_path: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    assert qwen_small_path.parent == models_dir()
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "models").symlink_to(models_dir())
    env = os.environ | {"CARET_HOME": str(tmp_path / "home")}
    yield env
    subprocess.run([*CARET, "engine", "--stop"], env=env, check=True, capture_output=True)


def test_explain_and_fix(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)

    def caret(*arguments: str) -> dict[str, object]:
        command = [*CARET, *arguments, *MODEL, "--json"]
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        told: dict[str, object] = json.loads(done.stdout)
        return told

    explained = caret("explain", "shop.py:2")
    assert "total" in str(explained["answer"])
    assert explained["diff"] is None
    fixed = caret("fix", "shop.py:2", "-m", "It must add up the prices.", "--apply", "--yes")
    assert fixed["applied"]
    text = (tmp_path / "shop.py").read_text()
    assert text != SHOP
    compile(text, "shop.py", "exec")
