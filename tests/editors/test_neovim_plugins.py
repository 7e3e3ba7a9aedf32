"""Neovim with nvim-cmp, blink.cmp and lazy.nvim, configured as docs/editors.md says."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.command import CARET
from tests.editors.conftest import AREA, SETTINGS
from tests.editors.neovim import (
    LOADING_S,
    PLUGIN,
    Neovim,
    binaries,
    configured,
    oldest_and_newest,
    wait,
)
from tests.editors.plugins import BLINK, CMP, CMP_BUFFER, LAZY, Repository
from tests.editors.test_neovim import TO_X
from tests.editors.test_neovim_keys import ENDED

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs" / "editors.md"
EDITORS = list(oldest_and_newest())
ABOVE = 10
"""Lines with room for a menu."""
WIDTHS = "\n" * ABOVE + "def widths(values):\n    widest = 0\n    X\n    return widest\n"
USES = """
for _, folder in ipairs({folders}) do
  vim.opt.runtimepath:prepend(folder)
  vim.opt.runtimepath:append(folder .. "/after")
end
vim.opt.runtimepath:prepend({ours})
require("caret").setup({{ cmd = {{ {caret}, "lsp" }}, settings = vim.json.decode({settings}) }})
local menu, more = require({module}), {more}
local setup = menu.setup
function menu.setup(options) setup(vim.tbl_deep_extend("force", options, more)) end
{documented}
"""
MORE_BLINK = """{
  fuzzy = { implementation = "lua" },
  keymap = { preset = "super-tab" },
  sources = { default = { "lsp", "buffer" } },
}"""
MORE_CMP = """{
  sources = { { name = "buffer" } },
  mapping = menu.mapping.preset.insert({
    ["<Tab>"] = function(fallback)
      if menu.visible() then menu.select_next_item() else fallback() end
    end,
  }),
}"""
OPEN = {
    "cmp": "return require('cmp').visible()",
    "blink.cmp": "return require('blink.cmp').is_menu_visible()",
}


def _documented(beginning: str) -> str:
    """The snippet of the documentation that begins so."""
    found = re.search(
        rf"```lua\n({re.escape(beginning)}.*?)```", DOCS.read_text("utf-8"), re.DOTALL
    )
    assert found
    return found[1]


def _lua(value: object) -> str:
    """A string or a list of strings as Lua."""
    text = json.dumps(value)
    return f"{{{text[1:-1]}}}" if isinstance(value, list) else text


def _init(module: str, more: str, *plugins: Repository) -> str:
    return USES.format(
        folders=_lua([str(one.path) for one in plugins]),
        ours=_lua(str(PLUGIN)),
        caret=_lua(CARET),
        settings=_lua(json.dumps(SETTINGS)),
        module=_lua(module),
        more=more.replace("menu.", f"require({_lua(module)})."),
        documented=_documented(f'require("{module}").setup'),
    )


class Menus:
    """An editor in which a menu opens while one types."""

    def __init__(self, editor: Neovim, module: str) -> None:
        self.editor = editor
        self._open = OPEN[module]

    @property
    def open(self) -> bool:
        return bool(self.editor.lua(self._open))

    def type(self, text: str) -> None:
        """Key by key: menus open for what is typed, not for what is pasted."""
        line = self.line
        for key in text:
            line += key
            self.editor.keys(key)
            wait(partial(self._stands, line))

    def _stands(self, line: str) -> bool:
        return self.line == line

    @property
    def line(self) -> str:
        return str(self.editor.lua("return vim.api.nvim_get_current_line()"))


@pytest.fixture(
    scope="module",
    params=[(name, module) for name in EDITORS for module in OPEN],
    ids=lambda param: "-".join(param),
)
def menus(request: pytest.FixtureRequest, home: Path) -> Iterator[Menus]:
    name, module = request.param
    folder = home / f"{name}-{module}"
    folder.mkdir()
    more, plugins = (MORE_CMP, (CMP, CMP_BUFFER)) if module == "cmp" else (MORE_BLINK, (BLINK,))
    with configured(binaries()[name], folder, _init(module, more, *plugins)) as editor:
        editor.open(folder / "a.py", AREA)
        yield Menus(editor, module)


@pytest.fixture
def both(menus: Menus, tmp_path: Path) -> Menus:
    """A menu and a suggestion at once."""
    editor = menus.editor
    editor.open(tmp_path / "widths.py", WIDTHS)
    editor.keys(TO_X + "s")
    wait(lambda: editor.mode == "i")
    menus.type("for wid")
    wait(lambda: menus.open and "\n" in editor.ghost)
    return menus


def test_menu_and_suggestion_stand_side_by_side(both: Menus) -> None:
    """The menu above, no line of the suggestion under it, and nothing of Caret's in the menu."""
    ghost, screen, row = both.editor.ghost.split("\n"), both.editor.screen, ABOVE + 2
    assert screen[row].startswith("    for wid" + ghost[0])
    assert screen[row + 1 : row + len(ghost)] == ghost[1:]
    menu = screen[row - 2 : row]
    assert all(re.search("widths|widest", line) for line in menu)
    assert menu[1] != both.editor.lines[row - 1]
    assert not any("Caret" in line for line in screen)


def test_tab_is_the_menus(both: Menus) -> None:
    both.editor.keys("<Tab>")
    wait(lambda: both.line in ("    for widths", "    for widest"))


def test_a_word_is_taken_beside_the_menu(both: Menus) -> None:
    word = re.match(r"\w+", both.editor.ghost)
    assert word
    both.editor.keys("<M-w>")
    wait(lambda: both.line == "    for wid" + word[0])


def test_without_a_menu_tab_takes_the_suggestion(both: Menus) -> None:
    both.type(" ")
    both.editor.keys("<BS><BS><BS><BS>")
    wait(lambda: both.line == "    for ")
    ghost = wait(lambda: "" if both.open else both.editor.ghost)
    both.editor.keys("<Tab>")
    wait(lambda: both.line == ("    for " + ghost).split("\n")[-1])


def test_without_either_tab_is_a_tab_also_after_the_server_came_back(
    menus: Menus, tmp_path: Path
) -> None:
    editor = menus.editor
    editor.open(tmp_path / "area.py", AREA)
    editor.lua(ENDED)
    wait(lambda: editor.lua("return #vim.lsp.get_clients({ name = 'caret' }) == 0"))
    editor.command("edit!")
    wait(lambda: editor.state == "ready", LOADING_S)
    editor.command("Caret pause")
    wait(lambda: editor.state == "off")
    editor.keys("ggO")
    wait(lambda: editor.mode == "i")
    editor.keys("<Tab>+")
    wait(lambda: menus.line.endswith("+"))
    assert menus.line.strip() == "+"
    assert menus.line != "+"
    editor.command("Caret resume")
    wait(lambda: editor.state == "ready")


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("name", EDITORS)
@pytest.mark.parametrize("when", ["", 'event = "InsertEnter",'])
def test_lazy_loads_it(name: str, when: str, tmp_path: Path) -> None:
    """At once or late: then it must come to files that are open."""
    spec = _documented("{\n  dir =").replace("/path/to/caret-lsp/editors/nvim", str(PLUGIN))
    options = f"opts = {{ settings = vim.json.decode({_lua(json.dumps(SETTINGS))}),"
    spec = spec.replace("/path/to/caret", CARET).replace("opts = {", when + options)
    uses = f"vim.opt.runtimepath:prepend({_lua(str(LAZY.path))})"
    path = tmp_path / "area.py"
    path.write_text(AREA)
    init = f'{uses}\nrequire("lazy").setup({{ {spec} }})'
    with configured(binaries()[name], tmp_path, init, path) as editor:
        wait(lambda: editor.shows("def area"))
        editor.keys(TO_X + "sret")
        wait(lambda: editor.ghost, LOADING_S)
