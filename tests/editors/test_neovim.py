"""The Neovim plugin in real editors, with the real server and a real model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.editors.conftest import AREA
from tests.editors.neovim import Neovim, wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TO_X = "gg/X<CR>"
"""The X stands where the caret goes: `s` takes it away and inserts there."""
REMEMBER = """
Before = nil
for _, map in ipairs(vim.api.nvim_get_keymap("i")) do
  if map.lhs == "<Tab>" then Before = map end
end
"""
RESTORE = """
vim.keymap.del("i", "<Tab>")
if Before then vim.fn.mapset("i", false, Before) end
"""
ACCEPTED = """
local asked = { command = "caret.status" }
local answers = vim.lsp.buf_request_sync(0, "workspace/executeCommand", asked)
local _, answer = next(answers or {})
return answer ~= nil and answer.result.accepted > 0
"""


def _suggested(editor: Neovim, keys: str) -> str:
    editor.keys(keys)
    return wait(lambda: editor.ghost)


def _wait_for_line(editor: Neovim, line: str) -> None:
    wait(lambda: editor.lines[2] == line)


def test_ghost_text_is_drawn_and_accepted(editor: Neovim) -> None:
    ghost = _suggested(editor, TO_X + "sret")
    assert editor.lines[2] == "    ret"
    assert any(line.startswith("    ret" + ghost.split("\n")[0]) for line in editor.screen)
    editor.keys("<Tab>")
    wait(lambda: "\n".join(editor.lines[2:]).startswith("    ret" + ghost))
    assert editor.lines[2].startswith("    return")
    assert editor.ghost == ""
    wait(lambda: editor.lua(ACCEPTED))


def test_undo_takes_back_what_was_accepted_and_nothing_else(editor: Neovim) -> None:
    _suggested(editor, TO_X + "sret")
    editor.keys("<Tab>")
    wait(lambda: editor.lines[2] != "    ret")
    editor.keys("<Esc>u")
    wait(lambda: editor.lines[2] == "    ret")


def test_a_word_and_then_the_line(editor: Neovim) -> None:
    ghost = _suggested(editor, TO_X + "sret")
    assert ghost.startswith("urn ")
    editor.keys("<M-w>")
    wait(lambda: editor.lines[2] == "    return")
    left = wait(lambda: editor.ghost)
    editor.keys("<M-l>")
    wait(lambda: editor.lines[2] == "    return" + left.split("\n")[0])


def _drawn(editor: Neovim, beginning: str) -> set[str]:
    """All that the line with this beginning has been in the frames so far."""
    assert editor.screen
    frames = [line for frame in editor.grid.frames for line in frame]
    return {line for line in frames if line.startswith(beginning)}


def test_typing_what_is_suggested_changes_nothing_on_the_screen(editor: Neovim) -> None:
    ghost = _suggested(editor, TO_X + "sret")
    whole = "    ret" + ghost.split("\n")[0]
    wait(lambda: editor.shows(whole))
    editor.grid.frames.clear()
    for count, key in enumerate(ghost.split("\n")[0][:5], 1):
        editor.keys(key)
        _wait_for_line(editor, whole[: len("    ret") + count])
        assert _drawn(editor, "    ret") == {whole}


def test_what_no_longer_fits_is_never_drawn(editor: Neovim) -> None:
    ghost = _suggested(editor, TO_X + "sret")
    wait(lambda: editor.shows("ret" + ghost.split("\n")[0]))
    editor.keys("Q")
    wait(lambda: editor.lines[2] == "    retQ")
    editor.keys("Z")
    wait(lambda: editor.lines[2] == "    retQZ")
    for line in _drawn(editor, "    retQ"):
        assert ghost.split("\n")[0] not in line
        assert ghost.split("\n")[0][1:] not in line
    editor.grid.frames.clear()


def test_a_new_line_leaves_no_ghost_behind(editor: Neovim) -> None:
    ghost = _suggested(editor, TO_X + "sret")
    wait(lambda: editor.shows("ret" + ghost.split("\n")[0]))
    editor.grid.frames.clear()
    editor.keys("<CR>")
    wait(lambda: len(editor.lines) == len(AREA.split("\n")))
    assert _drawn(editor, "    ret") <= {"    ret", "    ret" + ghost.split("\n")[0]}
    assert editor.screen[2] == "    ret"


def test_dismissed_it_is_gone_until_the_next_key(editor: Neovim) -> None:
    ghost = _suggested(editor, TO_X + "sret")
    editor.keys("<C-]>")
    wait(lambda: not editor.ghost)
    editor.keys(ghost[0])
    assert wait(lambda: editor.ghost)
    assert editor.lines[2] == "    ret" + ghost[0]


def test_columns_behind_emoji_and_tabs(editor: Neovim, tmp_path: Path) -> None:
    before = "\tsigns = '🎉é'; ret"
    editor.open(tmp_path / "emoji.py", f"def f(a, b):\n{before}X\n")
    ghost = _suggested(editor, TO_X + "s<BS>t")
    editor.keys("<Tab>")
    wait(lambda: "\n".join(editor.lines[1:]).startswith(before + ghost))


def test_a_file_with_crlf(editor: Neovim, tmp_path: Path) -> None:
    path = tmp_path / "crlf.py"
    editor.open(path, AREA.replace("\n", "\r\n"))
    ghost = _suggested(editor, TO_X + "sret")
    assert "\r" not in ghost
    editor.keys("<Tab>")
    wait(lambda: editor.lines[2] != "    ret")
    editor.keys("<Esc>:write<CR>")
    wait(lambda: b"return" in path.read_bytes())
    assert path.read_bytes().count(b"\n") == path.read_bytes().count(b"\r\n")


def test_a_popup_menu_keeps_its_tab(editor: Neovim, tmp_path: Path) -> None:
    editor.lua(REMEMBER)
    editor.command("inoremap <Tab> <C-n>")
    editor.open(tmp_path / "menu.py", "areas = 1\narea = 2\n")
    editor.keys("Goare")
    wait(lambda: editor.ghost)
    editor.keys("<C-x><C-n>")
    wait(lambda: editor.lua("return vim.fn.pumvisible() == 1"))
    before = editor.lines[-1]
    editor.keys("<Tab>")
    wait(lambda: editor.lines[-1] != before)
    assert editor.lines[-1] in ("are", "area", "areas")
    assert editor.lua("return vim.fn.pumvisible() == 1")
    editor.keys("<C-e><Esc>")
    editor.lua(RESTORE)


def test_a_snippet_keeps_its_tab(editor: Neovim) -> None:
    editor.keys("ggO")
    wait(lambda: editor.mode == "i")
    editor.lua("vim.snippet.expand('one($1, $2)')")
    editor.command("set noexpandtab")
    editor.keys("<Tab>z<Esc>")
    wait(lambda: "z" in editor.lines[0])
    has_the_key = editor.lua("return vim.fn.has('nvim-0.11') == 1")
    assert editor.lines[0] == ("one(, z)" if has_the_key else "one(\tz, )")


def test_without_a_suggestion_tab_is_what_it_was(editor: Neovim) -> None:
    editor.command("Caret pause")
    wait(lambda: editor.state == "off")
    editor.keys("ggO<Tab>x<Esc>")
    wait(lambda: editor.lines[0].endswith("x"))
    assert editor.lines[0].strip() == "x"
    assert editor.lines[0] != "x"
    editor.command("Caret resume")
    wait(lambda: editor.state == "ready")


@pytest.fixture
def told(editor: Neovim) -> Iterator[Callable[[], list[str]]]:
    """What the plugin tells, instead of the editor showing it; the editor lives longer."""
    editor.lua(
        "Told, Notify = {}, vim.notify; vim.notify = function(text) table.insert(Told, text) end"
    )
    yield lambda: editor.lua("return Told")
    editor.lua("vim.notify = Notify")


def test_the_commands_and_the_health_page(editor: Neovim, told: Callable[[], list[str]]) -> None:
    editor.command("Caret status")
    assert wait(told)[0].startswith("Caret: ready")
    editor.command("Caret nothing")
    assert "there are ask, debug, doc, doctor" in told()[1]
    editor.command("checkhealth caret")
    page = "\n".join(editor.lines)
    assert "OK caret" in page
    assert "is attached to" in page
    editor.command("bwipeout")


def test_an_unknown_option_is_told(editor: Neovim, told: Callable[[], list[str]]) -> None:
    editor.lua("require('caret.config').merge({ colour = 'red', cmd = 3 })")
    wrong, unknown = sorted(told())
    assert "cmd has the wrong type" in wrong
    assert "colour is unknown" in unknown
