"""Work that grows with a document is done on threads, and one parse lets others run."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from lsprotocol import types

from engine.api import ChatRequest, Piece
from lsp_server import draft, exclusion
from lsp_server.actions import actions
from lsp_server.completion import Completer, Query
from lsp_server.configuration import Configuration
from lsp_server.context import Site
from lsp_server.documents import Document
from lsp_server.gitignore import pattern_of
from lsp_server.handlers import code_action, create_server
from lsp_server.incoming import decoded
from lsp_server.instruct import syntax
from lsp_server.instruct.ask import Ask
from lsp_server.instruct.assistant import Assistant
from lsp_server.instruct.commands import COMMANDS
from lsp_server.instruct.place import Place
from lsp_server.notebooks import Notebooks
from lsp_server.policy import placed, withheld
from lsp_server.postprocess import polish
from lsp_server.settings import InstructSettings, Settings
from lsp_server.snapshot import EditorSnapshot
from lsp_server.workspace.grammars import parser
from tests.pipe import INITIALIZE, notification
from tests.steps import steps

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from lsp_server.incoming import Incoming
    from lsp_server.server import CaretServer

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


async def test_a_suggestion_is_polished_on_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rules parse the window around it several times."""
    used: list[bool] = []

    def noted(text: str, place: Any) -> str:
        used.append(threading.current_thread() is threading.main_thread())
        return polish(text, place)

    monkeypatch.setattr(draft, "polish", noted)

    async def pieces(*_: object, **__: object) -> AsyncGenerator[Piece, None]:
        yield Piece("sum(prices)\n", finish_reason="stop")

    completer = Completer(SimpleNamespace(complete=pieces))
    query = Query(URI, Site("total = ", "", "python"), invoked=True, choices=2)
    assert await completer.suggest(query, Settings()) == ["sum(prices)"]
    assert len(used) > 1  # also of those beside the best one
    assert not any(used)


def incoming(server: CaretServer, method: str, params: Any) -> Incoming:
    return server.protocol.parse(json.dumps(notification(method, params)).encode())


async def test_long_messages_are_dealt_with_on_threads() -> None:
    """One after the other: an edit is made of the text that is opened before."""
    server = create_server()
    server.protocol.set_writer(SimpleNamespace(write=lambda _: None))
    server.protocol.receive(server.protocol.parse(json.dumps(INITIALIZE).encode()))
    item = {"uri": URI, "languageId": "python", "version": 1, "text": "x = 1\n" * 200_000}
    at = {"line": 7, "character": 0}
    changes = [{"range": {"start": at, "end": at}, "text": "y"}] * 300
    document = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": changes}
    sent = {"textDocument/didOpen": {"textDocument": item}, "textDocument/didChange": document}
    messages = [incoming(server, *message) for message in sent.items()]
    told: list[object] = []
    server.protocol.on_edit = lambda _, edit: told.append(edit)

    server.protocol.receive(messages[0])
    assert URI not in server.protocol.documents
    await server.protocol.edited()
    server.protocol.receive(messages[1])
    before = server.protocol.documents[URI]
    assert before.lines[7] == "x = 1\n"
    await server.protocol.edited()
    assert server.protocol.documents[URI].lines[7] == f"{'y' * 300}x = 1\n"
    assert before.lines[7] == "x = 1\n"
    assert told == [None, None]


def test_what_has_no_handler_is_not_read() -> None:
    server = create_server()
    deep = [{"a": 1}] * 1_000
    assert incoming(server, "no/such", deep).structured is None
    shown = incoming(server, "textDocument/didShowCompletion", {"item": deep}).structured
    assert shown.params.item[999].a == 1

    def work(number: int) -> int:
        params = {"item": deep * number}
        return steps(lambda: incoming(server, "textDocument/didShowCompletion", params))

    assert work(2) < 2.2 * work(1) < 2.2 * 5 * len(deep)


def test_lists_of_long_messages_are_decoded_step_by_step() -> None:
    """The decoder in C would let no other thread run before its end."""
    numbers = f"[{'0,' * 5_000}0]".encode()
    short = steps(lambda: decoded(numbers))
    assert short < 100
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lsp_server.incoming._LONG", 1_000)
        assert steps(lambda: decoded(numbers)) > 5_000
        assert decoded(b'{"id": [1, "\\n", {"a": null}]}' + b" " * 1_000) == {
            "id": [1, "\n", {"a": None}]
        }


def test_a_batch_of_many_is_refused_as_one() -> None:
    server = create_server()
    sent: list[bytes] = []
    server.protocol.set_writer(SimpleNamespace(write=sent.append))
    server.protocol.receive(
        server.protocol.parse(json.dumps([{"id": n} for n in range(5_000)]).encode())
    )
    assert len(sent) == 1


async def test_others_go_on_amid_the_changes_of_a_notebook() -> None:
    server = create_server()
    server.protocol.set_writer(SimpleNamespace(write=lambda _: None))
    server.protocol.receive(server.protocol.parse(json.dumps(INITIALIZE).encode()))
    uris = [f"cell:{n}" for n in range(250)]
    server.protocol.documents |= {uri: Document.open("/w/n.ipynb", "python", "") for uri in uris}
    texts = [{"document": {"uri": uri, "version": 2}, "changes": [{"text": "x"}]} for uri in uris]
    notebook = {"uri": "file:///w/n.ipynb", "version": 2}
    params = {"notebookDocument": notebook, "change": {"cells": {"textContent": texts}}}
    server.protocol.receive(incoming(server, "notebookDocument/didChange", params))
    changed = [document.lines for document in server.protocol.documents.values()]
    assert 0 < changed.count(["x"]) < 250
    await server.protocol.edited()
    assert all(document.lines == ["x"] for document in server.protocol.documents.values())


async def test_few_of_many_diagnostics_are_offered() -> None:
    snapshot = EditorSnapshot(documents={URI: Document.open("/w/a.py", "python", TEXT)})
    at = types.Range(types.Position(1, 0), types.Position(1, 0))
    found = [types.Diagnostic(at, f"undefined name {n}") for n in range(5_000)]
    params = types.CodeActionParams(
        types.TextDocumentIdentifier(URI), at, types.CodeActionContext(found)
    )
    offered = actions(params, snapshot, types.ClientCapabilities())
    assert len(offered) < 50
    assert sum(len(action.diagnostics or ()) for action in offered) < 200


def test_the_folders_of_a_workspace_are_looked_at_once() -> None:
    def work(number: int) -> int:
        roots = [f"/w/{n}" for n in range(number)]
        return steps(lambda: [placed(f"/w/7/{n}.py", roots) for n in range(200)])

    assert placed("/w/7/a.py", ["/w", "/w/7/"]) == "/w/7/a.py"
    assert work(400) < 2 * work(40)
