"""A request reads one state of the editor, taken once the settings are known."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.pipe import initialize, notification, read, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lsp_server.conftest import ModelServer
    from tests.pipe import Server

ASKED = {"workspace": {"configuration": True, "applyEdit": True}}
URI = "file:///w/secret.py"
BY_HAND, AUTOMATIC = 1, 2


class Client:
    """Answers `workspace/configuration` when a test says so, not before."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.answers: dict[Any, dict[str, Any]] = {}
        self.asking: list[Any] = []
        """Requests for the configuration that wait for their answer."""

    def request(self, number: int, method: str, params: object) -> None:
        self.server.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})

    def notify(self, method: str, params: object) -> None:
        self.server.send(notification(method, params))

    def complete(self, number: int, kind: int = BY_HAND, uri: str = URI) -> None:
        place = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 9}}
        params = place | {"context": {"triggerKind": kind}}
        self.request(number, "textDocument/inlineCompletion", params)

    def command(self, number: int, name: str, argument: object = None) -> None:
        params = {"command": f"caret.{name}", "arguments": [argument] if argument else []}
        self.request(number, "workspace/executeCommand", params)

    def open(self, text: str = "hidden = \n", uri: str = URI) -> None:
        item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def until_asked(self) -> None:
        while not self.asking:
            self._read()

    def configure(self, section: object) -> None:
        """Answer the oldest request for the configuration."""
        self.until_asked()
        answer = {"jsonrpc": "2.0", "id": self.asking.pop(0), "result": [section]}
        self.server.send(answer)

    def answer(self, number: int) -> dict[str, Any]:
        while number not in self.answers:
            self._read()
        return self.answers.pop(number)

    def items(self, number: int) -> list[Any]:
        items: list[Any] = self.answer(number)["result"]["items"]
        return items

    def _read(self) -> None:
        message = read(self.server.stdout)
        if message.get("method") == "workspace/configuration":
            self.asking.append(message["id"])
        elif "method" not in message:
            self.answers[message["id"]] = message


@contextmanager
def client(environment: dict[str, str], options: object = None) -> Iterator[Client]:
    with running(environment) as server:
        server.send(initialize(capabilities=ASKED, initializationOptions=options))
        server.answer(1)
        yield Client(server)


def excluding(model: ModelServer) -> dict[str, Any]:
    return {
        "fim": {"endpoint": model.url},
        "instruct": {"endpoint": model.url},
        "privacy": {"exclude": ["secret.py"]},
    }


def test_what_comes_before_the_settings_waits_for_them(
    environment: dict[str, str], model: ModelServer
) -> None:
    with client(environment) as editor:
        editor.open()
        editor.open("others = \n", "file:///w/a.py")
        editor.complete(4)
        editor.notify("initialized", {})
        editor.complete(5)
        editor.complete(6, AUTOMATIC, uri="file:///w/a.py")
        editor.command(7, "explain", {"textDocument": {"uri": URI}})
        assert editor.items(6) == []  # before the settings are known, nobody waits for it
        editor.complete(8, uri="file:///w/a.py")
        editor.configure(excluding(model))
        assert editor.items(4) == editor.items(5) == []
        assert "caret.privacy.exclude" in editor.answer(7)["error"]["message"]
        assert "ab" in [item["insertText"] for item in editor.items(8)]
        assert not any("hidden" in str(request) for request in model.requests)


def test_settings_in_question_hold_a_request(
    environment: dict[str, str], model: ModelServer
) -> None:
    with client(environment, {"fim": {"endpoint": model.url}}) as editor:
        editor.open()
        editor.notify("initialized", {})
        editor.configure({})
        editor.complete(3)
        assert editor.items(3)
        asked = len(model.requests)
        editor.notify("workspace/didChangeConfiguration", {"settings": None})
        editor.complete(4, AUTOMATIC)
        editor.until_asked()
        document = {"uri": URI, "version": 2}
        change = {"textDocument": document, "contentChanges": [{"text": "bbbbbb = "}]}
        editor.complete(5)
        editor.notify("textDocument/didChange", change)
        editor.complete(6)
        editor.configure({"privacy": {"exclude": ["secret.py"]}})
        assert [editor.items(number) for number in (4, 5, 6)] == [[], [], []]
        assert len(model.requests) == asked


@pytest.mark.parametrize("answer", [None, {}])
def test_settings_that_were_removed_do_not_stay(
    environment: dict[str, str], model: ModelServer, answer: object
) -> None:
    with client(environment, {"fim": {"endpoint": model.url}}) as editor:
        editor.open()
        editor.notify("initialized", {})
        editor.configure({"completion": {"enable": False}})
        editor.complete(3)
        assert editor.items(3) == []
        editor.notify("workspace/didChangeConfiguration", {"settings": None})
        editor.configure(answer)
        editor.complete(4)
        assert editor.items(4)
