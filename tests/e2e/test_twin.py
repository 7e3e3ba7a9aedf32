"""The command line and a real model: Qwen2.5-Coder-0.5B in an engine of our own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.command import SHOP, caret

if TYPE_CHECKING:
    from pathlib import Path

MODEL = ["--model", "qwen2.5-coder-0.5b"]


@pytest.mark.usefixtures("home")
def test_explain_and_fix(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)

    def told(*arguments: str) -> dict[str, object]:
        done = caret(*arguments, *MODEL, "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        report: dict[str, object] = json.loads(done.stdout)
        return report

    explained = told("explain", "shop.py:2")
    assert "total" in str(explained["answer"])
    assert explained["diff"] is None
    fixed = told("fix", "shop.py:2", "-m", "It must add up the prices.", "--apply", "--yes")
    assert fixed["applied"]
    text = (tmp_path / "shop.py").read_text()
    assert text != SHOP
    compile(text, "shop.py", "exec")
