"""Whatever changes at any await of a request: nothing leaks or hangs, nothing stale is applied.

A client in the same process sends messages to the real server in an order that a seed decides:
requests of all kinds, and changes of settings, folders and documents. The model is a double at the
seam to the engine, which notes what it is sent, and answers when the seed lets it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from lsp_server import backend
from tests.changing import NAMES, Editor, Model
from tests.pipe import initialize

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

SEEDS = 40
STEPS = 80
DEADLINE_S = 60.0


async def ticks(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def session(editor: Editor) -> None:
    folder = editor.folder
    capabilities = {
        "workspace": {
            "configuration": True,
            "applyEdit": True,
            "workspaceEdit": {"documentChanges": True},
            "workspaceFolders": True,
        }
    }
    folders = [{"uri": folder.as_uri(), "name": "w"}]
    start = initialize(
        capabilities=capabilities, initializationOptions={}, workspaceFolders=folders
    )
    editor.request("initialize", start["params"], 1)
    editor.notify("initialized", {})
    happen: list[Callable[[], None]] = [
        *[editor.open_document] * 3,
        editor.close_document,
        *[editor.edit_document] * 2,
        *[editor.exclude] * 2,
        editor.move,
        editor.switch,
        editor.change_folders,
        *[editor.complete] * 5,
        *[editor.command] * 4,
        editor.action,
        editor.cancel,
        *[editor.answer] * 10,
        *[editor.go_on] * 14,
    ]
    for _ in NAMES:
        editor.open_document()
    for _ in range(STEPS):
        editor.random.choice(happen)()
        await ticks(editor.random.choice((0, 1, 3, 30)))
    await finished(editor)


async def finished(editor: Editor) -> None:
    """Everybody goes on; whoever waits has an answer then."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DEADLINE_S):
            while editor.open or editor.asked:
                editor.answer()
                editor.go_on()
                await asyncio.sleep(0.001)
    if editor.open:
        editor.faults.append(f"no answer to {sorted(editor.open)}")
    await editor.server.let_go()


async def played(seed: int, folder: Path, patch: pytest.MonkeyPatch) -> Editor:
    editor = Editor(seed, folder)
    patch.setattr(backend, "connect_to", lambda part, _: Model(editor, part))
    editor.start()
    await session(editor)
    return editor


def test_a_request_sees_one_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARET_HOME", str(tmp_path / "home"))
    (tmp_path / "w").mkdir()
    games = [asyncio.run(played(seed, tmp_path / "w", monkeypatch)) for seed in range(SEEDS)]
    assert {game.seed: game.faults for game in games if game.faults} == {}
    assert sum(game.sent for game in games) > SEEDS
    assert sum(game.applied for game in games) > SEEDS // 20
