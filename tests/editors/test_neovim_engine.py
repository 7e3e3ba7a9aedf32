"""Two Neovims and their engine: they share it, and it comes back when it dies."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from engine import lockfile
from tests.editors.conftest import AREA, SETTINGS
from tests.editors.neovim import LOADING_S, Neovim, binaries, neovim, wait
from tests.editors.test_neovim import TO_X

STATES = """
States = {}
vim.api.nvim_create_autocmd("User", { pattern = "CaretStatus", callback = function(event)
  table.insert(States, event.data.state)
end })
"""


def _engine() -> int | None:
    address = lockfile.read_address()
    return address.pid if address else None


def _suggests(editor: Neovim) -> None:
    editor.keys("<Esc>u:2<CR>jS    ret")
    assert wait(lambda: editor.ghost, LOADING_S).startswith("urn")


def test_windows_share_an_engine_that_comes_back(editor: Neovim, tmp_path: Path) -> None:
    engine = _engine()
    assert engine
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


def test_a_restart_brings_a_new_engine(editor: Neovim) -> None:
    engine = _engine()
    editor.command("Caret restart")
    wait(lambda: _engine() not in (None, engine), LOADING_S)
    wait(lambda: editor.state == "ready", LOADING_S)
    _suggests(editor)


def test_a_new_window_suggests_to_a_person_who_does_not_wait(
    started: Neovim, tmp_path: Path, figures: list[str]
) -> None:
    """Typed before the server is there; how long it takes, beside the editor's own delay."""
    path, begin = tmp_path / "area.py", time.monotonic()
    path.write_text(AREA)
    binary = Path(started.lua("return vim.v.progpath"))
    with neovim(binary, tmp_path, {"settings": SETTINGS}, path) as editor:
        wait(lambda: editor.shows("def area"))
        editor.keys(TO_X + "sret")
        wait(lambda: editor.ghost, LOADING_S)
        seconds = time.monotonic() - begin
        delay = 200 if editor.lua("return require('caret.config').values.builtin") else 0
        version = editor.lua("return tostring(vim.version())")
    figures.append(
        f"Neovim {version}: {seconds:.2f} s from opening a window to its first ghost text, engine "
        f"loaded; {delay} ms of it are the editor's own delay"
    )
