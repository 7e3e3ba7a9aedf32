"""The answer to `initialize`, given before pygls and lsprotocol are imported.

That import takes half a second, which an editor would spend waiting. The answer hardly depends on
the question, so it is written down here; tests compare it with what pygls itself would answer.
The message is then handed on to the server, which takes it as if it had answered it.
"""

from __future__ import annotations

import json
import math
from typing import Any, BinaryIO
from urllib.parse import quote

from lsp_server import __version__
from lsp_server.framing import frame, read_message
from lsp_server.instruct.commands import IDS
from lsp_server.parent import is_visible

ENCODINGS = ("utf-8", "utf-16", "utf-32")
COMMANDS = ("caret.accepted", "caret.status", "caret.restartEngine", *IDS)
"""What `workspace/executeCommand` understands."""

MsgId = int | float | str
"""JSON has one kind of number, and some clients write 1.0 for 1."""


def greet(stdin: BinaryIO, stdout: BinaryIO) -> tuple[bytes | None, MsgId | None]:
    """Read the first message and answer it if it is a proper `initialize`.

    Returns its body, None at the end of the stream, and its id if it has been answered; its
    parameters are `readable` then.
    """
    body = read_message(stdin)
    message = _initialize(body or b"")
    if message is None:
        return body, None
    params = readable(message["params"])
    answer = {"id": message["id"], "jsonrpc": "2.0", "result": _result(params["capabilities"])}
    stdout.write(frame(json.dumps(answer).encode()))
    stdout.flush()
    return json.dumps(message | {"params": params}).encode(), message["id"]


def is_id(value: object) -> bool:
    """Return whether a request with this id can be answered."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int | str) and not isinstance(value, bool)


def readable(params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of `initialize` in one form, whichever its client has.

    There are always capabilities, of the encodings only the one that is used; the root is a
    folder like others; the editor's process is one that can be seen, or none.
    """
    capabilities = params.get("capabilities")
    capabilities = capabilities if isinstance(capabilities, dict) else {}
    general = {"positionEncodings": [_position_encoding(capabilities.get("general"))]}
    pid = params.get("processId")
    return params | {
        "capabilities": capabilities | {"general": general},
        "processId": pid if type(pid) is int and is_visible(pid) else None,
        "rootPath": None,
        "rootUri": None,
        "workspaceFolders": _folders(params),
    }


def _position_encoding(general: object) -> str:
    """Return the first encoding offered that Caret knows; UTF-16 if there is none."""
    offered = general.get("positionEncodings") if isinstance(general, dict) else None
    offered = offered if isinstance(offered, list) else []
    return next((name for name in offered if name in ENCODINGS), "utf-16")


def _folders(params: dict[str, Any]) -> list[dict[str, str]]:
    """Return the workspace's folders; where no list of them is given, its root is the only one."""
    given = params.get("workspaceFolders")
    listed = given if isinstance(given, list) else []
    uris = [folder.get("uri") for folder in listed if isinstance(folder, dict)]
    root, path = params.get("rootUri"), params.get("rootPath")
    if not listed:
        uris = [root or (f"file://{quote(path)}" if path and isinstance(path, str) else None)]
    return [{"uri": uri, "name": uri} for uri in uris if uri and isinstance(uri, str)]


def _initialize(body: bytes) -> dict[str, Any] | None:
    """Return the message if it is an `initialize` request that can be answered here."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or not isinstance(message.get("params"), dict):
        return None
    asks = message.get("jsonrpc") == "2.0" and message.get("method") == "initialize"
    return message if asks and is_id(message.get("id")) else None


def _result(capabilities: dict[str, Any]) -> dict[str, Any]:
    knows_notebooks = capabilities.get("notebookDocument") is not None
    notebooks = {"notebookDocumentSync": {"notebookSelector": [{"notebook": "*"}]}}
    return {
        "capabilities": (notebooks if knows_notebooks else {})
        | {
            "positionEncoding": capabilities["general"]["positionEncodings"][0],
            "textDocumentSync": {
                "openClose": True,
                "change": 2,
                "save": False,
            },
            "completionProvider": {},
            "documentHighlightProvider": True,
            "codeActionProvider": {
                "codeActionKinds": ["quickfix", "refactor.rewrite"],
                "resolveProvider": True,
            },
            "executeCommandProvider": {"commands": list(COMMANDS)},
            "inlineCompletionProvider": {},
            "workspace": {
                "workspaceFolders": {"supported": True, "changeNotifications": True},
                "fileOperations": {},
            },
        },
        "serverInfo": {"name": "caret", "version": __version__},
    }
