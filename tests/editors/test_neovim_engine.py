"""Two Neovims and their engine: they share it, and it comes back when it dies."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from engine import lockfile
from tests.editors.conftest import AREA, SETTINGS
from tests.editors.neovim import LOADING_S, Neovim, binaries, neovim, wait

if TYPE_CHECKING:
    from pathlib import Path

STATES = """
States = {}
vim.api.nvim_create_autocmd("User", { pattern = "CaretStatus", callback = function(event)
  table.insert(States, event.data.state)
end })
"""


def _engine() -> int:
    address = lockfile.read_address()
    assert address is not None
    return address.pid


def _suggests(editor: Neovim) -> None:
    editor.keys("<Esc>u:2<CR>jS    ret")
    assert wait(lambda: editor.ghost, LOADING_S).startswith("urn")


def test_windows_share_an_engine_that_comes_back(editor: Neovim, tmp_path: Path) -> None:
    engine = _engine()
    newest = list(binaries().values())[-1]
    with neovim(newest, tmp_path, {"settings": SETTINGS}) as other:
        other.open(tmp_path / "other.py", AREA)
        for window in (editor, other):
            _suggests(window)
        assert _engine() == engine
        editor.lua(STATES)
        os.kill(engine, signal.SIGKILL)
        editor.keys("<BS>")
        wait(lambda: {"error", "loading"} & set(editor.lua("return States")))
        wait(lambda: editor.state == "ready", LOADING_S)
        assert _engine() != engine
        for window in (editor, other):
            _suggests(window)
