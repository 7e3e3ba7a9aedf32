"""The server's process: its start and end, and bytes that no editor should send."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from lsprotocol import types
from lsprotocol.converters import get_converter
from pytest_lsp import client_capabilities

from tests.pipe import (
    DEADLINE_S,
    INITIALIZE,
    STATUS,
    Server,
    frame,
    greeted,
    initialize,
    notification,
    read,
    running,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.lsp_server.conftest import ModelServer


@pytest.fixture
def server(environment: dict[str, str]) -> Iterator[Server]:
    with greeted(environment) as server:
        yield server


@pytest.fixture(scope="module")
def tormented(environment: dict[str, str]) -> Iterator[Server]:
    """One server for all the bytes that no editor should send."""
    with greeted(environment) as server:
        yield server


def test_shutdown_and_exit(server: Server) -> None:
    server.send({"jsonrpc": "2.0", "id": 2, "method": "shutdown"})
    assert server.answer(2)["result"] is None
    server.send({"jsonrpc": "2.0", "method": "exit"})
    assert server.wait() == 0


def test_exit_without_shutdown(server: Server) -> None:
    server.send({"jsonrpc": "2.0", "method": "exit"})
    assert server.wait() == 1


def test_the_end_of_stdin_ends_it(server: Server) -> None:
    server.stdin.close()
    assert server.wait() == 1


def test_the_end_of_stdin_before_anything_ends_it(environment: dict[str, str]) -> None:
    with running(environment) as server:
        server.stdin.close()
        assert server.wait() == 1


def test_the_end_of_the_editor_ends_it(environment: dict[str, str]) -> None:
    with (
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as editor,
        running(environment) as server,
    ):
        server.send(initialize(processId=editor.pid))
        server.answer(1)
        editor.communicate(b"\n")
        assert server.wait() == 1  # though its stdin is open


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b"17", -32600),
        (b'{"id": 5, "method": "shutdown"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 5, "method": "textDocument/inlineCompletion"}', -32602),
        (
            b'{"jsonrpc": "2.0", "id": 5, "method": "textDocument/inlineCompletion", "params": '
            b'{"textDocument": {"uri": "file:///a"}, "position": {"line": -1, "character": 0}, '
            b'"context": {"triggerKind": 1}}}',
            -32602,
        ),
        (b'{"jsonrpc": "2.0", "id": 5, "method": "no/such", "params": {}}', -32601),
        (
            b'{"jsonrpc": "2.0", "id": 5, "method": "workspace/executeCommand", '
            b'"params": {"command": "rm"}}',
            -32602,
        ),
    ],
)
def test_a_malformed_message_gets_an_error(tormented: Server, content: bytes, code: int) -> None:
    tormented.write(frame(content))
    error = tormented.answer(5 if b'"id"' in content else None)["error"]
    assert error["code"] == code
    assert tormented.lives()


@pytest.mark.parametrize(
    "content",
    [
        b'{"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {"textDocument": 3}}',
        b'{"jsonrpc": "2.0", "method": "no/such", "params": [1, 2]}',
        b'{"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 12345}}',
        b'{"jsonrpc": "2.0", "id": 77, "result": 5}',
        b'{"jsonrpc": "2.0", "id": 77, "error": {"code": 1, "message": "x"}}',
        b'{"jsonrpc": "1.0"}',
        b'{"jsonrpc": "2.0"}',
    ],
)
def test_a_malformed_notification_is_dropped(tormented: Server, content: bytes) -> None:
    tormented.write(frame(content))
    assert tormented.lives()


def test_wrong_headers_are_skipped(tormented: Server) -> None:
    tormented.write(b"Content-Length: abc\r\n\r\nhello\r\nContent-Length: 0\r\n\r\n")
    assert tormented.lives()


def test_something_else_before_initialize(environment: dict[str, str]) -> None:
    asked = notification("textDocument/inlineCompletion", {}) | {"id": 7}
    with running(environment) as server:
        server.send(asked, INITIALIZE)
        assert server.answer(7)["error"]["code"] == -32002
        assert server.answer(1)["result"]["capabilities"]["inlineCompletionProvider"] == {}


@pytest.mark.parametrize("kind", ["neovim", "visual-studio-code", "emacs", "none"])
def test_the_greeting_is_what_pygls_would_answer(environment: dict[str, str], kind: str) -> None:
    """A first message of another kind is left to pygls, with all that follows."""
    capabilities = types.ClientCapabilities() if kind == "none" else client_capabilities(kind)
    request = initialize(capabilities=get_converter().unstructure(capabilities))
    with running(environment) as server:
        server.send(request)
        greeting = server.answer(1)
    with running(environment) as server:
        server.send(notification("no/such", {}), request)
        answer = server.answer(1)
    for name in ("willSave", "willSaveWaitUntil"):  # pygls repeats whether the client could
        assert not answer["result"]["capabilities"]["textDocumentSync"].pop(name, False)
    assert answer == greeting


def test_a_client_over_tcp(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with (
        running(environment, "--tcp", str(port)) as server,
        _connected(port) as connection,
        connection.makefile("rwb") as stream,
    ):
        stream.write(frame(json.dumps(INITIALIZE).encode()))
        stream.flush()
        assert read(stream)["result"]["serverInfo"]["name"] == "caret"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        stream.write(frame(b'{"jsonrpc": "2.0", "method": "exit"}'))
        stream.flush()
        assert server.wait() == 1


def test_a_port_that_is_taken(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(environment, "--tcp", str(port)) as server:
            assert server.wait() == 1
            assert server.process.stderr
            said = server.process.stderr.read().decode()
    assert said.startswith(f"caret: Port {port} cannot be used: ")
    assert said.count("\n") == 1


def _connected(port: int) -> socket.socket:
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_log_file_without_the_documents_text(
    environment: dict[str, str], tmp_path: Path, model: ModelServer
) -> None:
    model.answer = lambda _: ["generated_text"]
    log = tmp_path / "own.log"
    document = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": "own_text = "}
    caret = {
        "textDocument": {"uri": "file:///a.py"},
        "position": {"line": 0, "character": 11},
        "context": {"triggerKind": 1},
    }
    with running(environment, "--log-file", str(log)) as server:
        server.send(
            initialize(initializationOptions={"fim": {"endpoint": model.url}}),
            notification("initialized", {}),
            notification("textDocument/didOpen", {"textDocument": document}),
            notification("textDocument/inlineCompletion", caret) | {"id": 3},
        )
        assert server.answer(3)["result"]["items"][0]["insertText"] == "generated_text"
        server.send(STATUS | {"id": 4, "params": {"command": "caret.accepted", "arguments": []}})
        server.answer(4)
        server.stdin.close()
        server.wait()
        assert server.process.stderr
        assert server.process.stderr.read() == b""
    assert "accepted: 1" in log.read_text()
    assert "-text" not in log.read_text()
