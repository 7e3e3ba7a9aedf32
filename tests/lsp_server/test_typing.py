"""Typing on through a suggestion, over stdio: the model is asked once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from lsprotocol import types

if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Any

    from tests.editor import Editor
    from tests.lsp_server.conftest import ModelServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


def change(line: int, start: int, end: int, text: str) -> types.TextDocumentContentChangePartial:
    first, last = types.Position(line, start), types.Position(line, end)
    return types.TextDocumentContentChangePartial(range=types.Range(first, last), text=text)


async def answer(future: Future[Any]) -> list[str]:
    return [item.insert_text for item in (await asyncio.wrap_future(future)).items]


async def test_typing_and_deleting_ask_the_model_once(editor: Editor, model: ModelServer) -> None:
    model.answer = lambda _: ["f(a,", " b)\n", "more"]
    uri = editor.open("x = \r\nprint(x)\r\n")
    assert await editor.texts(uri, 0, 4) == ["f(a, b)"]
    # The word being typed is part of what is inserted.
    expected = ["f(a, b)", "a, b)", "a, b)", " b)", "b)"]
    for column, (letter, left) in enumerate(zip("f(a, ", expected, strict=True), 4):
        editor.change(uri, change(0, column, column, letter))
        assert await editor.texts(uri, 0, column + 1) == [left]
    editor.change(uri, change(0, 6, 9, ""))
    assert await editor.texts(uri, 0, 6) == ["a, b)"]
    editor.change(uri, change(0, 6, 6, "a"))
    assert await editor.texts(uri, 0, 7) == ["a, b)"]
    assert len(model.requests) == 1


async def test_a_block_goes_on_line_by_line(editor: Editor, model: ModelServer) -> None:
    model.answer = lambda _: ["\n    a = 1\n    b = 2\n    c = 3\n", "d"]
    uri = editor.open("def f():\r\n")
    whole = "\r\n    a = 1\r\n    b = 2\r\n    c = 3"
    assert await editor.texts(uri, 0, 8) == [whole]
    editor.change(uri, change(0, 8, 8, "\r\n    a = 1\r\n    "))
    assert await editor.texts(uri, 2, 4) == ["b = 2\r\n    c = 3"]
    assert len(model.requests) == 1


async def test_a_block_goes_on_between_braces(editor: Editor, model: ModelServer) -> None:
    model.answer = lambda _: ["{\n  return 1;\n}\n", "f();"]
    uri = editor.open("function f() \r\n", language="javascript")
    assert await editor.texts(uri, 0, 13) == ["{\r\n  return 1;\r\n}"]
    editor.change(uri, change(0, 13, 13, "{\r\n  \r\n}"))
    assert await editor.texts(uri, 1, 2) == ["return 1;"]
    assert len(model.requests) == 1


@pytest.mark.parametrize("edit", [(0, 0, 1, "y"), (0, 5, 5, ")"), (1, 0, 0, "p"), (0, 4, 5, "g")])
async def test_any_other_edit_asks_anew(
    editor: Editor, model: ModelServer, edit: tuple[int, int, int, str]
) -> None:
    model.answer = lambda _: ["f(a)"]
    uri = editor.open("x = \nprint(x)\n")
    await editor.texts(uri, 0, 4)
    editor.change(uri, change(0, 4, 4, "f"))
    editor.change(uri, change(*edit))
    await editor.texts(uri, 0, 5)
    assert len(model.requests) == 2


async def test_all_typed_asks_anew(editor: Editor, model: ModelServer) -> None:
    uri = editor.open("x = \n")
    assert await editor.texts(uri, 0, 4) == ["ab"]
    editor.change(uri, change(0, 4, 4, "ab"))
    assert await editor.texts(uri, 0, 6) == ["abab"]
    assert [request["prompt"] for request in model.requests] == ["x = ", "x = ab"]


async def test_a_closed_document_is_forgotten(editor: Editor, model: ModelServer) -> None:
    for _ in range(2):
        assert await editor.texts(editor.open("x = \n"), 0, 4) == ["ab"]
    assert len(model.requests) == 2


async def test_by_hand_twice_the_first_one_is_known(editor: Editor, model: ModelServer) -> None:
    model.answer = lambda request: [f"choice_{request.get('seed', 0)}"]
    uri = editor.open("x = \n")
    for _ in range(2):
        texts = await editor.texts(uri, 0, 4, invoked=True)
        assert texts[0] == "choice_0"
    assert all(request["temperature"] for request in model.requests[1:])


async def test_typing_joins_what_is_being_written(editor: Editor, model: ModelServer) -> None:
    model.gate.clear()
    model.answer = lambda _: ["a", "bc", "d"]
    uri = editor.open("x = \n")
    futures = [editor.ask(uri, 0, 4)]
    await editor.until(lambda: len(model.requests) == 1)
    for column, letter in enumerate("abc", 4):
        editor.change(uri, change(0, column, column, letter))
        futures.append(editor.ask(uri, 0, column + 1))
    assert [await answer(future) for future in futures[:-1]] == [[], [], []]
    assert not futures[-1].done()
    model.gate.set()
    assert await answer(futures[-1]) == ["abcd"]
    assert (len(model.requests), model.hung_up) == (1, 0)


async def test_typing_joins_although_the_editor_cancels_first(
    editor: Editor, model: ModelServer
) -> None:
    model.gate.clear()
    model.answer = lambda _: ["a", "bc", "d"]
    uri = editor.open("x = \n")
    old = editor.ask(uri, 0, 4)
    await editor.until(lambda: len(model.requests) == 1)
    editor.cancel(old)
    editor.change(uri, change(0, 4, 4, "a"))
    await editor.command("caret.status")  # by when the server has dealt with the cancellation
    new = editor.ask(uri, 0, 5)
    model.gate.set()
    assert await answer(new) == ["abcd"]
    assert (len(model.requests), model.hung_up) == (1, 0)


async def test_what_is_cancelled_and_not_asked_for_again_ends(
    editor: Editor, model: ModelServer
) -> None:
    model.gate.clear()
    uri = editor.open("x = \n")
    old = editor.ask(uri, 0, 4)
    await editor.until(lambda: len(model.requests) == 1)
    editor.cancel(old)
    await editor.until(lambda: model.hung_up == 1)


async def test_what_turns_out_different_is_written_anew(editor: Editor, model: ModelServer) -> None:
    model.gate.clear()
    model.answer = lambda request: ["+ 1"] if request["prompt"].endswith("az") else ["a", "b", "c"]
    uri = editor.open("x = \n")
    old = editor.ask(uri, 0, 4)
    await editor.until(lambda: len(model.requests) == 1)
    editor.change(uri, change(0, 4, 4, "az"))
    new = editor.ask(uri, 0, 6)
    assert await answer(old) == []
    model.gate.set()
    assert await answer(new) == ["az+ 1"]
    assert [request["prompt"] for request in model.requests] == ["x = ", "x = az"]


async def test_what_differs_already_is_cancelled(editor: Editor, model: ModelServer) -> None:
    model.gate.clear()
    uri = editor.open("x = \n")
    old = editor.ask(uri, 0, 4)
    await editor.until(lambda: len(model.requests) == 1)
    editor.change(uri, change(0, 0, 1, "y"))
    new = editor.ask(uri, 0, 4)
    assert await answer(old) == []
    await editor.until(lambda: model.hung_up == 1 and len(model.requests) == 2)
    model.gate.set()
    assert await answer(new) == ["ab"]


async def test_closing_ends_what_is_being_written(editor: Editor, model: ModelServer) -> None:
    model.gate.clear()
    uri = editor.open("x = \n")
    future = editor.ask(uri, 0, 4)
    await editor.until(lambda: len(model.requests) == 1)
    editor.close(uri)
    assert await answer(future) == []
    await editor.until(lambda: model.hung_up == 1)
