"""Caret where nothing can be kept: no home folder, and no entry in the list of users."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.command import caret
from tests.pipe import initialize, notification, read, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lsp_server.conftest import ModelServer

_NOBODY = """
import pwd
def getpwuid(uid):
    raise KeyError(uid)
pwd.getpwuid = getpwuid
"""


@pytest.fixture(scope="module")
def homeless(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a container that runs as an arbitrary user."""
    folder = tmp_path_factory.mktemp("nobody")
    (folder / "sitecustomize.py").write_text(_NOBODY)
    kept = {"PATH": os.environ["PATH"], "TMPDIR": str(folder), "PYTHONPATH": str(folder)}
    return kept | {"HOME": ""}


def test_it_completes_and_says_once_what_is_lost(
    homeless: dict[str, str], tmp_path: Path, model: ModelServer
) -> None:
    model.answer = lambda _: ["generated"]
    document = {"uri": "file:///w/a.py", "languageId": "python", "version": 1, "text": "x = "}
    caret_at = {
        "textDocument": {"uri": "file:///w/a.py"},
        "position": {"line": 0, "character": 4},
        "context": {"triggerKind": 1},
    }
    shown = []
    with running(homeless) as server:
        server.send(
            initialize(
                rootUri=tmp_path.as_uri(), initializationOptions={"fim": {"endpoint": model.url}}
            ),
            notification("initialized", {}),
            notification("textDocument/didOpen", {"textDocument": document}),
            notification("textDocument/inlineCompletion", caret_at) | {"id": 3},
        )
        while (message := read(server.stdout)).get("id") != 3:
            if message.get("method") == "window/showMessage":
                shown.append(message["params"]["message"])
        assert message["result"]["items"][0]["insertText"] == "generated"
        server.send({"jsonrpc": "2.0", "id": 4, "method": "shutdown"})
        assert server.answer(4)["result"] is None
        server.send(notification("exit", None))
        assert server.wait() == 0
        assert server.process.stderr
        assert server.process.stderr.read() == b""
    assert len(shown) == 1
    assert "no home folder" in shown[0]
    assert "statistics, accepted licences and packed weights are not kept" in shown[0]


@pytest.mark.parametrize("command", ["stats", "models", "pull qwen2.5-coder-0.5b", "doctor"])
def test_commands_say_a_sentence(homeless: dict[str, str], tmp_path: Path, command: str) -> None:
    done = caret(*command.split(), environment=homeless, cwd=tmp_path)
    assert done.returncode == 1
    assert "no home folder" in done.stderr
    assert "CARET_HOME" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
