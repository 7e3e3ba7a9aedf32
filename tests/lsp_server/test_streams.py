"""An answer outlives editors that do not show it and servers that delete its file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest
from pygls.exceptions import JsonRpcException

from engine.paths import answers_dir
from lsp_server import streams
from lsp_server.streams import MarkdownFile

if TYPE_CHECKING:
    from pathlib import Path

    from lsprotocol import types
    from pygls.lsp.server import LanguageServer


class Refusing:
    """A client that shows nothing, or never says whether it does."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent

    async def window_show_document_async(self, _: types.ShowDocumentParams) -> None:
        if self._silent:
            await asyncio.Event().wait()
        raise JsonRpcException("no window")

    workspace_apply_edit_async = window_show_document_async


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARET_HOME", str(tmp_path))
    monkeypatch.setattr(streams, "_SHOW_S", 0.05)


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("opened", [None, "the beginning"])
async def test_an_editor_that_does_not_show_an_answer(silent: bool, opened: str | None) -> None:
    ls = cast("LanguageServer", Refusing(silent=silent))
    shown = MarkdownFile(ls, "Explain", lambda _: opened)
    shown.say("It adds ")
    for file in answers_dir().glob("*.md"):
        file.unlink()  # as another server does that has many answers
    await shown.end("It adds up.")
    (file,) = answers_dir().glob("*.md")
    assert file.read_text() == "# Explain\n\nIt adds up.\n"


async def test_a_file_that_another_server_deletes_first() -> None:
    for number in range(40):
        (answers_dir() / f"{number}.md").touch()
    (answers_dir() / "gone.md").symlink_to("nowhere")  # listed, but not there to be looked at
    shown = MarkdownFile(cast("LanguageServer", Refusing(silent=False)), "Fix", lambda _: None)
    await shown.end("Done.")
    assert len([file for file in answers_dir().glob("*.md") if file.exists()]) == 32


async def test_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> Path:
        raise OSError(28, "No space left on device")

    ls = cast("LanguageServer", Refusing(silent=False))
    monkeypatch.setattr(streams, "get_capability", lambda *_: True)
    monkeypatch.setattr(ls, "client_capabilities", None, raising=False)
    monkeypatch.setattr(streams, "answers_dir", full)
    await streams.stream(ls, None, "Fix", lambda _: None).end("Done.")
