"""Messages from a client that knows the protocol: valid ones, nearly valid ones, and garbage."""

from __future__ import annotations

import copy
import itertools
import json
from typing import TYPE_CHECKING, Any

from lsp_server.framing import frame
from lsp_server.greeting import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

LONG = "n" * 100_000
TEXTS = [
    "",
    "def area(r):\n    return \n",
    "größe = '😀'; grö\r\nx = '讷👩‍👩‍👧é̂ا'\r\n\r",
    "# TODO: write it\nclass A:\n\tpass\n",
    "\ufeffa\x0cb\u2028c\0d",
    "\ud800 alone \udfff",
    "{" * 3000,
    "x = 1\n" * 2000,
]
LANGUAGES = ["python", "typescript", "c++", "", "no such", "plaintext", "json"]
NUMBERS = [0, 0, 1, 2, 3, 7, 10, 99, 2**31 - 1]
ODD: list[Any] = [
    None, True, -1, 2**31, 2**53, 10**30, 1.5, 1e308, "", "x", "\ud800", LONG, [], {}, [None],
    {"uri": 5}, [[[[]]]], {"a": {"a": {"a": {}}}}, {"jsonrpc": "2.0", "id": 7, "method": "x"},
]  # fmt: skip
IDS: list[Any] = [-1, 1.0, 2.5, "a", "", "1", 2**70, None, True, [], {}, float("nan"), LONG]
NOTIFICATIONS = [
    "$/setTrace", "$/progress", "initialized", "no/such", "window/workDoneProgress/cancel",
    "workspace/didRenameFiles", "workspace/didChangeWatchedFiles", "telemetry/event",
]  # fmt: skip
REQUESTS = [
    "no/such", "$/odd", "textDocument/hover", "initialize", "textDocument/didOpen",
    "completionItem/resolve", "workspace/symbol", "textDocument/willSaveWaitUntil",
]  # fmt: skip
SHOWN = ["textDocument/didShowCompletion", "textDocument/didPartiallyAcceptCompletion"]
SECTIONS: list[Any] = [
    None, {}, 7, {"completion": {"enable": False}}, {"privacy": {"exclude": ["*.ts", "["]}},
]  # fmt: skip
INSERTED = ["", "x", "\n", "😀\r", "a\r\nb"]
HEADS = [
    b"content-length:%d\r\n\r\n",
    b"CONTENT-LENGTH : %d\n\n",
    b"Content-Type: application/vscode-jsonrpc; charset=utf8\r\nContent-Length: %d\r\n\r\n",
    b"X-Odd: 1\r\nContent-Length: 3\r\nContent-Length: %d\r\nnonsense\r\n\r\n",
    b"Content-Length: -5\r\n\r\nbetween\r\n\xff\x00\r\nContent-Length: %d\r\n\r\n",
    b"Content-Length: 99999999999999\r\n\r\nContent-Length: %d\r\n\r\n",
]
"""Beginnings of a message, of which all are understood."""


class Messages:
    """Makes them, the same ones for the same random numbers."""

    def __init__(self, random: Random, folder: str) -> None:
        self._random, self._ids = random, itertools.count(1000)
        self._uris = [
            f"file://{folder}/a.py", f"file://{folder}/b.ts", f"file://{folder}/.env",
            f"file://{folder}/a%20b%ff%zz.py", f"file://{folder}/%00", "untitled:Untitled-1", "",
            "vscode-notebook-cell:/n.ipynb#1", "vscode-notebook-cell:/n.ipynb#2", "file:///C%3A/x.py",
            "file:///c:/x.py", "file://[bad/x", f"file:///{LONG}", "http://host/a.py?b#c", "a b",
            "file://host/share/x.py", f"file://{folder}/../../etc/x.py", "file:",
        ]  # fmt: skip

    def valid(self) -> dict[str, Any]:
        """Return a message that a client could send, whatever it was told of documents."""
        kinds: list[Callable[[], dict[str, Any]]] = [
            self._open, self._open, self._change, self._change, self._change, self._close,
            self._inline, self._inline, self._menu, self._highlight, self._action, self._resolve,
            self._command, self._command, self._configure, self._folders, self._notebook,
            self._cells, self._cancel, self._other_notification, self._other_request, self._shown,
        ]  # fmt: skip
        return self._random.choice(kinds)()

    def nearly_valid(self) -> Any:
        """Return a valid message of which one or two things are wrong."""
        message: Any = copy.deepcopy(self.valid())
        for _ in range(self._random.choice([1, 1, 2])):
            self._spoil(message)
        return [message, self.valid()] if self._random.random() < 0.03 else message

    def garbage(self) -> bytes:
        """Return bytes that are no message of the protocol."""
        random = self._random
        bodies = [
            random.randbytes(random.randrange(60)),
            json.dumps(random.choice(ODD[:-1])).encode(),
            b"[" * random.choice([500, 100_000]),
            b'{"a":' * 5000,
            json.dumps({"jsonrpc": "2.0", "params": {}}).encode("utf-16"),
            b'{"jsonrpc": "2.0", "id": ' + b"9" * 5000 + b', "method": "shutdown"}',
            b'{"jsonrpc": "2.0", "method": "shutdown"',
        ]
        if random.random() < 0.5:
            return frame(random.choice(bodies))
        ping = b'{"jsonrpc": "2.0", "method": "$/ping"}'
        return random.choice(HEADS) % len(ping) + ping

    def _spoil(self, message: dict[str, Any]) -> None:
        holder, key = self._random.choice(list(_places(message)))
        way = self._random.random()
        if way < 0.3 and isinstance(holder, dict):
            del holder[key]
        elif key == "id" and way < 0.9:
            holder[key] = self._random.choice(IDS)
        else:
            holder[key] = copy.deepcopy(self._random.choice(ODD))

    def _request(self, method: str, params: object) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}

    def _notification(self, method: str, params: object) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "method": method, "params": params}

    def _pick(self, options: list[Any]) -> Any:
        return self._random.choice(options)

    def _uri(self) -> str:
        common = self._random.random() < 0.6
        return str(self._uris[0] if common else self._pick(self._uris))

    def _document(self) -> dict[str, Any]:
        return {"uri": self._uri()}

    def _position(self) -> dict[str, int]:
        return {"line": self._pick(NUMBERS), "character": self._pick(NUMBERS)}

    def _range(self) -> dict[str, Any]:
        return {"start": self._position(), "end": self._position()}

    def _item(self) -> dict[str, Any]:
        more = {"languageId": self._pick(LANGUAGES), "version": self._pick([1, -5, 2**31 - 1])}
        return self._document() | more | {"text": self._pick(TEXTS)}

    def _open(self) -> dict[str, Any]:
        return self._notification("textDocument/didOpen", {"textDocument": self._item()})

    def _edits(self) -> list[dict[str, Any]]:
        whole = {"text": self._pick(TEXTS)}
        parts = [
            {"range": self._range(), "rangeLength": 3, "text": self._pick(INSERTED)}
            for _ in range(self._random.randrange(4))
        ]  # fmt: skip
        return [*parts, whole] if self._random.random() < 0.2 else parts

    def _change(self) -> dict[str, Any]:
        changed = self._document() | {"version": self._pick([1, 0, -1, 7])}
        params = {"textDocument": changed, "contentChanges": self._edits()}
        return self._notification("textDocument/didChange", params)

    def _close(self) -> dict[str, Any]:
        return self._notification("textDocument/didClose", {"textDocument": self._document()})

    def _at(self) -> dict[str, Any]:
        return {"textDocument": self._document(), "position": self._position()}

    def _inline(self) -> dict[str, Any]:
        context = {"triggerKind": self._pick([1, 2])}
        if self._random.random() < 0.2:
            context["selectedCompletionInfo"] = {"range": self._range(), "text": "print"}
        return self._request("textDocument/inlineCompletion", self._at() | {"context": context})

    def _menu(self) -> dict[str, Any]:
        return self._request("textDocument/completion", self._at())

    def _highlight(self) -> dict[str, Any]:
        return self._request("textDocument/documentHighlight", self._at())

    def _diagnostics(self) -> list[dict[str, Any]]:
        return [
            {"range": self._range(), "message": self._pick(TEXTS), "code": self._pick([1, "E1"])}
        ]

    def _action(self) -> dict[str, Any]:
        only = self._pick([{}, {"only": []}, {"only": ["quickfix", "odd", ""]}])
        context = {"diagnostics": self._pick([[], self._diagnostics()])} | only
        params = {"textDocument": self._document(), "range": self._range(), "context": context}
        return self._request("textDocument/codeAction", params)

    def _argument(self) -> dict[str, Any]:
        return {
            "textDocument": self._document() | {"version": self._pick([None, 1, 7])},
            "range": self._range(),
            "diagnostics": self._pick([[], self._diagnostics()]),
            "instruction": self._pick(["", "make it short"]),
            "conversation": self._pick(["", "no such"]),
            "partialResultToken": self._pick([None, 7, "t"]),
            "apply": self._pick([True, False]),
        }

    def _resolve(self) -> dict[str, Any]:
        data = {"command": self._pick(["fix", "doc", "no such"]), "argument": self._argument()}
        return self._request("codeAction/resolve", {"title": "Fix", "data": data})

    def _command(self) -> dict[str, Any]:
        name = self._pick([*COMMANDS, "caret.no", "rm"])
        given = self._pick([[], [self._argument()], [self._argument()], [7], ["x", 1]])
        return self._request("workspace/executeCommand", {"command": name, "arguments": given})

    def _configure(self) -> dict[str, Any]:
        section = self._pick(
            [
                None,
                {},
                {"completion": {"enable": False}},
                {"privacy": {"exclude": ["*.ts", "["]}},
                7,
            ]
        )
        settings = self._pick([None, {"caret": section}, [], "x"])
        return self._notification("workspace/didChangeConfiguration", {"settings": settings})

    def _folders(self) -> dict[str, Any]:
        def some() -> list[dict[str, str]]:
            return [{"uri": self._uri(), "name": "n"} for _ in range(self._random.randrange(3))]

        event = {"added": some(), "removed": some()}
        return self._notification("workspace/didChangeWorkspaceFolders", {"event": event})

    def _notebook(self) -> dict[str, Any]:
        cells = [{"kind": 2, "document": self._uris[n]} for n in (7, 8)]
        notebook = {"uri": "file:///n.ipynb", "notebookType": "x", "version": 1, "cells": cells}
        if self._random.random() < 0.3:
            params = {"notebookDocument": notebook, "cellTextDocuments": [{"uri": self._uris[7]}]}
            return self._notification("notebookDocument/didClose", params)
        texts = [self._item() | {"uri": self._uris[n]} for n in (7, 8)]
        params = {"notebookDocument": notebook, "cellTextDocuments": texts}
        return self._notification("notebookDocument/didOpen", params)

    def _cells(self) -> dict[str, Any]:
        array = {"start": self._pick(NUMBERS), "deleteCount": self._pick(NUMBERS)}
        structure = {"array": array, "didOpen": [self._item()], "didClose": [self._document()]}
        content = [{"document": self._document() | {"version": 2}, "changes": self._edits()}]
        cells = self._pick([{"structure": structure}, {"textContent": content}, {}])
        notebook = {"uri": "file:///n.ipynb", "version": 2}
        params = {"notebookDocument": notebook, "change": {"cells": cells}}
        return self._notification("notebookDocument/didChange", params)

    def _cancel(self) -> dict[str, Any]:
        near = next(self._ids)
        return self._notification(
            "$/cancelRequest", {"id": self._pick([near - 1, near - 2, 5, "a"])}
        )

    def _other_notification(self) -> dict[str, Any]:
        return self._notification(self._pick(NOTIFICATIONS), self._pick(ODD))

    def _other_request(self) -> dict[str, Any]:
        return self._request(self._pick(REQUESTS), self._pick(ODD))

    def _shown(self) -> dict[str, Any]:
        name = self._pick(
            ["textDocument/didShowCompletion", "textDocument/didPartiallyAcceptCompletion"]
        )
        item = self._pick([{"command": {"arguments": ["1"]}}, {"command": 5}, {}, 7])
        return self._notification(name, {"item": item, "acceptedLength": self._pick(NUMBERS)})


def _places(value: Any) -> Any:
    """Give all places of a JSON value: a holder and the key in it."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)
