"""Asking the real index process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psutil
import pytest

from lsp_server.context import Site
from lsp_server.settings import Settings
from lsp_server.snapshot import EditorSnapshot
from lsp_server.workspace import link as link_module
from lsp_server.workspace.link import Link
from lsp_server.workspace.outbox import Outbox
from lsp_server.workspace.process import Inbox
from lsp_server.workspace.wanted import Wanted
from tests.desk import at_hand
from tests.traps import Traps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE_S = 60.0
LEDGER = "class Ledger:\n    def balance(self) -> int:\n        return 1\n"
MAIN = "from ledger import Ledger\n\nx = Ledger()\nx."


async def test_the_index_runs_nothing_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traps = Traps(tmp_path / "workspace")
    monkeypatch.chdir(traps.folder)
    monkeypatch.setenv("PYTHONPATH", ".")
    link = Link(lambda *_: None)
    try:
        await link.use(EditorSnapshot(Settings(), [traps.folder.as_posix()]))
        async with asyncio.timeout(PATIENCE_S):
            while link.files is None:
                await asyncio.sleep(0.01)
    finally:
        await link.aclose()
    assert link.files is None
    assert traps.snapped == []


async def test_members_are_asked_for_beside_definitions(tmp_path: Path) -> None:
    (tmp_path / "ledger.py").write_text(LEDGER)
    root = tmp_path.as_posix()
    wanted = at_hand(Site(MAIN, "", "python", "main.py"), MAIN.splitlines(keepends=True))
    link = Link(lambda *_: None)
    assert await link.members(root, wanted, PATIENCE_S) == []
    try:
        await link.use(EditorSnapshot(Settings(), [root]))
        async with asyncio.timeout(PATIENCE_S):
            while link.files is None:
                await asyncio.sleep(0.01)
        asked = link.ask(root, wanted, PATIENCE_S), link.members(root, wanted, PATIENCE_S)
        definitions, members = await asyncio.gather(*asked)
        assert [item.brief for item in members] == ["class Ledger: # balance()"]
        assert definitions != members
        assert await link.members(root, wanted, 0) == []
    finally:
        await link.aclose()


def children() -> list[psutil.Process]:
    return psutil.Process().children()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.01)


def about(name: str) -> Wanted:
    return Wanted("python", "main.py", {name: 1.0}, (), (), (), ())


async def test_whatever_is_changed_at_once_there_is_one_process(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
        (folder / "a.py").write_text(f"def in_{folder.name}(): pass\n")
    link = Link(lambda *_: None)
    used = [EditorSnapshot(Settings(), [folder.as_posix()]) for folder in folders]
    before = len(children())
    try:
        for _ in range(3):
            await asyncio.gather(*map(link.use, used))
        await until(lambda: link.files is not None)
        assert len(children()) == before + 1
        found = await link.ask(folders[-1].as_posix(), about("in_c"), PATIENCE_S)
        assert [item.path for item in found] == ["a.py"]
        await asyncio.gather(link.use(used[0]), link.aclose(), link.use(used[1]))
    finally:
        await link.aclose()
    assert len(children()) == before
    await link.use(used[0])
    assert not link.building


async def test_deaths_are_counted_and_three_in_a_row_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "_AGAIN_S", 0.001)
    monkeypatch.setenv("CARET_HOME", str(tmp_path / "home"))
    (tmp_path / "a.py").write_text("def on_disk(): pass\n")
    root, told = tmp_path.as_posix(), list[str]()
    link = Link(lambda *_: None, told.append)
    before = set(children())
    try:
        await link.use(EditorSnapshot(Settings(), [root]))
        link.opened(root, "a.py", "def in_editor(): pass\n")
        for deaths in range(4):
            assert link.deaths == deaths
            await until(lambda: link.files is not None)
            found = await link.ask(root, about("in_editor"), PATIENCE_S)
            assert [item.path for item in found] == ["a.py"]
            [process] = set(children()) - before
            process.kill()
            await until(lambda: link.files is None)
        assert "was ended by SIGKILL" in link.reason
        [message] = told
        assert "3 times in a row" in message
        assert "SIGKILL" in message
        assert (tmp_path / "home" / "log" / "index.log").exists()
    finally:
        await link.aclose()


async def test_a_process_that_does_not_read_gets_the_newest_text_alone(tmp_path: Path) -> None:
    root = tmp_path.as_posix()
    link = Link(lambda *_: None)
    before = set(children())
    try:
        await link.use(EditorSnapshot(Settings(), [root]))
        await until(lambda: link.files is not None)
        [process] = set(children()) - before
        process.suspend()
        for number in range(50):
            link.opened(root, "a.py", f"def f{number}(): pass\n" + "#" * 200_000)
            assert await link.ask(root, about("f49"), 0.001) == []
        process.resume()
        async with asyncio.timeout(PATIENCE_S):
            while not await link.ask(root, about("f49"), PATIENCE_S):
                pass
        assert await link.ask(root, about("f48"), PATIENCE_S) == []
    finally:
        await link.aclose()


async def test_of_messages_with_one_key_the_newest_is_sent() -> None:
    outbox = Outbox()
    for number in range(1_000):
        outbox.put("a", {"text": number})
        outbox.put(number, {"id": number})
        outbox.drop(number)
    outbox.put("b", {"text": "b"})
    assert len(outbox) == 2
    outbox.restart({"roots": []})
    assert [await outbox.take() for _ in range(3)] == [{"roots": []}, {"text": 999}, {"text": "b"}]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await outbox.take()


def test_of_texts_that_the_index_has_yet_to_read_the_newest_is_read() -> None:
    inbox = Inbox()
    for number in range(1_000):
        inbox.put({"open": "a.py", "root": "/w", "text": number})
        inbox.put({"open": "b.py", "root": "/w", "text": number})
    inbox.put({"ask": {}, "root": "/w", "id": 1})
    inbox.put({"close": "b.py", "root": "/w"})
    inbox.put({"ask": {}, "root": "/w", "id": 2})
    inbox.put({"open": "a.py", "root": "/v", "text": 0})
    taken = [inbox.take(0) for _ in range(6)]
    assert [(each.get("root"), each.get("text"), each.get("id")) for each in taken] == [
        ("/w", 999, None),
        ("/w", None, None),  # of b.py, which is closed
        ("/w", None, 1),
        ("/w", None, 2),
        ("/v", 0, None),
        (None, None, None),
    ]
