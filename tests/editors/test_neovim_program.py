"""The program that the plugin runs: where it is found, and that nothing of the folder runs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.command import CARET
from tests.editors.neovim import PLUGIN, Neovim, binaries, configured, wait
from tests.traps import Traps

if TYPE_CHECKING:
    from collections.abc import Iterator

_INIT = """
vim.opt.runtimepath:prepend({plugin})
vim.g.loaded_python3_provider = 0 -- the editor itself would run the folder's `python3`
vim.env.PATH, vim.env.PYTHONPATH, vim.env.PYTHONSTARTUP = {path}, {folder}, "queue.py"
vim.cmd.cd({folder})
require("caret").setup({{ settings = {{ completion = {{ enable = false }} }} }})
"""
PROBLEM = """
local program = require("caret.program")
return program.problem(program.command({ ..., "lsp" })[1]) or ""
"""


@pytest.mark.parametrize("name", binaries())
def test_nothing_of_the_current_folder_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARET_HOME", str(tmp_path / "caret"))
    traps = Traps(tmp_path / "traps")
    path = os.pathsep.join((".", "", str(traps.folder), str(Path(CARET).parent), os.defpath))
    init = _INIT.format(
        plugin=json.dumps(str(PLUGIN)), path=json.dumps(path), folder=json.dumps(str(traps.folder))
    )
    with configured(binaries()[name], tmp_path, init, traps.folder / "queue.py") as editor:
        wait(lambda: editor.state == "off")
        command = editor.lua("return vim.lsp.get_clients({ name = 'caret' })[1].config.cmd")
        assert command == [CARET, "lsp"]
        editor.command("checkhealth caret")
        assert "OK caret" in "\n".join(editor.lines)
        editor.command("Caret stats")
        wait(lambda: editor.lua("return vim.bo.buftype") == "terminal")
        wait(lambda: any(editor.lines))
        assert traps.snapped == []


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neovim]:
    """One with the plugin found, and nothing set up."""
    found = f"vim.opt.runtimepath:prepend({json.dumps(str(PLUGIN))})"
    newest = binaries()[max(binaries())]
    with configured(newest, tmp_path_factory.mktemp("home"), found) as editor:
        yield editor


def test_a_path_may_be_written_as_in_a_shell(editor: Neovim, tmp_path: Path) -> None:
    program = tmp_path / "a b ü" / "caret"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    editor.lua("vim.env.HOME, vim.env.PLACE = ..., ...", str(tmp_path))
    for written in ("~/a b ü/caret", "$HOME/a b ü/caret", "$PLACE/a b ü/caret", str(program)):
        command = editor.lua("return require('caret.program').command({ ..., 'lsp' })", written)
        assert command == [str(program), "lsp"]
        assert editor.lua(PROBLEM, written) == ""


def test_what_is_no_program_of_carets_is_told(editor: Neovim, tmp_path: Path) -> None:
    python = tmp_path / "python3.11"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    (tmp_path / "notes").touch()
    wrong = {
        "no-such-caret": "is not on the PATH outside of the current folder",
        "./caret": "is not an absolute path; write it out",
        "bin/caret": "is not an absolute path; write it out",
        str(tmp_path / "gone"): "there is no",
        str(tmp_path): "is a folder; write the path of the program caret in it",
        str(python): "is Python; write the path of the program caret beside it",
        str(tmp_path / "notes"): "is not a program that you may run",
    }
    for written, problem in wrong.items():
        assert problem in editor.lua(PROBLEM, written)


def test_a_wrong_program_is_told_once_and_not_started(editor: Neovim, tmp_path: Path) -> None:
    editor.lua("Told = {}; vim.notify = function(text) table.insert(Told, text) end")
    editor.lua("require('caret').setup({ cmd = { ..., 'lsp' } })", str(tmp_path))
    editor.command(f"edit {tmp_path / 'a.py'}")
    told = editor.lua("return Told")
    assert len(told) == 1
    assert "is a folder" in told[0]
    assert editor.lua("return #vim.lsp.get_clients()") == 0
