"""Commands and code actions in whole sessions, with a real model (Qwen2.5-Coder-0.5B)."""

from __future__ import annotations

import asyncio
import os
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from engine import launch, lockfile
from engine.paths import models_dir
from tests.editor import editors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.editor import Editor, StartEditor

pytestmark = pytest.mark.asyncio(loop_scope="module")
MODEL = {"instruct": {"model": "qwen2.5-coder-0.5b", "maxTokens": 160}}
OFF = {"completion": {"enable": False}}
STATS = '''"""Numbers that tell about many."""


def mean(values: list[float]) -> float:
    total = 0.0
    for value in values:
        total += valeu
    return total / len(values)
'''


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def start(
    qwen_small_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[StartEditor]:
    assert qwen_small_path.parent == models_dir()
    home = tmp_path_factory.mktemp("home")
    (home / "models").symlink_to(models_dir())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARET_HOME", str(home))
        async with editors(dict(os.environ)) as start:
            yield start
        await launch.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor(start: StartEditor, workspace: Path) -> Editor:
    return await start(MODEL | OFF, folder=workspace, until="off")


def place(uri: str, line: int, until: int | None = None, **more: Any) -> dict[str, Any]:
    end = {"line": line if until is None else until, "character": 0}
    start = {"line": line, "character": 0}
    return {"textDocument": {"uri": uri}, "range": {"start": start, "end": end}, **more}


def problem(line: int, message: str) -> dict[str, Any]:
    start, end = {"line": line, "character": 0}, {"line": line, "character": 40}
    return {"range": {"start": start, "end": end}, "message": message, "source": "pyflakes"}


async def metrics(name: str) -> float:
    address = lockfile.read_address()
    assert address is not None
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{address.url}/metrics", headers=address.headers)
    lines = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", answer.text, re.MULTILINE)
    return sum(map(float, lines))


async def idle() -> None:
    async with asyncio.timeout(20):
        while await metrics("caret_queue_depth"):
            await asyncio.sleep(0.02)


async def test_explains_in_pieces_and_goes_on_from_there(editor: Editor) -> None:
    uri = editor.open(STATS, "stats.py")
    answer = await editor.ask_caret("explain", place(uri, 3, partialResultToken="one"))
    assert "mean" in answer.text
    assert len(editor.parts["one"]) > 5
    assert "".join(editor.parts["one"]) == answer.text
    assert (answer.edit, answer.applied) == (None, False)

    prompt, cached = await metrics("caret_prompt_tokens_total"), await metrics("caret_cached_tokens_total")
    more = {"instruction": "What happens to an empty list?", "conversation": answer.conversation}
    again = await editor.ask_caret("explain", place(uri, 3, **more))
    assert again.text
    assert again.conversation == answer.conversation
    prompt = await metrics("caret_prompt_tokens_total") - prompt
    cached = await metrics("caret_cached_tokens_total") - cached
    assert prompt > 200
    # the end of the last turn, the marks of the next two, and the question
    assert prompt - cached <= 20


async def test_a_cancelled_answer_leaves_the_engine_idle(editor: Editor) -> None:
    uri = editor.open(STATS, "cancelled.py")
    future = editor.send_caret("review", place(uri, 3, partialResultToken="two"))
    await editor.until(lambda: bool(editor.parts.get("two")))
    editor.cancel(future)
    with pytest.raises(JsonRpcException) as raised:
        await asyncio.wrap_future(future)
    assert raised.value.code == types.LSPErrorCodes.RequestCancelled
    await idle()


async def test_a_cancelled_progress_bar_ends_the_answer(editor: Editor) -> None:
    uri = editor.open(STATS, "bar.py")
    future = editor.send_caret("review", place(uri, 3, partialResultToken="three"), token="bar")
    await editor.until(lambda: bool(editor.parts.get("three")))
    editor.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams("bar"))
    with pytest.raises(JsonRpcException) as raised:
        await asyncio.wrap_future(future)
    assert raised.value.code == types.LSPErrorCodes.RequestCancelled
    await idle()


async def test_fixes_what_a_tool_reports(editor: Editor) -> None:
    uri = editor.open(STATS, "fixed.py")
    wrong = [problem(6, "undefined name 'valeu'")]
    answer = await editor.ask_caret("fix", place(uri, 6, diagnostics=wrong))
    assert answer.applied
    assert editor.texts_of[uri] == STATS.replace("valeu", "value")
    (changed,) = editor.applied[-1].document_changes
    (edit,) = changed.edits
    assert edit.new_text == "        total += value\n"
    assert changed.text_document.version == 1


async def test_an_edit_for_a_preview_is_not_applied(editor: Editor) -> None:
    uri = editor.open(STATS, "preview.py")
    wrong = [problem(6, "undefined name 'valeu'")]
    answer = await editor.ask_caret("fix", place(uri, 6, diagnostics=wrong, apply=False))
    assert not answer.applied
    assert editor.texts_of[uri] == STATS
    assert answer.edit["documentChanges"][0]["edits"][0]["newText"] == "        total += value\n"


async def test_a_document_that_moved_on_is_left_alone(editor: Editor) -> None:
    uri = editor.open(STATS, "moved.py")
    wrong = [problem(6, "undefined name 'valeu'")]
    future = editor.send_caret("fix", place(uri, 6, diagnostics=wrong, partialResultToken="moved"))
    await editor.until(lambda: bool(editor.parts.get("moved")))
    start = types.Position(0, 0)
    change = types.TextDocumentContentChangePartial(text="# ", range=types.Range(start, start))
    applied = len(editor.applied)
    editor.change(uri, change)
    with pytest.raises(JsonRpcException, match="changed since"):
        await asyncio.wrap_future(future)
    assert len(editor.applied) == applied


async def test_documents_a_function_and_nothing_else(editor: Editor) -> None:
    text = STATS.replace("valeu", "value")
    uri = editor.open(text, "documented.py")
    answer = await editor.ask_caret("doc", place(uri, 4))
    assert answer.applied
    before, after = text.split("\n"), editor.texts_of[uri].split("\n")
    added = len(after) - len(before)
    assert added > 0
    assert after[:4] + after[4 + added :] == before
    assert after[4].strip().startswith('"""')


async def test_a_base_model_is_refused_in_words(start: StartEditor, workspace: Path) -> None:
    base = {"instruct": {"model": "codellama-7b"}}
    editor = await start(base | OFF, folder=workspace, until="off")
    uri = editor.open(STATS, "base.py")
    with pytest.raises(JsonRpcException, match="cannot follow instructions. Use one that can: qwen"):
        await editor.ask_caret("explain", place(uri, 3))
