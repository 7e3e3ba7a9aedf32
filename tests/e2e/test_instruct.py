"""Commands and code actions in whole sessions, with a real model (Qwen2.5-Coder-0.5B)."""

from __future__ import annotations

import ast
import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from engine import lockfile
from lsp_server.policy import path_of
from tests.instructed import MODEL, OFF, STATS, place
from tests.other_server import another_server

if TYPE_CHECKING:
    from tests.editor import Editor, StartEditor

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor(start: StartEditor, workspace: Path) -> Editor:
    return await start(MODEL | OFF, kind="visual_studio_code", folder=workspace, until="off")


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
    async with asyncio.timeout(60):
        while await metrics("caret_queue_depth"):
            await asyncio.sleep(0.02)


async def test_explains_in_pieces_and_goes_on_from_there(editor: Editor) -> None:
    uri = editor.open(STATS, "stats.py")
    answer = await editor.ask_caret("explain", place(uri, 3, partialResultToken="one"))
    assert "mean" in answer.text
    assert len(editor.parts["one"]) > 5
    assert "".join(editor.parts["one"]) == answer.text
    assert (answer.edit, answer.applied) == (None, False)

    prompt, cached = (
        await metrics("caret_prompt_tokens_total"),
        await metrics("caret_cached_tokens_total"),
    )
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
    text = editor.texts_of[uri]
    ast.parse(text)
    assert "valeu" not in text
    assert "def mean(values" in text
    (changed,) = editor.applied[-1].document_changes or ()
    assert isinstance(changed, types.TextDocumentEdit)
    assert changed.text_document.version == 1
    assert editor.applied[-1].change_annotations


async def test_an_edit_for_a_preview_is_not_applied(editor: Editor) -> None:
    uri = editor.open(STATS, "preview.py")
    wrong = [problem(6, "undefined name 'valeu'")]
    answer = await editor.ask_caret("fix", place(uri, 6, diagnostics=wrong, apply=False))
    assert not answer.applied
    assert editor.texts_of[uri] == STATS
    (changed,) = answer.edit["documentChanges"]
    assert "total += value\n" in "".join(edit["newText"] for edit in changed["edits"])


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


async def test_an_answer_is_a_document_for_who_takes_no_pieces(editor: Editor) -> None:
    uri = editor.open(STATS, "shown.py")
    answer = await editor.ask_caret("explain", place(uri, 3))
    shown = editor.shown_documents[-1]
    file = Path(path_of(shown.uri))
    assert file.suffix == ".md"
    assert file.read_text() == f"# Caret: Explain\n\n{answer.text}\n"


async def test_a_diagnostic_of_another_server_becomes_an_action_and_an_edit(
    editor: Editor, workspace: Path
) -> None:
    """python-lsp-server finds the fault, Caret offers to fix it, and then it is gone."""
    with another_server(workspace) as other:
        uri = editor.open(STATS, "pylsp.py")
        (found,) = await asyncio.to_thread(other.diagnostics, uri, STATS)
        assert "valeu" in found.message
        offered = await editor.actions(uri, found.range, [found])
        fix, explain = offered[:2]
        assert fix.title == "Fix: undefined name 'valeu' (Caret)"
        assert explain.title == "Explain: undefined name 'valeu' (Caret)"
        assert (fix.kind, fix.edit, fix.command) == ("quickfix", None, None)
        resolved = await editor.code_action_resolve_async(fix)
        assert resolved.edit
        editor.edit(types.ApplyWorkspaceEditParams(resolved.edit))
        assert await asyncio.to_thread(other.diagnostics, uri, editor.texts_of[uri]) == []


async def test_only_the_kinds_that_are_wanted_are_offered(editor: Editor) -> None:
    uri = editor.open(STATS, "kinds.py")
    start = types.Position(4, 4)
    at = types.Range(start, start)
    wrong = types.Diagnostic(at, "undefined name 'valeu'")
    rewrites = await editor.actions(uri, at, [wrong], only=["refactor"])
    assert [action.title for action in rewrites] == [
        "Document `mean` (Caret)",
        "Refactor `mean` (Caret)",
        "Write tests for `mean` (Caret)",
    ]
    assert await editor.actions(uri, at, [wrong], only=["source.organizeImports"]) == []
    fixes = await editor.actions(uri, at, [wrong, wrong], only=["quickfix"])
    assert "Fix all 2 problems in `mean` (Caret)" in [action.title for action in fixes]
    secret = editor.open(STATS, ".env")
    assert await editor.actions(secret, at, [wrong]) == []


async def test_tests_are_written_where_the_project_has_them(
    editor: Editor, workspace: Path
) -> None:
    (workspace / "tests").mkdir()
    uri = editor.open("def add(a: int, b: int) -> int:\n    return a + b\n", "plus.py")
    answer = await editor.ask_caret("test", place(uri, 0))
    assert answer.applied
    written = editor.texts_of[(workspace / "tests/test_plus.py").as_uri()]
    ast.parse(written)
    assert "def test_" in written
    assert "add(" in written


async def test_a_question_is_answered_from_the_workspace(
    start: StartEditor, workspace: Path
) -> None:
    (workspace / "billing.py").write_text(
        "VAT = 0.19\n\n\ndef invoice_total(net: float) -> float:\n    return net * (1 + VAT)\n"
    )
    (workspace / ".caretignore").write_text("hidden/\n")
    (workspace / "hidden").mkdir()
    (workspace / "hidden/vat.py").write_text("INVOICE_VAT_SECRET = 4711\n")
    editor = await start(
        MODEL | {"fim": {"model": "qwen2.5-coder-0.5b"}}, folder=workspace, deadline_s=120
    )
    async with asyncio.timeout(60):
        while not (await editor.command("caret.status"))["context"]["files"]:
            await asyncio.sleep(0.05)
    question = "Which VAT does `invoice_total` use?"
    answer = await editor.ask_caret("ask", {"instruction": question})
    assert "`billing.py:" in answer.text
    assert "4711" not in answer.text
    assert all(place["uri"].startswith(workspace.as_uri()) for place in answer.references)


async def test_a_traceback_is_traced_to_the_workspace(editor: Editor, workspace: Path) -> None:
    (workspace / "stats_live.py").write_text(STATS)
    output = (
        "Traceback (most recent call last):\n"
        f'  File "{workspace}/stats_live.py", line 7, in mean\n    total += valeu\n'
        "NameError: name 'valeu' is not defined. Did you mean: 'value'?\n"
    )
    answer = await editor.ask_caret("debug", {"text": output})
    assert "valeu" in answer.text
    live = (workspace / "stats_live.py").as_uri()
    assert (live, 3) in [(x["uri"], x["range"]["start"]["line"]) for x in answer.references]


async def test_code_is_written_below_the_comment_that_asks_for_it(editor: Editor) -> None:
    text = "VALUES = [3, 1, 2]\n\n\n# the median of a list of numbers\n"
    uri = editor.open(text, "median.py")
    answer = await editor.ask_caret("generate", place(uri, 3))
    assert answer.applied
    written = editor.texts_of[uri]
    ast.parse(written)
    assert written.startswith(text)
    assert len(written) > len(text) + 20


async def test_a_base_model_is_refused_in_words(start: StartEditor, workspace: Path) -> None:
    base = {"instruct": {"model": "codellama-7b"}}
    editor = await start(base | OFF, folder=workspace, until="off")
    uri = editor.open(STATS, "base.py")
    with pytest.raises(JsonRpcException, match="cannot follow instructions"):
        await editor.ask_caret("explain", place(uri, 3))
