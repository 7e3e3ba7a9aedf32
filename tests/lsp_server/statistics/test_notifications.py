"""What editors tell of suggestions over stdio, sensible or not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lsprotocol import types

from lsp_server.statistics.store import Store

if TYPE_CHECKING:
    from tests.editor import Editor, StartEditor
    from tests.lsp_server.conftest import ModelServer

pytestmark = pytest.mark.asyncio(loop_scope="module")
NONSENSE: list[Any] = [
    {},
    {"item": None, "acceptedLength": 1},
    {"item": {"command": {}}, "acceptedLength": 1},
    {"item": {"command": {"arguments": []}}, "acceptedLength": 1},
    {"item": {"command": {"arguments": [{"a": 1}]}}, "acceptedLength": 1},
    {"item": {"command": {"arguments": ["1"]}}, "acceptedLength": "all"},
]


@pytest.mark.parametrize("params", NONSENSE)
async def test_what_makes_no_sense_is_ignored(
    editor: Editor, model: ModelServer, params: Any
) -> None:
    uri = editor.open("x = \n")
    for name in ("didShowCompletion", "didPartiallyAcceptCompletion"):
        editor.protocol.notify(f"textDocument/{name}", params)
    assert await editor.texts(uri, 0, 4) == ["ab"]
    assert len(model.requests) == 1


@pytest.mark.parametrize("arguments", [None, [], [None], ["unknown"], [1, 2], [{"a": 1}]])
async def test_an_acceptance_of_nothing_known(editor: Editor, arguments: list[Any] | None) -> None:
    params = types.ExecuteCommandParams("caret.accepted", arguments)
    assert await editor.workspace_execute_command_async(params) is None


async def test_an_entry_of_the_menu(
    start_editor: StartEditor, model: ModelServer, environment: dict[str, str]
) -> None:
    editor = await start_editor({"fim": {"endpoint": model.url}}, ghost_text=False)
    uri = editor.open("fn main() { \n}\n", "main.rs", "rust")
    document, place = types.TextDocumentIdentifier(uri), types.Position(0, 12)
    found = await editor.text_document_completion_async(types.CompletionParams(document, place))
    assert isinstance(found, types.CompletionList)
    command = found.items[0].command
    assert command
    params = types.ExecuteCommandParams(command.command, command.arguments)
    await editor.workspace_execute_command_async(params)
    store = Store(pytest.fail, Path(environment["CARET_HOME"]) / "statistics")
    async with asyncio.timeout(30):
        while not (rust := [key for key in store.read() if key.language == "rust"]):
            await asyncio.sleep(0.1)
    assert {"shown", "accepted", "whole", "characters"} <= {key.name for key in rust}
