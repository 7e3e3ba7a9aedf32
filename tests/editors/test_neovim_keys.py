"""Keys that others want too, in real editors: other plugins stand here for what they do to a key.

`test_neovim_plugins.py` has the plugins themselves, which no package index has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.editors.neovim import LOADING_S, Neovim, wait
from tests.editors.test_neovim import TO_X

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MENU = """
package.loaded["blink.cmp"] = { is_menu_visible = function() return true end }
"""
WRAPPED = """
local ours = vim.fn.maparg("<Tab>", "i", false, true)
vim.keymap.set("i", "<Tab>", function()
  return vim.keycode(ours.callback())
end, { buffer = true, expr = true, replace_keycodes = false, desc = "blink.cmp" })
"""
MAPPED = """
Before = vim.fn.maparg("<Tab>", "i", false, true)
vim.keymap.set("i", "<Tab>", "menu")
"""
UNMAPPED = """
package.loaded["blink.cmp"] = nil
if not Before then return end
vim.keymap.del("i", "<Tab>")
if next(Before) then vim.fn.mapset("i", false, Before) end
Before = nil
"""
ENDED = """
for _, client in ipairs(vim.lsp.get_clients({ name = "caret" })) do
  client.stop(vim.fn.has("nvim-0.11") == 1 and client or nil)
end
"""
ENTRIES = """
local params = vim.lsp.util.make_position_params(0, "utf-8")
local answers = vim.lsp.buf_request_sync(0, "textDocument/completion", params)
local _, answer = next(answers)
return #answer.result.items
"""


@pytest.fixture
def shared(editor: Neovim) -> Iterator[Neovim]:
    """One whose Tab others may change."""
    yield editor
    editor.lua(UNMAPPED)


def _suggests(editor: Neovim) -> str:
    editor.keys(TO_X + "sret")
    return wait(lambda: editor.ghost)


def test_what_a_menu_passes_on_takes_the_suggestion(shared: Neovim) -> None:
    shared.lua(MENU + WRAPPED)
    ghost = _suggests(shared)
    shared.keys("<Tab>")
    wait(lambda: "\n".join(shared.lines[2:]).startswith("    ret" + ghost))


def test_what_is_passed_on_is_a_tab_also_after_the_server_came_back(shared: Neovim) -> None:
    shared.lua(MENU + WRAPPED)
    shared.lua(ENDED)
    wait(lambda: shared.lua("return #vim.lsp.get_clients({ name = 'caret' }) == 0"))
    shared.command("edit!")
    wait(lambda: shared.state == "ready", LOADING_S)
    shared.command("Caret pause")
    wait(lambda: shared.state == "off")
    shared.keys("ggO<Tab>+<Esc>")
    wait(lambda: shared.lines[0].endswith("+"))
    assert shared.lines[0].strip() == "+"
    assert shared.lines[0] != "+"
    shared.command("Caret resume")
    wait(lambda: shared.state == "ready")


def test_a_mapping_of_the_key_comes_first_while_a_menu_is_open(
    shared: Neovim, tmp_path: Path
) -> None:
    shared.lua(MAPPED)
    shared.open(tmp_path / "mapped.py", "def area(width, height):\n    X\n")
    shared.lua(MENU)
    _suggests(shared)
    shared.keys("<Tab>")
    wait(lambda: shared.lines[1] == "    retmenu")


def test_a_menu_without_the_key_leaves_it_to_the_suggestion(shared: Neovim) -> None:
    shared.lua(MENU)
    ghost = _suggests(shared)
    shared.keys("<Tab>")
    wait(lambda: "\n".join(shared.lines[2:]).startswith("    ret" + ghost))


def test_a_word_is_taken_while_the_popup_menu_is_open(shared: Neovim, tmp_path: Path) -> None:
    shared.command("set completeopt=menuone,noinsert")
    shared.open(tmp_path / "menu.py", "returns = 1\ndef area(width, height):\n    X\n")
    _suggests(shared)
    shared.keys("<C-x><C-n>")
    wait(lambda: shared.lua("return vim.fn.pumvisible() == 1") and shared.ghost.startswith("urn"))
    shared.keys("<M-w>")
    wait(lambda: shared.lines[2] == "    return")
    shared.keys("+<Esc>")
    wait(lambda: shared.mode == "n" and shared.lines[2] == "    return+")
    shared.command("set completeopt&")


def test_completion_menus_have_no_entries_of_ours(editor: Neovim) -> None:
    """A request for the menu would take the place of that for the suggestion."""
    ghost = _suggests(editor)
    assert editor.lua(ENTRIES) == 0
    assert editor.ghost == ghost
