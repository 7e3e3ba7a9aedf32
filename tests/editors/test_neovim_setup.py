"""Ways to have Caret in Neovim beside `setup` at the start, and its part of lualine."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.command import CARET
from tests.editors.conftest import AREA, SETTINGS
from tests.editors.fetch import EDITORS
from tests.editors.neovim import LOADING_S, PLUGIN, Neovim, binaries, configured, neovim, wait
from tests.editors.test_neovim import TO_X

if TYPE_CHECKING:
    from pathlib import Path

FOUND = f"vim.opt.runtimepath:prepend({json.dumps(str(PLUGIN))})"
LATE = """
require("caret").setup({ cmd = { ..., "lsp" }, settings = vim.json.decode(select(2, ...)) })
"""
ENABLED = """
local settings = vim.json.decode(select(2, ...))
vim.lsp.config("caret", { cmd = { ..., "lsp" }, init_options = settings })
vim.lsp.enable("caret")
"""
LUALINE = """
vim.opt.runtimepath:prepend(...)
require("lualine").setup({ sections = { lualine_x = { "caret" } } })
"""
DEBIAN = EDITORS["Neovim 0.12"]


def _suggests(editor: Neovim, lua: str) -> None:
    wait(lambda: editor.shows("def area"))
    editor.lua(lua, CARET, json.dumps(SETTINGS))
    editor.keys(TO_X + "sret")
    assert wait(lambda: editor.ghost, LOADING_S).startswith("urn")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("name", binaries())
def test_a_late_setup_comes_to_open_files(name: str, tmp_path: Path) -> None:
    """As when a plugin manager loads it at an event."""
    (path := tmp_path / "area.py").write_text(AREA)
    with configured(binaries()[name], tmp_path, FOUND, path) as editor:
        _suggests(editor, LATE)


@pytest.mark.usefixtures("home")
def test_the_editors_own_way_is_enough(tmp_path: Path) -> None:
    """`lsp/caret.lua` is found, and what is configured is added."""
    (path := tmp_path / "area.py").write_text(AREA)
    with configured(binaries()[max(binaries())], tmp_path, FOUND, path) as editor:
        _suggests(editor, ENABLED)


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("binary", [DEBIAN.path] if DEBIAN.path.exists() else [])
def test_lualine_has_a_part(binary: Path, tmp_path: Path) -> None:
    with neovim(binary, tmp_path, {"settings": SETTINGS}) as editor:
        editor.lua(LUALINE, str(DEBIAN.tree / "usr" / "share" / "nvim-lualine"))
        editor.open(tmp_path / "area.py", AREA)
        wait(lambda: "Caret" in editor.screen[-2])
        editor.command("Caret pause")
        wait(lambda: "Caret off" in editor.screen[-2])


def test_every_section_of_the_help_is_found(tmp_path: Path) -> None:
    shutil.copytree(PLUGIN / "doc", tmp_path / "doc")
    with configured(binaries()[max(binaries())], tmp_path, "") as editor:
        editor.command(f"set rtp+={tmp_path} | helptags {tmp_path}/doc | help caret")
        wait(lambda: editor.shows("CONTENTS"))
        for name in re.findall(r"\|(caret-\w+)\|", "\n".join(editor.lines)):
            editor.command(f"help {name}")
            assert f"*{name}*" in editor.lua("return vim.api.nvim_get_current_line()")
