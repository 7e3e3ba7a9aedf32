"""Suggestions in odd texts and at odd moments in Neovim, with a server that the test plays."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from tests.editors.neovim import binaries, oldest_and_newest, wait
from tests.editors.stand_in import FAULT, Played, played

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHOWN = [
    (name, own) for name in oldest_and_newest() for own in (True, False) if own or name == "0.12"
]
"""Each version with ghost text of the plugin's own, and with the editor's where it has that."""
END = {"dos": "\r\n", "unix": "\n", "mac": "\r"}
COLUMNS = """
local params = vim.lsp.util.make_position_params(...)
return { #vim.lsp.get_clients({ bufnr = 0 }), params.position.character }
"""
SECOND = """
vim.lsp.start({
  name = "other",
  root_dir = "/",
  cmd = function()
    return {
      request = function(method, _, answer)
        local capabilities = { positionEncoding = "utf-16" }
        local result = method == "initialize" and { capabilities = capabilities } or vim.NIL
        vim.schedule(function() answer(nil, result) end)
        return true, 1
      end,
      notify = function() return true end,
      is_closing = function() return false end,
      terminate = function() end,
    }
  end,
})
"""


@pytest.fixture(
    scope="module", params=SHOWN, ids=[f"{name}{'' if own else '-builtin'}" for name, own in SHOWN]
)
def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Played]:
    name, own = request.param
    with played(binaries()[name], tmp_path_factory.mktemp("home"), builtin=not own) as editor:
        yield editor


@pytest.fixture
def editor(started: Played) -> Iterator[Played]:
    """An editor that must have shown no error when the test is over."""
    started.suggest(None)
    started.forget()
    yield started
    started.keys("<Esc>")
    wait(lambda: started.mode == "n")
    told = started.command("messages")
    assert not FAULT.search(told), told
    started.command("silent! %bwipeout!")
    started.command("set virtualedit& autoread& hidden&")


@pytest.fixture
def foobar(editor: Played, tmp_path: Path) -> Played:
    """An editor that suggests `foobar` in its last line, behind `foob`."""
    editor.open(tmp_path / "foobar.txt", "one\nfoob\n")
    editor.suggest("foobar", 1)
    editor.keys("GA")
    wait(lambda: editor.ghost == "ar")
    return editor


def _changed(editor: Played, key: str) -> None:
    """Press a key and wait until it has changed the text."""
    before = editor.lines
    editor.keys(key)
    wait(lambda: editor.lines != before)


@pytest.mark.parametrize("kind", END)
@pytest.mark.parametrize("keys", [["<Tab>"], ["<M-l>"] * 2, ["<M-w>"] * 6], ids="".join)
def test_line_ends_are_those_of_the_file(
    editor: Played, tmp_path: Path, kind: str, keys: list[str]
) -> None:
    end, path = END[kind], tmp_path / f"{kind}.txt"
    editor.open(path, f"def f(a):{end}    {end}")
    editor.command(f"edit! ++ff={kind}")
    editor.suggest(f"x = 1{end}    y = 2", 1, 4)
    editor.keys("jA")
    assert wait(lambda: editor.ghost) == "x = 1\n    y = 2"
    assert not editor.shows("^M")
    for key in keys:
        assert wait(lambda: editor.ghost)
        _changed(editor, key)
    assert editor.lines[1:] == ["    x = 1", "    y = 2"]
    editor.keys("<Esc>")
    editor.command("write")
    assert path.read_bytes() == f"def f(a):{end}    x = 1{end}    y = 2{end}".encode()


def test_in_a_mixed_file_the_caret_line_decides(editor: Played, tmp_path: Path) -> None:
    path = tmp_path / "mixed.txt"
    editor.open(path, "a\nb\r\n")
    editor.suggest("b = 1\r\nc = 2", 1)
    editor.keys("Gi")
    editor.keys("<Right>")
    wait(lambda: editor.ghost)
    editor.keys("<Tab>")
    wait(lambda: len(editor.lines) == 3)
    editor.keys("<Esc>")
    editor.command("write")
    assert path.read_bytes() == b"a\nb = 1\r\nc = 2\r\n"


def test_what_is_typed_along_may_go_over_a_line_end(editor: Played, tmp_path: Path) -> None:
    editor.open(tmp_path / "along.txt", "a\r\n")
    editor.suggest("a = 1\r\nb = 2")
    editor.keys("A")
    wait(lambda: editor.ghost)
    editor.keys(" = 1<CR>b")
    assert wait(lambda: editor.ghost) == " = 2"
    editor.keys("<Tab>")
    wait(lambda: editor.lines == ["a = 1", "b = 2"])


def test_accepted_right_after_a_key(foobar: Played) -> None:
    foobar.suggest("foobar", 1, holds=True)
    foobar.keys("a<Tab>")
    wait(lambda: foobar.lines[1] == "foobar")


def test_keys_behind_the_accepting_one_come_behind(foobar: Played) -> None:
    foobar.keys("<Tab>!?")
    wait(lambda: foobar.lines[1] == "foobar!?")


@pytest.mark.parametrize("keys", ["X", "aa", "XX"])
def test_what_no_longer_fits_is_not_accepted(foobar: Played, keys: str) -> None:
    foobar.suggest("foobar", 1, holds=True)
    foobar.keys(f"{keys}<Tab>|")
    wait(lambda: foobar.lines[1].endswith("|"))
    assert re.fullmatch(rf"foob{keys}\s+\|", foobar.lines[1])


def test_a_late_answer_is_for_the_text_it_was_asked_for(foobar: Played) -> None:
    foobar.suggest("foobar", 1, holds=True)
    foobar.keys("<BS>x")
    wait(lambda: foobar.waiting > 0)
    foobar.keys("y")
    item = {"insertText": "foobxtra", "range": {"start": {"line": 1, "character": 0}}}
    item["range"]["end"] = {"line": 1, "character": 5}  # type: ignore[index]  # the dict above
    foobar.answer([item])
    wait(lambda: foobar.lines[1] == "fooxy")
    foobar.keys("<Tab>|")
    wait(lambda: foobar.lines[1].endswith("|"))
    assert "tra" not in foobar.lines[1]


def test_the_last_line_is_deleted_under_a_suggestion(foobar: Played) -> None:
    foobar.keys("<C-u><BS>")
    wait(lambda: foobar.lines == ["one"])
    foobar.keys("!")
    wait(lambda: foobar.lines == ["one!"])


@pytest.mark.parametrize("does", ["normal! dd", "%delete _", "undo", "edit!"])
def test_a_command_changes_the_text_under_a_suggestion(foobar: Played, does: str) -> None:
    foobar.command(f"inoremap <F2> <Cmd>{does}<CR>")
    foobar.suggest("foobar", 1, holds=True)
    foobar.keys("a")
    wait(lambda: foobar.waiting > 0)
    foobar.keys("<F2>")
    foobar.answer()
    foobar.keys("<Tab>")
    foobar.keys("<Esc>")
    wait(lambda: foobar.mode == "n")
    assert "ar" not in "".join(foobar.lines)[len("one") :] or "foobar" in foobar.lines


def test_nothing_is_inserted_where_nothing_may_be(foobar: Played) -> None:
    foobar.command("setlocal nomodifiable")
    foobar.keys("<Cmd>let g:took = v:lua.require('caret').accept()<CR>")
    wait(lambda: foobar.lua("return vim.g.took ~= nil"))
    foobar.command("unlet g:took")
    assert foobar.lines[1] == "foob"


def test_suggestions_come_after_a_file_was_read_again(foobar: Played, tmp_path: Path) -> None:
    foobar.keys("<Esc>")
    wait(lambda: foobar.mode == "n")
    path = tmp_path / "foobar.txt"
    path.write_text("one\nfoo\n")
    os.utime(path, (1, 1))
    foobar.command("set autoread | checktime")
    wait(lambda: foobar.lines[1] == "foo")
    foobar.keys("A")
    assert wait(lambda: foobar.ghost) == "bar"
    foobar.keys("<Esc>")
    wait(lambda: foobar.mode == "n")
    foobar.command("edit!")
    foobar.keys("GA")
    assert wait(lambda: foobar.ghost) == "bar"


@pytest.mark.parametrize(
    "does", ["bwipeout!", "new | bunload! #", "enew!", "new | only!", "tabnew"]
)
def test_an_answer_comes_when_its_text_is_gone(foobar: Played, does: str) -> None:
    foobar.command("set hidden")
    foobar.suggest("foobar", 1, holds=True)
    foobar.keys("a")
    wait(lambda: foobar.waiting > 0)
    foobar.keys(f"<Cmd>{does}<CR>")
    wait(lambda: foobar.lines == [""])
    foobar.answer()
    foobar.keys("x<Tab>y")
    wait(lambda: foobar.lines[0].endswith("y"))
    assert "r" not in foobar.lines[0]


def test_nothing_is_suggested_behind_the_end_of_a_line(foobar: Played) -> None:
    foobar.command("set virtualedit=all")
    foobar.keys("<Right><Right>")
    wait(lambda: foobar.lua("return vim.fn.getcurpos()[4]") == 2)
    foobar.keys("<Tab>|")
    wait(lambda: foobar.lines[1].endswith("|"))
    assert "ar" not in foobar.lines[1]


def test_a_recorded_macro_is_played_again(foobar: Played) -> None:
    foobar.keys("<Esc>")
    wait(lambda: foobar.mode == "n")
    foobar.keys("qqA<Tab><Esc>q@q.")
    wait(lambda: foobar.mode == "n")
    assert foobar.lines[1].startswith("foob")


def test_what_was_accepted_is_counted_from_the_beginning(editor: Played, tmp_path: Path) -> None:
    editor.open(tmp_path / "counted.txt", "smile\r\n")
    editor.suggest("smile = '😀'\r\nwide = 'ü'")
    editor.keys("A ")
    wait(lambda: editor.ghost.startswith("="))
    for text in ["smile =", "smile = '", "smile = '😀", "smile = '😀'"]:
        _changed(editor, "<M-w>")
        assert editor.lines[0] == text
        wait(lambda: editor.ghost)
    editor.keys("<M-l><Tab>")
    wait(lambda: editor.heard("workspace/executeCommand"))
    partly = editor.heard("textDocument/didPartiallyAcceptCompletion")
    assert [one["acceptedLength"] for one in partly] == [7, 9, 11, 12]
    assert partly[0]["item"]["command"]["arguments"] == ["1"]


def test_columns_are_those_of_most_servers(editor: Played, tmp_path: Path) -> None:
    """The editor warns at every key if two clients count columns differently in a buffer."""
    editor.open(tmp_path / "columns.txt", "ö = '😀'; foob\n")
    editor.lua(SECOND)
    wait(lambda: editor.lua(COLUMNS, 0, "utf-16")[0] == 2)
    editor.suggest("foobar", 0, 10)
    editor.keys("A")
    assert wait(lambda: editor.ghost) == "ar"
    assert editor.lua("return Server.offered") == ["utf-16"]
    arguments = [] if editor.lua("return vim.fn.has('nvim-0.11')") == 0 else [0, "utf-16"]
    assert editor.lua(COLUMNS, *arguments) == [2, 14]
    assert editor.heard("textDocument/inlineCompletion")[-1]["position"]["character"] == 14
    editor.keys("<Tab>")
    wait(lambda: editor.lines[0] == "ö = '😀'; foobar")
