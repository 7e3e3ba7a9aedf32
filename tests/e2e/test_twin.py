"""The command line and a real model: Qwen2.5-Coder-0.5B in an engine of our own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
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


@pytest.mark.usefixtures("home")
def test_explain_and_fix(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)

    def caret(*arguments: str) -> dict[str, object]:
        command = [*CARET, *arguments, *MODEL, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
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
