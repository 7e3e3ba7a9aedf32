"""Code rewritten or reviewed in whole sessions, with a real model (Qwen2.5-Coder-0.5B)."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from lsprotocol import types

from tests.instructed import MODEL, OFF, STATS, place

if TYPE_CHECKING:
    from pathlib import Path

    from tests.editor import Editor, StartEditor

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor(start: StartEditor, tmp_path_factory: pytest.TempPathFactory) -> Editor:
    folder: Path = tmp_path_factory.mktemp("workspace")
    return await start(MODEL | OFF, kind="visual_studio_code", folder=folder, until="off")


async def test_a_todo_is_done_in_its_function(editor: Editor) -> None:
    head = "VAT = 0.19\n\n\n"
    text = f"{head}def gross(net: float) -> float:\n    # TODO: add the VAT\n    return net\n"
    uri = editor.open(text, "todo.py")
    offered = await editor.actions(uri, types.Range(types.Position(4, 6), types.Position(4, 6)), [])
    assert "Complete this TODO (Caret)" in [action.title for action in offered]
    answer = await editor.ask_caret("todo", place(uri, 4))
    assert answer.applied
    written = editor.texts_of[uri]
    ast.parse(written)
    assert written.startswith(f"{head}def gross(net: float) -> float:\n")
    assert "TODO" not in written
    assert "VAT" in written.removeprefix(head)


async def test_code_is_rewritten_as_told_and_the_rest_stays(editor: Editor) -> None:
    text = STATS.replace("valeu", "value") + "\n\nCOUNT = 3\n"
    uri = editor.open(text, "refactored.py")
    told = "Use the built-in function sum() instead of the loop."
    answer = await editor.ask_caret("refactor", place(uri, 4, instruction=told))
    assert answer.applied
    written = editor.texts_of[uri]
    ast.parse(written)
    assert "sum(values)" in written
    assert "for value" not in written
    assert written.startswith(text[: text.index("    total")])
    assert written.endswith("\n\n\nCOUNT = 3\n")


async def test_a_review_says_what_is_wrong_and_changes_nothing(editor: Editor) -> None:
    uri = editor.open(STATS, "reviewed.py")
    answer = await editor.ask_caret("review", place(uri, 3, until=8))
    assert "`mean`" in answer.text
    assert editor.texts_of[uri] == STATS
    assert (answer.edit, answer.applied) == (None, False)
