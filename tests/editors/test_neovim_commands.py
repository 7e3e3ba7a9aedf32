"""Every `:Caret` that the other files leave out, once in each real editor, with real answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.editors.neovim import LOADING_S, Neovim, binaries, neovim, wait
from tests.editors.test_neovim_assist import BUSY, NOTHING_PENDING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AREA = "def area(width, height):\n    return width * height\n"
FLOAT = "require('caret.config').merge({ answer = ... })"
NEW_FILE = """
local uri = ...
local start = { line = 0, character = 0 }
local range, text = { start = start, ["end"] = start }, "assert area(2, 3) == 6\\n"
require("caret.proposal").show({ documentChanges = {
  { kind = "create", uri = uri, options = { ignoreIfExists = true } },
  {
    textDocument = { uri = uri, version = vim.NIL },
    edits = { { range = range, newText = text } },
  },
} }, "utf-8", "test", {})
"""
PLACE = "return vim.api.nvim_win_get_config(0).relative"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests: each project has a server of its own, which takes a second to start."""
    folder = tmp_path_factory.mktemp("project")
    (folder / ".git").mkdir()
    return folder


@pytest.fixture
def area(started: Neovim, project: Path, tmp_path: Path) -> Iterator[Neovim]:
    """A function without documentation or tests, in a folder of its own."""
    (folder := project / tmp_path.name).mkdir()
    started.open(folder / "area.py", AREA)
    yield started
    started.command("Caret stop")
    started.lua(FLOAT, "split")
    started.command("stopinsert | silent! only!")


def _buffer(editor: Neovim, filetype: str) -> None:
    wait(lambda: editor.lua("return vim.bo.filetype") == filetype, LOADING_S)


def _added(editor: Neovim) -> list[str]:
    """The lines that the diff on the screen adds."""
    return [line[1:] for line in editor.lines if line.startswith("+") and line[1:2] != "+"]


def test_an_answer_in_a_float_ends_with_it(area: Neovim) -> None:
    area.lua(FLOAT, "float")
    area.keys(":Caret review<CR>")
    _buffer(area, "markdown")
    assert area.lua(PLACE) == "editor"
    assert area.shows("Caret: review")
    first = wait(lambda: "".join(area.lines), LOADING_S)
    wait(lambda: "".join(area.lines).startswith(first) and "".join(area.lines) != first)
    area.keys("q")
    _buffer(area, "python")
    wait(lambda: not area.lua(BUSY) and area.lua(NOTHING_PENDING))
    assert area.lua(PLACE) == ""


def test_what_a_program_said_is_explained(area: Neovim) -> None:
    area.command("Caret debug TypeError: can't multiply sequence by non-int of type 'str'")
    _buffer(area, "markdown")
    wait(lambda: "sequence" in "".join(area.lines), LOADING_S)


def test_what_was_yanked_is_explained(area: Neovim) -> None:
    area.lua("vim.fn.setreg('\"', \"NameError: name 'hight' is not defined\")")
    area.command("Caret debug")
    _buffer(area, "markdown")
    wait(lambda: "hight" in "".join(area.lines), LOADING_S)


def test_stop_stops_what_is_written(area: Neovim) -> None:
    area.command("Caret explain")
    _buffer(area, "markdown")
    wait(lambda: "".join(area.lines), LOADING_S)
    area.command("Caret stop")
    wait(lambda: "*Stopped.*" in area.lines)
    assert not area.lua(BUSY)
    wait(lambda: area.lua(NOTHING_PENDING))


def test_documentation_is_added_and_taken_back_in_one_step(area: Neovim) -> None:
    area.command("Caret doc")
    _buffer(area, "diff")
    added = _added(area)
    assert any('"""' in line for line in added)
    area.keys("a")
    _buffer(area, "python")
    wait(lambda: area.lines == [AREA.split("\n")[0], *added, AREA.split("\n")[1]])
    area.keys("u")
    wait(lambda: area.lines == AREA.splitlines())


def test_an_edit_under_way_is_stopped(area: Neovim) -> None:
    area.command("Caret test")
    wait(lambda: area.lua(BUSY))
    area.command("Caret stop")
    wait(lambda: area.lua(NOTHING_PENDING))
    assert not area.lua(BUSY)
    assert area.lines == AREA.splitlines()
    assert area.lua("return #vim.api.nvim_list_wins()") == 1


def test_a_new_file_is_shown_when_its_diff_is_applied(area: Neovim, tmp_path: Path) -> None:
    path = tmp_path / "test_area.py"
    area.lua(NEW_FILE, path.as_uri())
    assert "+assert area(2, 3) == 6" in area.lines
    area.keys("a")
    wait(lambda: area.lines[0] == "assert area(2, 3) == 6")
    assert area.lua("return vim.api.nvim_buf_get_name(0)") == str(path)
    assert area.lua("return vim.bo.filetype") == "python"
    assert area.shows(AREA.split("\n")[0])


def test_what_cannot_be_done_is_told_in_a_window(area: Neovim) -> None:
    area.lua("vim.api.nvim_buf_set_lines(0, 0, -1, true, { 'x = 1' })")
    area.command("Caret doc")
    _buffer(area, "markdown")
    assert "".join(area.lines).startswith("*")
    area.keys("q")
    _buffer(area, "python")


def test_a_long_message_takes_no_keys_from_who_types(area: Neovim) -> None:
    area.keys("Go")
    wait(lambda: area.mode == "i")
    area.lua("""
    local client = vim.lsp.get_clients({ name = "caret" })[1]
    local params = { type = 1, message = ("far too long "):rep(40) .. "\\nthe end" }
    client.handlers["window/showMessage"](nil, params, { client_id = client.id })
    """)
    area.keys("typed")
    wait(lambda: area.lines[-1] == "typed")
    wait(lambda: any(line.endswith(":Caret log)") for line in area.told))
    area.keys("<Esc>")
    wait(lambda: area.mode == "n")
    area.command("Caret log")
    assert "far too long the end" in area.lines[-1]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("refactor rename it to plus", "plus"),
        ("generate a function for the perimeter", "perimeter"),
    ],
)
def test_code_is_written(area: Neovim, command: str, name: str) -> None:
    area.command(f"Caret {command}")
    _buffer(area, "diff")
    assert any(f"def {name}" in line for line in _added(area))


def test_the_log_and_the_statistics(area: Neovim) -> None:
    area.command("Caret log")
    assert area.lua("return vim.api.nvim_buf_get_name(0)").endswith("lsp.log")
    area.command("close")
    area.command("Caret stats")
    wait(lambda: area.shows("shown") or area.shows("Nothing was counted"))
    area.command("bwipeout!")


@pytest.mark.usefixtures("home")
def test_the_doctor(tmp_path: Path) -> None:
    newest = list(binaries().values())[-1]
    with neovim(newest, tmp_path, {}) as editor:
        editor.command("Caret doctor")
        wait(lambda: editor.shows("Processor"), LOADING_S)
        wait(lambda: any("Completion" in line for line in editor.lines), LOADING_S)
