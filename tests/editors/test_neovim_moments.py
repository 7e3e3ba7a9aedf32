"""Answers that come at odd moments in Neovim, with a server that the test plays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.editors.neovim import binaries, oldest_and_newest, wait
from tests.editors.stand_in import FAULT, Played, played

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

END = """
local client = vim.lsp.get_clients({ name = "caret" })[1]
client.stop(vim.fn.has("nvim-0.11") == 1 and client or nil)
"""
WAITS = """
return #vim.api.nvim_get_autocmds({ event = "CmdwinLeave" }) > 0
"""
VERSION = """
return vim.lsp.util.buf_versions[vim.fn.bufnr("sum.txt")] or 0
"""
DIAGNOSE = """
local space = vim.api.nvim_create_namespace("test")
vim.diagnostic.set(space, 0, { { lnum = 0, col = ..., end_col = select(2, ...), message = "odd" } })
"""


@pytest.fixture(scope="module", params=oldest_and_newest())
def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Played]:
    home = tmp_path_factory.mktemp("home")
    with played(binaries()[request.param], home, builtin=False) as editor:
        yield editor


@pytest.fixture
def editor(started: Played, tmp_path: Path) -> Iterator[Played]:
    """One with a text of two lines, that has shown no error when the test is over."""
    started.suggest(None)
    started.forget()
    started.open(tmp_path / "sum.txt", "a - b\r\nc\r\n")
    yield started
    started.keys("<C-\\><C-n>")
    wait(lambda: started.mode == "n")
    told = started.command("messages")
    assert not FAULT.search(told), told
    started.command("silent! only! | silent! %bwipeout!")


def _ask(editor: Played, command: str) -> None:
    editor.command(command)
    wait(lambda: editor.waiting == 1)


def _edit(editor: Played, text: str) -> dict[str, Any]:
    """A change of the first line."""
    uri = editor.lua("return vim.uri_from_bufnr(vim.fn.bufnr('sum.txt'))")
    ends = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 5}}
    return {"edit": {"changes": {uri: [{"range": ends, "newText": text}]}}, "text": ""}


def _shown(editor: Played) -> bool:
    return str(editor.lua("return vim.bo.filetype")) == "diff"


def test_a_change_is_made_in_the_line_ends_of_the_file(editor: Played, tmp_path: Path) -> None:
    _ask(editor, "Caret fix")
    editor.answer(_edit(editor, "a + b\r\nd"))
    wait(lambda: _shown(editor))
    assert "+a + b" in editor.lines
    assert not editor.shows("^M")
    editor.keys("a")
    wait(lambda: editor.lines == ["a + b", "d", "c"])
    editor.command("write")
    assert (tmp_path / "sum.txt").read_bytes() == b"a + b\r\nd\r\nc\r\n"


@pytest.mark.parametrize(("before", "after"), [("i", "<Esc>"), (":", "<Esc>"), ("q:", ":q<CR>")])
def test_a_change_waits_until_nothing_is_typed(editor: Played, before: str, after: str) -> None:
    _ask(editor, "Caret fix")
    editor.keys(before)
    wait(lambda: editor.mode != "n" or editor.lua("return vim.fn.getcmdwintype()"))
    editor.answer(_edit(editor, "a + b"))
    wait(lambda: editor.lua(WAITS))
    assert not _shown(editor)
    editor.keys(after)
    wait(lambda: _shown(editor))


def test_a_change_of_a_text_that_moved_on_is_not_made(editor: Played) -> None:
    _ask(editor, "Caret fix")
    editor.answer(_edit(editor, "a + b"))
    wait(lambda: _shown(editor))
    editor.lua("vim.api.nvim_buf_set_lines(vim.fn.bufnr('sum.txt'), 0, 0, false, { 'new' })")
    editor.keys("a")
    wait(lambda: any("the code has changed" in line for line in editor.told))
    assert editor.lines == ["new", "a - b", "c"]


@pytest.mark.parametrize("late", [True, False])
def test_a_change_is_not_shown_for_a_text_that_moved_on(editor: Played, late: bool) -> None:
    """Typed text is kept, before the answer comes and while it waits for normal mode."""
    _ask(editor, "Caret fix")
    answer = _edit(editor, "a + b")
    (((uri, edits),),) = (answer["edit"].pop("changes").items(),)
    document = {"uri": uri, "version": editor.lua(VERSION)}
    answer["edit"]["documentChanges"] = [{"textDocument": document, "edits": edits}]
    editor.keys("i")
    wait(lambda: editor.mode == "i")
    if late:
        editor.answer(answer)
        wait(lambda: editor.lua(WAITS))
    editor.keys("typed ")
    wait(lambda: editor.lines[0] == "typed a - b")
    if not late:
        editor.answer(answer)
        wait(lambda: editor.lua(WAITS))
    editor.keys("<Esc>")
    wait(lambda: any("the code has changed" in line for line in editor.told))
    assert editor.lines == ["typed a - b", "c"]


def test_a_further_question_stops_what_is_written(editor: Played) -> None:
    _ask(editor, "Caret ask one")
    editor.command("only!")  # the code has no window any more
    editor.keys("<CR>two<CR>")
    wait(lambda: editor.waiting == 2)
    editor.answer({"text": "first", "conversation": "1"})
    editor.answer({"text": "second", "conversation": "1"})
    wait(lambda: "second" in editor.lines)
    assert "*Stopped.*" in editor.lines
    assert "first" not in editor.lines
    arguments = editor.heard("workspace/executeCommand")[-1]["arguments"][0]
    assert arguments["instruction"] == "two"
    assert arguments["textDocument"]["uri"].endswith("sum.txt")


def test_a_question_about_code_that_is_closed_is_refused_in_words(editor: Played) -> None:
    _ask(editor, "Caret ask one")
    editor.answer({"text": "first", "conversation": "1"})
    wait(lambda: "first" in editor.lines)
    editor.command("bwipeout! sum.txt")
    editor.keys("<CR>two<CR>")
    wait(lambda: any("the code of this answer is closed" in line for line in editor.told))
    assert editor.waiting == 0


def test_tabs_of_a_suggestion_are_as_wide_as_those_of_the_text(
    editor: Played, tmp_path: Path
) -> None:
    editor.open(tmp_path / "tabs.go", "if a {\n\n}\n")
    editor.command("setlocal tabstop=4 noexpandtab")
    editor.suggest("\tb(\t1)\n\tc()", 1)
    editor.keys("jA")
    wait(lambda: editor.ghost)
    assert editor.screen[1:3] == ["    b(  1)", "    c()"]


def test_a_diff_is_left_in_the_last_window(editor: Played) -> None:
    _ask(editor, "Caret fix")
    editor.answer(_edit(editor, "a + b"))
    wait(lambda: _shown(editor))
    editor.command("only!")
    editor.keys("q")
    wait(lambda: not _shown(editor))


def test_an_answer_of_text_has_no_carriage_returns(editor: Played) -> None:
    _ask(editor, "Caret explain")
    editor.answer({"text": "One:\r\n\r\n    a\r\n", "conversation": "1"})
    wait(lambda: editor.lines[:3] == ["One:", "", "    a"])


def test_a_server_that_ends_is_told_where_its_answer_would_stand(editor: Played) -> None:
    _ask(editor, "Caret explain")
    editor.lua(END)
    wait(lambda: "*Caret's server has ended.*" in editor.lines)
    assert not editor.lua("return require('caret.assist').busy()")


def test_columns_of_diagnostics_are_the_protocols(editor: Played, tmp_path: Path) -> None:
    editor.open(tmp_path / "wide.txt", "ö = '😀'; odd\n")
    editor.lua(DIAGNOSE, 13, 16)
    _ask(editor, "Caret fix")
    argument = editor.heard("workspace/executeCommand")[-1]["arguments"][0]
    found = argument["diagnostics"][0]["range"]
    assert [found[end]["character"] for end in ("start", "end")] == [10, 13]
    editor.answer({"text": "", "conversation": "1"})
