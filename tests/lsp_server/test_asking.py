"""Which documents a command may be about, and what else is read for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from engine.errors import RequestError
from lsp_server.arguments import Arguments, parse
from lsp_server.asking import ask_of, grounds_of
from lsp_server.documents import Document
from lsp_server.instruct.commands import COMMANDS
from lsp_server.settings import InstructSettings, Settings
from lsp_server.snapshot import EditorSnapshot
from lsp_server.workspace.link import Link

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "a = '😀'\r\nb = 2\r\n"


def view(
    root: Path, name: str, text: str = TEXT, settings: Settings | None = None
) -> EditorSnapshot:
    path = f"{root.as_posix()}/{name}"
    document = Document.open(path, "python", text, 3)
    return EditorSnapshot(
        settings or Settings(), [root.as_posix()], documents={f"file://{path}": document}
    )


def arguments(root: Path, name: str, **more: Any) -> Arguments:
    return replace(Arguments(uri=f"file://{root.as_posix()}/{name}"), **more)


def test_a_range_counts_as_the_client_does(tmp_path: Path) -> None:
    at = types.Range(types.Position(0, 5), types.Position(0, 7))
    wanted = arguments(tmp_path, "a.py", range=at)
    place = ask_of(COMMANDS["explain"], wanted, view(tmp_path, "a.py")).place
    assert place
    assert (place.path, place.root, place.selected) == ("a.py", tmp_path.as_posix(), "😀")
    assert place.text == "a = '😀'\nb = 2\n"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (".env", TEXT, "caret.privacy.exclude has .env"),
        ("deep/id_rsa", TEXT, "caret.privacy.exclude"),
        ("private/a.py", TEXT, ".caretignore has it"),
        ("a.py", "a\0", "the file is binary"),
    ],
)
def test_a_document_that_is_kept_out_is_refused(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / ".caretignore").write_text("private/\n")
    with pytest.raises(RequestError, match=said):
        ask_of(COMMANDS["explain"], arguments(tmp_path, name), view(tmp_path, name, text))


def test_another_version_is_refused(tmp_path: Path) -> None:
    here, name = view(tmp_path, "a.py"), COMMANDS["fix"]
    assert ask_of(name, arguments(tmp_path, "a.py", version=3), here)
    with pytest.raises(RequestError, match="changed"):
        ask_of(name, arguments(tmp_path, "a.py", version=2), here)
    with pytest.raises(RequestError, match="not open"):
        ask_of(name, arguments(tmp_path, "b.py"), here)


async def test_no_other_file_is_read_for_a_server_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("def f():\n    return g()\n")
    output = f'Traceback (most recent call last):\n  File "{tmp_path}/other.py", line 2, in f\nE'
    wanted = replace(arguments(tmp_path, "a.py"), text=output)
    link = Link(lambda *_: None)
    for endpoint, frames in (("", 1), ("http://gpu-box:8000", 0)):
        settings = Settings(instruct=InstructSettings(endpoint=endpoint))
        here = view(tmp_path, "a.py", TEXT, settings)
        ask = ask_of(COMMANDS["debug"], wanted, here)
        assert len((await grounds_of(here, link).gather(ask)).excerpts) == frames


def test_arguments_as_editors_send_them() -> None:
    diagnostic = {
        "range": {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 2}},
        "message": "wrong",
        "source": "x",
        "data": {"own": [1]},
    }
    given = {
        "textDocument": {"uri": "file:///a", "version": 4},
        "range": diagnostic["range"],
        "diagnostics": [diagnostic],
        "partialResultToken": 7,
        "apply": False,
    }
    read = parse([given])
    assert (read.uri, read.version, read.token, read.apply) == ("file:///a", 4, 7, False)
    assert read.diagnostics[0].message == "wrong"
    assert read.range == read.diagnostics[0].range
    assert parse(None) == parse([{}]) == Arguments()


@pytest.mark.parametrize(
    "given",
    [
        3,
        {"textDocument": "a"},
        {"textDocument": {"uri": 3}},
        {"range": {"start": 1}},
        {"instruction": 3},
        {"partialResultToken": {}},
    ],
)
def test_arguments_of_another_form_are_refused(given: object) -> None:
    with pytest.raises(JsonRpcInvalidParams):
        parse([given])


async def test_no_text_comes_of_an_open_link_to_a_secret(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TOKEN=1\n" * 5)
    (tmp_path / "notes.py").symlink_to(".env")
    here = view(tmp_path, "a.py")
    link = Document.open(
        f"{tmp_path}/notes.py", "python", "TOKEN=1\n" * 5, others=(f"{tmp_path}/.env",)
    )
    here = replace(here, documents={**here.documents, f"file://{tmp_path}/notes.py": link})
    output = f'Traceback (most recent call last):\n  File "{tmp_path}/notes.py", line 2, in f\nE'
    ask = ask_of(COMMANDS["debug"], replace(arguments(tmp_path, "a.py"), text=output), here)
    assert not (await grounds_of(here, Link(lambda *_: None)).gather(ask)).excerpts
