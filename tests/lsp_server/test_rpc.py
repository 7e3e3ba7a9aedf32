"""Messages as clients write them, handled in this process; the real pipe is in test_lifecycle."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types

from lsp_server.incoming import converter
from tests.in_process import Client, request
from tests.pipe import INITIALIZE, STATUS, initialize, notification

pytestmark = pytest.mark.asyncio(loop_scope="module")
URI = "file:///w/a.py"
FIX = {"command": "caret.fix"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> Client:
    """One server in use, for all that does not end it."""
    client = Client()
    assert await client.code(INITIALIZE, notification("initialized", {})) == [(1, None)]
    return client


@pytest.mark.parametrize("asked", [0, -3, 2**70, 1.0, 2.5, "", "a", "\ud800"])
async def test_ids_are_given_back(client: Client, asked: object) -> None:
    assert await client.code(STATUS | {"id": asked}) == [(asked, None)]


@pytest.mark.parametrize("asked", ["null", "true", "[]", "{}", "NaN", "1e999"])
async def test_ids_that_are_none(client: Client, asked: str) -> None:
    message = f'{{"jsonrpc": "2.0", "id": {asked}, "method": "shutdown"}}'
    assert await client.code(message.encode()) == [(None, -32600)]


@pytest.mark.parametrize(
    ("message", "answers"),
    [
        (b"", [(None, -32700)]),
        (b'"x"', [(None, -32600)]),
        ([], [(None, -32600)]),
        ([request("no/such", asked=1), notification("x", {}), STATUS], [(1, -32600), (99, -32600)]),
        (request("no/such") | {"jsonrpc": "1.0"}, [(5, -32600)]),
        ({"id": 5, "method": "shutdown"}, [(5, -32600)]),
        (request("no/such") | {"method": 7}, [(5, -32600)]),
        ({"jsonrpc": "2.0", "id": 5}, [(5, -32600)]),
        (request("no/such"), [(5, -32601)]),
        (request("$/no/such"), [(5, -32601)]),
        (request("textDocument/didOpen", {}), [(5, -32601)]),
        (request("initialize", {}), [(5, -32600)]),
        (request("textDocument/inlineCompletion"), [(5, -32602)]),
        (request("textDocument/completion", {"textDocument": {"uri": 7}}), [(5, -32602)]),
        (request("workspace/executeCommand", {"command": "rm"}), [(5, -32602)]),
        (request("workspace/executeCommand", FIX | {"arguments": [7]}), [(5, -32602)]),
        (notification("no/such", [1]), []),
        (notification("shutdown", None), []),
        (notification("initialized", {}), []),
        (notification("$/cancelRequest", {"id": 12345}), []),
        (notification("$/cancelRequest", {}), []),
        ({"jsonrpc": "2.0", "id": 77, "result": 5}, []),
        ({"jsonrpc": "2.0", "id": [], "result": 5}, []),
        ({"jsonrpc": "2.0", "id": None, "error": "in words"}, []),
    ],
)  # fmt: skip
async def test_one_answer_to_each_request(
    client: Client, message: Any, answers: list[tuple[Any, int | None]]
) -> None:
    assert await client.code(message) == answers
    assert await client.code(STATUS) == [(99, None)]


async def test_stages_of_a_session() -> None:
    client = Client()
    assert await client.code(STATUS, notification("initialized", {})) == [(99, -32002)]
    assert await client.code(request("initialize")) == [(5, -32602)]
    assert await client.code(INITIALIZE, INITIALIZE) == [(1, None), (1, -32600)]
    assert await client.code(STATUS) == [(99, None)]  # without `initialized`
    assert await client.code(request("shutdown", {})) == [(5, None)]
    assert await client.code(STATUS, request("shutdown")) == [(99, -32600), (5, -32600)]
    assert not client.protocol.over.is_set()
    assert await client.code(notification("exit", {})) == []
    assert client.protocol.over.is_set()


async def test_shutdown_amid_work(monkeypatch: pytest.MonkeyPatch) -> None:
    async def waits(*_: object) -> None:
        await asyncio.Event().wait()

    client, method = Client(), types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS
    monkeypatch.setitem(client.protocol.fm.features, method, waits)
    folders = notification(method, {"event": {"added": [], "removed": []}})
    assert await client.code(INITIALIZE, folders, folders) == [(1, None)]
    assert await client.code(request("shutdown")) == [(5, None)]


async def test_what_cannot_be_read_of_initialize_is_left_out() -> None:
    client = Client()
    capabilities = {"textDocument": {"codeAction": 5}, "workspace": {"configuration": True}}
    folders = [{"uri": "file:///w"}, {"uri": 7}]
    params = {"capabilities": capabilities, "clientInfo": 3, "trace": "odd", "processId": "x"}
    asked = initialize(**params, workspaceFolders=folders, initializationOptions=[1])
    assert await client.code(asked) == [(1, None)]
    told = client.server.client_capabilities
    assert told.workspace
    assert told.workspace.configuration
    assert list(client.server.workspace.folders) == ["file:///w"]
    assert client.server.configuration.initial == [1]


async def test_a_fault_is_told_without_a_traceback(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ValueError("the text of a document")

    monkeypatch.setitem(client.protocol.fm.commands, "caret.status", fails)
    (answer,) = await client.say(STATUS)
    assert answer["error"] == {"code": -32603, "message": "A fault in Caret; lsp.log says where."}


@pytest.mark.parametrize(
    "answer",
    [
        {"result": "odd"},
        {"result": None, "error": None},
        {},
        {"error": {"code": 1, "message": "no"}},
        {"error": "in words"},
        {"result": 5, "error": {"code": 1, "message": "no"}},
    ],
)
async def test_answers_of_every_form_are_taken(client: Client, answer: dict[str, Any]) -> None:
    asked = client.asks()
    name = client.sent[-1]["id"]
    assert await client.code({"jsonrpc": "2.0", "id": name, **answer}) == []
    assert asked.done()
    assert not client.protocol._result_types


async def test_settings_without_the_list_around_them() -> None:
    client, off = Client(), {"completion": {"enable": False}, "privacy": {"exclude": ["mine"]}}
    await client.say(initialize(capabilities={"workspace": {"configuration": True}}))
    await client.say(notification("initialized", {}))
    (asked,) = (each for each in client.sent if each.get("method") == "workspace/configuration")
    await client.say({"jsonrpc": "2.0", "id": asked["id"], "result": off})
    await client.server.configuration.known()
    assert "mine" in client.server.configuration.settings.privacy.exclude


async def test_the_client_cannot_cancel_a_request_of_the_server(client: Client) -> None:
    asked, name = client.asks(), client.sent[-1]["id"]
    await client.say(notification("$/cancelRequest", {"id": name}))
    assert not asked.done()
    await client.say({"jsonrpc": "2.0", "id": name, "result": None})
    assert asked.done()


async def test_a_cancelled_id_of_a_wrong_type(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    odd: object
    for odd in ({}, [], None, True):
        assert await client.code(notification("$/cancelRequest", {"id": odd})) == []
    assert not [each for each in caplog.records if each.name == "lsp_server.rpc"]


async def test_what_is_done_is_forgotten(client: Client) -> None:
    for version in range(20):
        await client.say(_change(version, "x"), STATUS)
    assert not client.protocol._request_futures
    assert not client.protocol._open


def _change(version: int, text: str, *places: tuple[int, int]) -> dict[str, Any]:
    change: dict[str, Any] = {"text": text}
    if places:
        start, end = ({"line": line, "character": character} for line, character in places)
        change |= {"range": {"start": start, "end": end}, "rangeLength": 99}
    changed = {"uri": URI, "version": version}
    params = {"textDocument": changed, "contentChanges": [change]}
    return notification("textDocument/didChange", params)


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (_change(2, "X", (0, 1), (0, 3)), ["aXd\n", "é😀z"]),
        (_change(2, "X", (0, 3), (0, 1)), ["aXd\n", "é😀z"]),
        (_change(-7, "X", (1, 0), (0, 1)), ["aXé😀z"]),
        (_change(2, "X", (0, 99), (0, 2**31 - 1)), ["abcdX\n", "é😀z"]),
        (_change(2, "X", (7, 0), (9, 9)), ["abcd\n", "é😀zX"]),
        (_change(2, "X", (1, 2), (1, 3)), ["abcd\n", "é😀Xz"]),  # from amid a surrogate pair
        (_change(2, "X", (0, 1), (0, 2**31)), ["aX\n", "é😀z"]),
        (_change(2, "X", (0, 1), (2**64, 2**64)), ["aX"]),
    ],
)
async def test_changes_out_of_range(
    client: Client, change: dict[str, Any], lines: list[str]
) -> None:
    item = {"uri": URI, "languageId": "python", "version": 1, "text": "abcd\né😀z"}
    await client.say(notification("textDocument/didOpen", {"textDocument": item}), change)
    assert client.protocol.documents[URI].lines == lines


async def test_a_long_string_in_place_of_a_list(client: Client) -> None:
    """Not an error for each of its letters, which took minutes."""
    event = {"added": "n" * 100_000, "removed": []}
    params = {"event": event}
    with pytest.raises(TypeError):
        converter().structure(params, types.DidChangeWorkspaceFoldersParams)
    assert await client.code(notification("workspace/didChangeWorkspaceFolders", params)) == []
    given = {"arguments": [{"diagnostics": "n" * 100_000}]}
    assert await client.code(request("workspace/executeCommand", FIX | given)) == [(5, -32602)]


@pytest.mark.parametrize("language", [None, 5, True])
async def test_a_language_that_is_no_string(client: Client, language: object) -> None:
    item = {"uri": "file:///w/b.py", "languageId": language, "version": 1, "text": "x"}
    await client.say(notification("textDocument/didOpen", {"textDocument": item}))
    assert client.protocol.documents.pop("file:///w/b.py").language == "python"


async def test_documents_opened_and_closed_twice(client: Client) -> None:
    def opened(text: str) -> dict[str, Any]:
        item = {"uri": URI, "languageId": "python", "version": 1, "text": text}
        return notification("textDocument/didOpen", {"textDocument": item})

    closed = notification("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert await client.code(_change(1, "x"), closed, opened("a"), opened("b")) == []
    assert client.protocol.documents[URI].lines == ["b"]
    assert await client.code(closed, closed, _change(2, "y")) == []
    assert not client.protocol.documents


async def test_messages_of_great_depth(client: Client) -> None:
    deep: Any = {}
    for _ in range(300):
        deep = {"a": deep}
    params = {"command": "caret.status", "arguments": [deep]}
    assert await client.code(request("workspace/executeCommand", params)) == [(5, None)]
    assert await client.code(b"[" * 100_000) == [(None, -32700)]
