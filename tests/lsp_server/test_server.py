"""The real `caret lsp` over stdio, as Neovim and VS Code speak to it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

if TYPE_CHECKING:
    from tests.editor import Editor, StartEditor
    from tests.lsp_server.conftest import ModelServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


def position(line: int, character: int) -> types.Position:
    return types.Position(line, character)


def insertion(line: int, character: int, text: str) -> types.TextDocumentContentChangePartial:
    at = position(line, character)
    return types.TextDocumentContentChangePartial(range=types.Range(at, at), text=text)


async def test_one_line(editor: Editor, model: ModelServer) -> None:
    model.answer = lambda _: ["a", " + b", "\nz = 3", "\n", "more"]
    uri = editor.open("import os\n\nx = 1\ntotal = \n")

    (item,) = await editor.items(uri, 3, 8)

    assert item.command
    assert item.command.arguments
    assert item == types.InlineCompletionItem(
        insert_text="a + b",
        filter_text="a + b",
        range=types.Range(position(3, 8), position(3, 8)),
        command=types.Command("Accepted", "caret.accepted", arguments=item.command.arguments),
    )
    (request,) = model.requests
    assert request["prompt"] == "import os\n\nx = 1\ntotal = "
    assert request["suffix"] == "\n"


async def test_the_range_begins_with_the_typed_word(editor: Editor, model: ModelServer) -> None:
    model.answer = lambda _: ["nt(x)"]
    uri = editor.open("    pri\n")

    (item,) = await editor.items(uri, 0, 7)

    assert item.insert_text == item.filter_text == "print(x)"
    assert item.range == types.Range(position(0, 4), position(0, 7))


async def test_a_block_with_the_documents_line_ends(editor: Editor, model: ModelServer) -> None:
    model.answer = lambda _: ["\n    a = 1", "\n\n    return a", "\n\n\ndef", " g():"]
    uri = editor.open("import os\r\n\r\n\r\ndef f():\r\n")

    assert await editor.texts(uri, 3, 8) == ["\r\n    a = 1\r\n\r\n    return a"]
    assert model.requests[0]["prompt"] == "import os\n\n\ndef f():"


async def test_tabs_and_no_final_newline(editor: Editor, model: ModelServer) -> None:
    model.answer = lambda _: ["\ta();\n", "\t}\n", "}\n"]
    uri = editor.open("class A {\n\tvoid f() {\n\t", "A.java", "java")

    assert await editor.texts(uri, 2, 1) == ["\ta();\n\t}"]


async def test_utf8_columns(editor: Editor, model: ModelServer) -> None:
    uri = editor.open("größe = '😀'; grö\n")
    (item,) = await editor.items(uri, 0, 22)
    assert model.requests[0]["prompt"] == "größe = '😀'; grö"
    assert item.insert_text == "gröab"
    assert item.range == types.Range(position(0, 18), position(0, 22))


async def test_utf16_columns(start_editor: StartEditor, model: ModelServer) -> None:
    code = await start_editor({"fim": {"endpoint": model.url}}, kind="visual-studio-code")
    uri = code.open("größe = '😀'; grö\n")
    code.change(uri, insertion(0, 11, "😀"))
    (item,) = await code.items(uri, 0, 19)
    assert model.requests[0]["prompt"] == "größe = '😀😀'; grö"
    assert item.range == types.Range(position(0, 16), position(0, 19))


async def test_changes(editor: Editor, model: ModelServer) -> None:
    uri = editor.open("a\r\nb\r\n")
    editor.change(uri, insertion(1, 1, "c\r\nd"), insertion(2, 1, "!"))
    await editor.items(uri, 2, 2)
    editor.change(uri, types.TextDocumentContentChangeWholeDocument(text="new\n"))
    await editor.items(uri, 0, 3)
    assert [request["prompt"] for request in model.requests] == ["a\nbc\nd!", "new"]


async def test_fifty_thousand_lines(editor: Editor, model: ModelServer) -> None:
    lines = [f"line_{n} = {n}\n" for n in range(50_000)]
    lines[40_000] = "\n"
    uri = editor.open("".join(lines))
    for character, letter in enumerate("typed"):
        editor.change(uri, insertion(40_000, character, letter))
    assert await editor.texts(uri, 40_000, 5) == ["typedab"]
    prompt = model.requests[0]["prompt"]
    assert prompt.endswith("line_39999 = 39999\ntyped")
    assert len(prompt) < 20_000
    assert len(model.requests[0]["suffix"]) < 20_000


@pytest.mark.parametrize(
    ("name", "text", "line", "character"),
    [
        ("a.py", "x = 1\n", 2, 0),
        ("a.py", "x = 1\n", 2_000_000_000, 0),
        (".env", "KEY=", 0, 4),
        ("id_rsa.bak", "x", 0, 1),
        ("a.bin", "\0x = ", 0, 5),
        ("big.py", "x = 1\n" * 1_000_000, 0, 4),
    ],
)
async def test_no_completion_here(
    editor: Editor, model: ModelServer, name: str, text: str, line: int, character: int
) -> None:
    uri = editor.open(text, name)
    assert await editor.items(uri, line, character, invoked=True) == []
    assert not model.requests


async def test_unknown_and_closed_documents(editor: Editor, model: ModelServer) -> None:
    uri = editor.open("x = ")
    editor.close(uri)
    editor.change(uri, insertion(0, 0, "y"))
    assert await editor.items(uri, 0, 4) == []
    assert await editor.items("not even a URI", 0, 0) == []
    assert not model.requests


async def test_a_column_past_the_end_is_the_end(editor: Editor, model: ModelServer) -> None:
    (item,) = await editor.items(editor.open("x = \ny"), 0, 99)
    assert model.requests[0]["prompt"] == "x = "
    assert item.range == types.Range(position(0, 4), position(0, 4))


async def test_ten_requests_at_once(editor: Editor, model: ModelServer) -> None:
    model.gate.clear()
    uri = editor.open("x = \n")
    futures = [editor.ask(uri, 0, 4) for _ in range(10)]
    await editor.until(lambda: all(future.done() for future in futures[:9]))
    model.gate.set()
    answers = [await asyncio.wrap_future(future) for future in futures]
    assert [len(answer.items) for answer in answers] == [0] * 9 + [1]


async def test_a_superseded_request_is_answered_at_once(editor: Editor, model: ModelServer) -> None:
    model.gate.clear()
    uri = editor.open("x = \n")
    old = editor.ask(uri, 0, 4)
    await editor.until(lambda: len(model.requests) == 1)
    new = editor.ask(uri, 0, 3)

    assert (await asyncio.wrap_future(old)).items == ()
    assert not new.done()
    await editor.until(lambda: model.hung_up == 1)
    model.gate.set()
    assert len((await asyncio.wrap_future(new)).items) == 1


@pytest.mark.usefixtures("model")
async def test_documents_do_not_disturb_each_other(editor: Editor) -> None:
    futures = [editor.ask(editor.open("x = ", f"{name}.py"), 0, 4) for name in "abc"]
    assert [len((await asyncio.wrap_future(future)).items) for future in futures] == [1, 1, 1]


async def test_cancel(editor: Editor, model: ModelServer) -> None:
    model.gate.clear()
    uri = editor.open("x = \n")
    future = editor.ask(uri, 0, 4)
    await editor.until(lambda: len(model.requests) == 1)
    editor.cancel(future)

    with pytest.raises(JsonRpcException) as raised:
        await asyncio.wrap_future(future)
    assert raised.value.code == types.LSPErrorCodes.RequestCancelled
    await editor.until(lambda: model.hung_up == 1)
    model.gate.set()
    assert await editor.texts(uri, 0, 4) == ["ab"]


async def test_several_by_hand(editor: Editor, model: ModelServer) -> None:
    model.answer = lambda request: [f"choice_{request.get('seed', 0)}"]
    uri = editor.open("x = \n")
    async with asyncio.timeout(60):  # how many fit into their time depends on the machine
        while len(texts := await editor.texts(uri, 0, 4, invoked=True)) < 3:
            assert texts[0] == "choice_0"
            uri = editor.open("x = \n")
    assert texts == ["choice_0", "choice_1", "choice_2"]
    warm = [request["temperature"] > 0 for request in model.requests[-3:]]
    assert warm == [False, True, True]
    assert await editor.texts(uri, 0, 4) == ["choice_0"]


async def test_alternatives_do_not_hold_up_the_first(editor: Editor, model: ModelServer) -> None:
    def answer(request: dict[str, Any]) -> list[str]:
        if request["temperature"]:
            model.gate.clear()
        return ["same"]

    model.answer = answer
    assert await editor.texts(editor.open("x = \n"), 0, 4, invoked=True) == ["same"]
    await editor.until(lambda: model.hung_up == 1)


async def test_the_menu_is_for_editors_without_ghost_text(
    start_editor: StartEditor, editor: Editor, model: ModelServer
) -> None:
    def params(uri: str) -> types.CompletionParams:
        return types.CompletionParams(types.TextDocumentIdentifier(uri), position(0, 3))

    model.answer = lambda _: ["nt(x)\nmore"]
    helix = await start_editor({"fim": {"endpoint": model.url}}, ghost_text=False)
    found = await helix.text_document_completion_async(params(helix.open("pri")))
    assert isinstance(found, types.CompletionList)
    (item,) = found.items
    assert (item.label, item.filter_text) == ("print(x)", "print(x)")
    replaced = types.Range(position(0, 0), position(0, 3))
    assert item.text_edit == types.TextEdit(replaced, "print(x)")
    assert found.is_incomplete

    none = await editor.text_document_completion_async(params(editor.open("pri")))
    assert isinstance(none, types.CompletionList)
    assert none.items == ()


async def test_a_failing_model(editor: Editor, model: ModelServer) -> None:
    uri = editor.open("x = \n")
    model.status = 500
    for _ in range(2):
        assert await editor.texts(uri, 0, 4) == []
    for _ in range(2):
        with pytest.raises(JsonRpcException, match="the model is on fire") as raised:
            await editor.texts(uri, 0, 4, invoked=True)
        assert raised.value.code == types.LSPErrorCodes.RequestFailed
    assert editor.states[-1] == "error"
    assert "the model is on fire" in editor.statuses[-1].message
    assert sum("on fire" in message.message for message in editor.messages) == 1

    model.status = 200
    assert await editor.texts(uri, 0, 4) == ["ab"]
    await editor.until(lambda: editor.states[-1] == "ready")


async def test_a_model_that_writes_without_end(editor: Editor, model: ModelServer) -> None:
    model.answer, model.finish = lambda _: ["\n    a = 1\n", "    b ="], "length"
    uri = editor.open("def f():\n")
    assert await editor.texts(uri, 0, 8) == ["\n    a = 1"]


@pytest.mark.usefixtures("model")
async def test_commands(editor: Editor) -> None:
    await editor.texts(editor.open("x = \n"), 0, 4)
    before = await editor.command("caret.status")
    await editor.command("caret.accepted")
    after = await editor.command("caret.status")
    assert after["accepted"] == before["accepted"] + 1
    assert after["state"] == "ready"
    assert after["last"]["completion_tokens"] == 2
    assert after["last"]["prefill_ms"] > 0

    seen = len(editor.statuses)
    await editor.command("caret.restartEngine")
    await editor.until(lambda: editor.states[seen:] == ["loading", "ready"])
    with pytest.raises(JsonRpcException):
        await editor.command("caret.unheardOf")


async def test_busy_while_it_writes(editor: Editor, model: ModelServer) -> None:
    model.gate.clear()
    seen = len(editor.statuses)
    future = editor.ask(editor.open("x = \n"), 0, 4)
    await editor.until(lambda: editor.states[seen:] == ["busy"])
    threading.Timer(0, model.gate.set).start()
    await asyncio.wrap_future(future)
    await editor.until(lambda: editor.states[seen:] == ["busy", "ready"])
