"""Settings reach the real server by each of LSP's three ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types

if TYPE_CHECKING:
    from tests.editor import Editor, StartEditor
    from tests.lsp_server.conftest import ModelServer

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


def told(editor: Editor) -> list[str]:
    return [message.message for message in editor.messages]


def tell_of_change(editor: Editor, settings: object) -> None:
    params = types.DidChangeConfigurationParams(settings)
    editor.workspace_did_change_configuration(params)


async def test_asked_for_and_again_after_a_change(
    start_editor: StartEditor, model: ModelServer
) -> None:
    editor = await start_editor(
        {"fim": {"endpoint": model.url}, "completion": {"maxTokens": 50}},
        kind="visual-studio-code",
        configuration={"fim": {"model": "from-configuration"}, "completion": {"maxTokens": 60}},
    )
    uri = editor.open("x = \n")
    await editor.texts(uri, 0, 4)
    editor.set_configuration({"caret": {"completion": {"maxTokens": 70}}})
    seen = len(editor.states)
    tell_of_change(editor, None)
    await editor.until(lambda: editor.states[seen:][-1:] == ["ready"])
    await editor.texts(uri, 0, 4)
    asked = [(request.get("model"), request["max_tokens"]) for request in model.requests]
    assert asked == [("from-configuration", 60), (None, 70)]


async def test_a_request_by_hand_waits_for_the_settings(
    start_editor: StartEditor, model: ModelServer
) -> None:
    editor = await start_editor(configuration={"fim": {"endpoint": model.url}}, until=None)
    assert "ab" in await editor.texts(editor.open("x = \n"), 0, 4, invoked=True)


async def test_pushed(start_editor: StartEditor, model: ModelServer) -> None:
    """By an editor that cannot be asked, as the tools that drive the server from outside."""
    editor = await start_editor({"fim": {"endpoint": model.url}}, asks=False)
    uri = editor.open("def f():\n")
    model.answer = lambda _: ["\n    a\n    b\n"]
    assert await editor.texts(uri, 0, 8) == ["\n    a\n    b"]
    tell_of_change(editor, {"caret": {"completion": {"multiline": "never"}}, "other": 5})
    assert await editor.texts(uri, 0, 8) == ["\n    a"]
    tell_of_change(editor, {"other": 5})
    assert await editor.texts(uri, 0, 8) == ["\n    a"]


async def test_wrong_settings_are_shown_once_and_the_rest_counts(
    start_editor: StartEditor, model: ModelServer
) -> None:
    wrong = {
        "fim": {"endpoint": model.url},
        "completion": {"maxTokens": "many", "multiline": "never"},
        "colour": "red",
    }
    editor = await start_editor(wrong, configuration={"colour": "blue"})
    tell_of_change(editor, None)
    uri = editor.open("def f():\n")
    model.answer = lambda _: ["\n    a\n    b\n"]
    assert await editor.texts(uri, 0, 8) == ["\n    a"]
    assert model.requests[0]["max_tokens"] == 128
    assert sorted(told(editor)) == [
        "Caret: caret.colour is not a setting of Caret; ignored.",
        "Caret: caret.completion.maxTokens must be a whole number, not 'many'; 128 is used.",
    ]


async def test_off_and_on(start_editor: StartEditor, model: ModelServer) -> None:
    off = {"fim": {"endpoint": model.url}, "completion": {"enable": False}}
    editor = await start_editor(off, asks=False, until="off")
    uri = editor.open("x = \n")
    assert await editor.texts(uri, 0, 4, invoked=True) == []
    assert editor.states == ["off"]
    tell_of_change(editor, {"caret": {"completion": {"enable": True}}})
    await editor.until(lambda: editor.states[-1] == "ready")
    assert await editor.texts(uri, 0, 4) == ["ab"]
    tell_of_change(editor, {"caret": {"completion": {"enable": False}}})
    await editor.until(lambda: editor.states[-1] == "off")


async def test_a_model_that_cannot_fill_in_the_middle(start_editor: StartEditor) -> None:
    """Said at once: nothing is downloaded, no engine is started."""
    editor = await start_editor({"fim": {"model": "codellama-34b"}}, until="error")
    status = editor.statuses[-1]
    assert status.model == "codellama-34b"
    assert status.detail.code == "not_capable"
    assert "Use one that can" in status.message
    assert await editor.texts(editor.open("x = "), 0, 4) == []
    assert sum("codellama-34b" in message for message in told(editor)) == 1


async def test_an_unknown_model(start_editor: StartEditor) -> None:
    editor = await start_editor({"fim": {"model": "qwen2.5-coder-1b"}}, until="error")
    assert "Did you mean" in editor.statuses[-1].message
