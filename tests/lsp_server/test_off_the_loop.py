"""Work that grows with a document is done on threads, and one parse lets others run."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from lsprotocol import types

from engine.api import ChatRequest, Piece
from lsp_server import exclusion
from lsp_server.configuration import Configuration
from lsp_server.documents import Document
from lsp_server.gitignore import pattern_of
from lsp_server.handlers import code_action
from lsp_server.instruct import syntax
from lsp_server.instruct.ask import Ask
from lsp_server.instruct.assistant import Assistant
from lsp_server.instruct.commands import COMMANDS
from lsp_server.instruct.place import Place
from lsp_server.notebooks import Notebooks
from lsp_server.policy import withheld
from lsp_server.settings import InstructSettings
from lsp_server.snapshot import EditorSnapshot
from lsp_server.workspace.grammars import parser

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

URI = "file:///w/a.py"
TEXT = "def area(r):\n    return r\n"


@pytest.fixture
def parsing(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each use of a parser, whether it is on the event loop's thread."""
    used: list[bool] = []

    def noted(language: str) -> Any:
        used.append(threading.current_thread() is threading.main_thread())
        return parser(language)

    monkeypatch.setattr(syntax, "parser", noted)
    syntax.regions.cache_clear()
    return used


async def test_code_actions(parsing: list[bool]) -> None:
    snapshot = EditorSnapshot(documents={URI: Document.open("/w/a.py", "python", TEXT)})

    async def settled(*_: object, **__: object) -> EditorSnapshot:
        return snapshot

    at = types.Range(types.Position(1, 0), types.Position(1, 0))
    context = types.CodeActionContext([])
    params = types.CodeActionParams(types.TextDocumentIdentifier(URI), at, context)
    server: Any = SimpleNamespace(settled=settled, client_capabilities=types.ClientCapabilities())
    offered = await code_action(server, params)
    assert "Document `area` (Caret)" in [action.title for action in offered]
    assert parsing
    assert not any(parsing)


async def test_a_command(parsing: list[bool]) -> None:
    class Speaker:
        async def chat(self, _: ChatRequest) -> AsyncGenerator[Piece, None]:
            yield Piece("```python\ndef area(r):\n    return 3 * r\n```", finish_reason="stop")

    place = Place("a.py", "python", TEXT, (0, 0), (1, 5), "/w")
    ask = Ask(COMMANDS["refactor"], place)
    outcome = await Assistant(Speaker()).answer(ask, InstructSettings(), lambda _: None)
    assert outcome.change
    assert outcome.change.after == "def area(r):\n    return 3 * r\n"
    assert parsing
    assert not any(parsing)


def test_python_that_is_long_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own parser would stop all threads until it is done."""
    monkeypatch.setattr(syntax, "_python_complaints", None)
    long = "".join(f"def f{n}(a):\n    return a\n" for n in range(4_000))
    assert syntax.complaints(long, "python") == []
    assert syntax.complaints(f"{long}def g(:\n", "python") == ["line 8001: ) is missing"]
    (said,) = syntax.complaints(f"{long}é = ?\n", "python")
    assert said.startswith("line 8001: syntax error at ")
    assert [region.name for region in syntax.regions(long[:100_000], "python")][:2] == ["f0", "f1"]


def test_a_notebook_is_put_together_once_for_a_snapshot() -> None:
    cells = {f"cell:{n}": Document.open("/w/n.ipynb", "python", f"x = {n}\n") for n in range(3)}
    notebooks = Notebooks({}, lambda uri: (uri,))
    notebooks._cells["file:///w/n.ipynb"] = [*cells]
    snapshot = EditorSnapshot(documents=cells, notebooks=notebooks.copy(cells))
    assert snapshot.lines("cell:1")[0] is snapshot.lines("cell:1")[0]
    assert "x = 2\n" in snapshot.lines("cell:0")[0]
    assert notebooks.by_cell()["cell:2"] == "file:///w/n.ipynb"


async def test_settings_are_read_on_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until thousands of patterns are read, all that depends on them waits."""
    used: list[bool] = []

    def noted(text: str, **options: bool) -> Any:
        used.append(threading.current_thread() is threading.main_thread())
        return pattern_of(text, **options)

    monkeypatch.setattr(exclusion, "pattern_of", noted)
    folders = {f"file:///w/{n}": types.WorkspaceFolder(f"file:///w/{n}", "") for n in range(3)}
    workspace = SimpleNamespace(folders=folders)
    ls: Any = SimpleNamespace(client_capabilities=types.ClientCapabilities(), workspace=workspace)
    now = Configuration(ls, lambda _: None)
    now.changed({"caret": {"privacy": {"exclude": [f"read{n}/**" for n in range(600)]}}})
    assert not now.begun
    await now.known()
    assert withheld(Document.open("/w/1/read7/a.py", "", ""), now.settings, now.roots)
    now.changed({"caret": {"privacy": {"exclude": ["other"]}}})
    workspace.folders = {"file:///v": types.WorkspaceFolder("file:///v", "")}
    now.folders_changed()  # while the settings are being read
    await now.known()
    assert (now.roots, now.generation) == (("/v",), 2)
    assert len(used) > 600
    assert not any(used)
