"""`:Caret explain`, `fix` and their like in real editors, with a real model's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.editors.neovim import LOADING_S, Neovim, wait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY = "return require('caret.assist').busy()"
NOTHING_PENDING = """
return vim.tbl_isempty(vim.lsp.get_clients({ name = "caret" })[1].requests)
"""
ADD = 'def add(a, b):\n    """The sum."""\n    return a - b\n'


@pytest.fixture
def add(started: Neovim, tmp_path: Path) -> Iterator[Neovim]:
    """A function with a fault."""
    started.open(tmp_path / "add.py", ADD)
    yield started
    started.command("Caret stop")
    started.command("stopinsert | silent! only!")


def _buffer(editor: Neovim, filetype: str) -> None:
    wait(lambda: editor.lua("return vim.bo.filetype") == filetype, LOADING_S)


def test_an_explanation_streams_and_can_be_stopped(add: Neovim) -> None:
    add.keys("ggVG:Caret explain<CR>")
    _buffer(add, "markdown")
    wait(lambda: len("".join(add.lines)) > 20, LOADING_S)

    def stopped() -> bool:
        add.keys("<C-c>")  # Neovim takes one for itself that comes while it runs a callback
        return "*Stopped.*" in add.lines

    wait(stopped)
    written = add.lines
    assert not add.lua(BUSY)
    wait(lambda: add.lua(NOTHING_PENDING))
    assert add.lines == written
    add.keys("q")
    _buffer(add, "python")
    assert add.lines == ADD.splitlines()


def test_a_question_is_answered_and_another_one_too(add: Neovim) -> None:
    add.command("Caret ask In one word: which operator does add use?")
    _buffer(add, "markdown")
    wait(lambda: not add.lua(BUSY) and "".join(add.lines), LOADING_S)
    first = add.lines
    add.keys("<CR>")
    add.keys("Say yes.<CR>")
    wait(lambda: not add.lua(BUSY) and len(add.lines) > len(first) + 5, LOADING_S)
    assert add.lines[: len(first)] == first
    assert "**Say yes.**" in add.lines


def test_a_fix_shows_a_diff_is_applied_and_undone(add: Neovim) -> None:
    add.keys("ggVG:Caret fix it must add<CR>")
    _buffer(add, "diff")
    assert any(line.startswith("-    return a - b") for line in add.lines)
    changed = [line[1:] for line in add.lines if line.startswith("+") and line[1:2] != "+"]
    add.keys("a")
    _buffer(add, "python")
    wait(lambda: set(changed) <= set(add.lines))
    add.keys("u")
    wait(lambda: add.lines == ADD.splitlines())


def test_a_diff_that_is_left_changes_nothing(add: Neovim) -> None:
    add.keys("ggVG:Caret fix it must add<CR>")
    _buffer(add, "diff")
    add.keys("q")
    _buffer(add, "python")
    assert add.lines == ADD.splitlines()
