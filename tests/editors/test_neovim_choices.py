"""Asking by hand, and choosing among several suggestions, in real editors with a real model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.editors.neovim import Neovim, wait

if TYPE_CHECKING:
    from pathlib import Path

NAMELESS = "def X():\n    pass\n"
ASK = "<M-Bslash>"


@pytest.fixture
def choosing(started: Neovim, tmp_path: Path) -> Neovim:
    """One that shows the first of several names."""
    started.open(tmp_path / "nameless.py", NAMELESS)
    started.keys("gg/X<CR>s" + ASK)
    wait(lambda: started.ghost)
    return started


def _turn(editor: Neovim, key: str) -> str:
    """What is shown after the key, which must be something else than before."""
    before = editor.ghost
    editor.keys(key)
    wait(lambda: editor.ghost not in ("", before))
    return editor.ghost


def test_next_and_previous_go_round(choosing: Neovim) -> None:
    first = choosing.ghost
    seen = [first]
    while (now := _turn(choosing, "<M-]>")) != first:
        assert now not in seen
        seen.append(now)
    assert len(seen) > 1
    for name in reversed(seen):
        assert _turn(choosing, "<M-[>") == name
        assert choosing.shows(f"def {name}")
    assert choosing.lines[0] == "def ():"


def test_what_was_chosen_is_taken(choosing: Neovim) -> None:
    first, second = choosing.ghost, _turn(choosing, "<M-]>")
    choosing.keys("<Tab>")
    wait(lambda: choosing.lines[0] == f"def {second}():")
    choosing.keys("<Esc>u")
    wait(lambda: choosing.lines[0] == "def ():")
    assert first != second


def test_typing_along_the_chosen_one_keeps_it(choosing: Neovim) -> None:
    second = _turn(choosing, "<M-]>")
    choosing.keys(second[0])
    wait(lambda: choosing.lines[0] == f"def {second[0]}():")
    assert wait(lambda: choosing.ghost) == second[1:]
