"""A second language server, python-lsp-server, which finds faults as it would beside Caret.

Over the bare pipe: lsprotocol cannot read what it answers to `initialize`.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from lsprotocol.converters import get_converter

from tests.pipe import frame, notification, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CONVERTER = get_converter()


class Other:
    """Its client."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin
        assert process.stdout
        self._stdin, self._stdout = process.stdin, process.stdout
        self._versions = itertools.count(1)

    def send(self, message: dict[str, Any]) -> None:
        self._stdin.write(frame(json.dumps(message).encode()))
        self._stdin.flush()

    def initialize(self, folder: Path) -> None:
        params: dict[str, Any] = {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}}
        self.send({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
        while read(self._stdout).get("id") != 1:
            pass
        self.send(notification("initialized", {}))

    def diagnostics(self, uri: str, text: str) -> list[types.Diagnostic]:
        """What pyflakes finds in a text."""
        document = {"uri": uri, "languageId": "python", "text": text}
        document["version"] = next(self._versions)  # type: ignore[assignment]  # a number
        self.send(notification("textDocument/didOpen", {"textDocument": document}))
        while True:
            message = read(self._stdout)
            told = message.get("params") or {}
            if message.get("method") == "textDocument/publishDiagnostics" and told["uri"] == uri:
                found = _CONVERTER.structure(told["diagnostics"], list[types.Diagnostic])
                break
        self.send(notification("textDocument/didClose", {"textDocument": {"uri": uri}}))
        return [diagnostic for diagnostic in found if diagnostic.source == "pyflakes"]


@contextmanager
def another_server(folder: Path) -> Iterator[Other]:
    """python-lsp-server over stdio, for a folder."""
    command = [sys.executable, "-m", "pylsp"]
    pipe, null = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=null) as process:
        other = Other(process)
        other.initialize(folder)
        yield other
        process.kill()
