"""Asking the real index process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from lsp_server.context import Site
from lsp_server.settings import Settings
from lsp_server.snapshot import EditorSnapshot
from lsp_server.workspace.link import Link
from tests.desk import at_hand
from tests.traps import Traps

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PATIENCE_S = 20.0
LEDGER = "class Ledger:\n    def balance(self) -> int:\n        return 1\n"
MAIN = "from ledger import Ledger\n\nx = Ledger()\nx."


async def test_the_index_runs_nothing_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traps = Traps(tmp_path / "workspace")
    monkeypatch.chdir(traps.folder)
    monkeypatch.setenv("PYTHONPATH", ".")
    link = Link(lambda *_: None)
    try:
        await link.use(EditorSnapshot(Settings(), [traps.folder.as_posix()]))
        async with asyncio.timeout(PATIENCE_S):
            while link.files is None:
                await asyncio.sleep(0.01)
    finally:
        await link.aclose()
    assert link.files is None
    assert traps.snapped == []


async def test_members_are_asked_for_beside_definitions(tmp_path: Path) -> None:
    (tmp_path / "ledger.py").write_text(LEDGER)
    root = tmp_path.as_posix()
    about = at_hand(Site(MAIN, "", "python", "main.py"), MAIN.splitlines(keepends=True))
    link = Link(lambda *_: None)
    assert await link.members(root, about, PATIENCE_S) == []
    try:
        await link.use(EditorSnapshot(Settings(), [root]))
        async with asyncio.timeout(PATIENCE_S):
            while link.files is None:
                await asyncio.sleep(0.01)
        asked = link.ask(root, about, PATIENCE_S), link.members(root, about, PATIENCE_S)
        definitions, members = await asyncio.gather(*asked)
        assert [item.brief for item in members] == ["class Ledger: # balance()"]
        assert definitions != members
        assert await link.members(root, about, 0) == []
    finally:
        await link.aclose()
