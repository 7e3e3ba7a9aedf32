"""Gathering with the real index process over real files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest
from lsprotocol import types

from lsp_server.context import site_at
from lsp_server.notebooks import Notebooks
from lsp_server.policy import path_of
from lsp_server.settings import Settings, read_settings
from lsp_server.snapshot import EditorSnapshot
from lsp_server.workspace import gather as gather_module
from lsp_server.workspace.gather import PAUSE_S, REACH
from lsp_server.workspace.recent import Spot
from tests.desk import PATIENCE_S, at_desk

if TYPE_CHECKING:
    from pathlib import Path

    from engine.api import Snippet
    from lsp_server.documents import Document

HELPER = "def frobnicate(widget: int) -> int:\n    return widget\n"
MAIN = "from helper import frobnicate\n\n\nx = frobnicate(\n" + "y = 1\n" * 100


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the deadline would decide, which one test below is about."""
    monkeypatch.setattr(gather_module, "DEADLINE_S", PATIENCE_S)


def shown(context: tuple[Snippet, ...]) -> dict[str, str]:
    return {snippet.path: snippet.text for snippet in context}


async def test_a_definition_in_another_file(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(HELPER)
    async with at_desk(tmp_path) as desk:
        desk.open("main.py", MAIN)
        assert shown(await desk.gather("main.py", 3, 15)) == {"helper.py": HELPER.rstrip()}


async def test_typing_gathers_nothing_and_a_new_place_does(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        document = desk.open("main.py", MAIN)
        first = await desk.gather("main.py", 3)
        desk.open("other.py", HELPER)
        desk.recent.edited(desk.uri("other.py"), 1, 1, 1)
        document.edit((3, 0), (3, 0), "z = 1\n")
        assert await desk.gather("main.py", 4) is first
        assert await desk.gather("main.py", 3 + REACH) is first
        assert "other.py" in shown(await desk.gather("main.py", 4 + REACH))


async def test_a_pause_gathers_anew(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        desk.open("main.py", MAIN)
        desk.open("other.py", HELPER)
        assert await desk.gather("main.py", 3) == ()
        desk.recent.edited(desk.uri("other.py"), 1, 1, 1)
        desk.clock = PAUSE_S
        assert await desk.gather("main.py", 3) == ()
        desk.clock = 2 * PAUSE_S + 1
        assert "other.py" in shown(await desk.gather("main.py", 3))


async def test_a_new_import_gathers_anew_once_it_is_left(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(HELPER)
    async with at_desk(tmp_path) as desk:
        document = desk.open("main.py", "import os\n\nx = 1\ny = 2\n")
        first = await desk.gather("main.py", 2)
        assert first == ()
        document.edit((1, 0), (1, 0), "from helper import frobnicate")
        assert await desk.gather("main.py", 1, 29) is first
        document.edit((1, 29), (1, 29), "\n")
        second = await desk.gather("main.py", 2)
        assert shown(second) == {"helper.py": HELPER.rstrip()}
        document.edit((1, 0), (2, 0), "")
        assert await desk.gather("main.py", 3) is second


async def test_secrets_never_come_along(tmp_path: Path) -> None:
    (tmp_path / ".caretignore").write_text("private/\n")
    async with at_desk(tmp_path) as desk:
        desk.open("main.py", MAIN)
        for path in (".env", "private/plans.py", "binary.py", "open.py"):
            text = "\0" if path == "binary.py" else f"TOKEN_OF_{path} = 1\n"
            desk.open(path, text)
            desk.recent.edited(desk.uri(path), 0, 0, 1)
        assert list(shown(await desk.gather("main.py", 3))) == ["open.py"]


async def test_a_repositorys_caretignore_counts_in_a_folder_of_it_and_beside_it(
    tmp_path: Path,
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".caretignore").write_text("secret.py\n")
    (tmp_path / "app").mkdir()
    async with at_desk(tmp_path / "app") as desk:
        desk.open("main.py", MAIN)
        for path in ("secret.py", "../secret.py", "../open.py"):
            desk.open(path, "TOKEN = 1\n")
            desk.recent.edited(desk.uri(path), 0, 0, 1)
        assert list(shown(await desk.gather("main.py", 3))) == ["open.py"]


def notebook(folder: Path, **cells: str) -> tuple[dict[str, Document], Notebooks]:
    """Its cells as documents, by URIs that end in their names."""
    texts = [
        types.TextDocumentItem(f"cell:{folder.as_posix()}/a.ipynb#{name}", "python", 1, text)
        for name, text in cells.items()
    ]
    code = types.NotebookCellKind.Code
    uri = (folder / "a.ipynb").as_uri()
    kept = [types.NotebookCell(code, item.uri) for item in texts]
    book = types.NotebookDocument(uri, "jupyter-notebook", 1, kept)
    documents: dict[str, Document] = {}
    notebooks = Notebooks(documents, lambda uri: (path_of(uri),))
    notebooks.open(types.DidOpenNotebookDocumentParams(book, texts))
    return documents, notebooks


async def test_a_cell_knows_what_others_import_and_is_recent_at_its_own_line(
    tmp_path: Path,
) -> None:
    (tmp_path / "helper.py").write_text("def frobnicate(widget): ...\ndef idle(): ...\n")
    documents, notebooks = notebook(tmp_path, top="from helper import idle\n\n\n", own="x = 1")
    own = list(documents)[1]
    async with at_desk(tmp_path) as desk:
        view = replace(desk.view, documents=documents, notebooks=notebooks)
        lines, first = notebooks.lines(own)
        site = site_at(lines, first, 5, language="python", path="a.ipynb")
        found = shown(await desk.gatherer.gather(own, site, view))
        assert found["helper.py"].startswith("def idle")
        assert desk.recent.spots == [Spot(own, 0, edited=False)]


async def test_unsaved_text_reaches_the_index(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(HELPER)
    settings, _ = read_settings({"context": {"recent": False}})
    async with at_desk(tmp_path, settings) as desk:
        desk.open("main.py", MAIN)
        desk.open("helper.py", HELPER.replace("widget", "gadget"))
        desk.recent.edited(desk.uri("helper.py"), 0, 0, 1)
        await desk.gather("main.py", 90)
        assert "gadget: int" in shown(await desk.gather("main.py", 3))["helper.py"]


@pytest.mark.parametrize("off", ["definitions", "search", "recent"])
async def test_each_source_can_be_switched_off(tmp_path: Path, off: str) -> None:
    (tmp_path / "helper.py").write_text(HELPER)
    (tmp_path / "piece.py").write_text("# zygote quux\nvalue = 1\n")
    settings, problems = read_settings({"context": {off: False}})
    assert not problems
    async with at_desk(tmp_path, settings) as desk:
        desk.open("main.py", MAIN.replace("x =", "zygote = quux ="))
        desk.open("recent.py", "other = 1\n")
        desk.recent.edited(desk.uri("recent.py"), 0, 0, 1)
        files = {"definitions": "helper.py", "search": "piece.py", "recent": "recent.py"}
        found = shown(await desk.gather("main.py", 3))
        # What no definition tells of, a search may.
        expected = {name for source, name in files.items() if source != off}
        assert expected <= found.keys()
        assert files[off] not in found or off == "definitions"


async def test_the_deadline_is_kept_and_what_comes_late_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "helper.py").write_text(HELPER)
    async with at_desk(tmp_path) as desk:
        desk.open("main.py", MAIN)
        (process,) = _indexes()
        process.suspend()
        monkeypatch.setattr(gather_module, "DEADLINE_S", 0.02)
        assert await desk.gather("main.py", 3) == ()
        process.resume()
        monkeypatch.setattr(gather_module, "DEADLINE_S", PATIENCE_S)
        assert await desk.gather("main.py", 4) == ()
        assert "helper.py" in shown(await desk.gather("main.py", 80))


async def test_who_asks_by_hand_waits_for_a_late_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "helper.py").write_text(HELPER)
    monkeypatch.setattr(gather_module, "DEADLINE_S", 0.0)
    monkeypatch.setattr(gather_module, "INVOKED_DEADLINE_S", PATIENCE_S)
    async with at_desk(tmp_path) as desk:
        desk.open("main.py", MAIN)
        assert await desk.gather("main.py", 3) == ()
        assert "helper.py" in shown(await desk.gather("main.py", 80, invoked=True))


async def test_a_killed_index_leaves_the_rest_working(tmp_path: Path) -> None:
    async with at_desk(tmp_path) as desk:
        desk.open("main.py", MAIN)
        desk.open("recent.py", "other = 1\n")
        desk.recent.edited(desk.uri("recent.py"), 0, 0, 1)
        (process,) = _indexes()
        process.kill()
        assert list(shown(await desk.gather("main.py", 3))) == ["recent.py"]


async def test_the_process_ends_with_its_link(tmp_path: Path) -> None:
    async with at_desk(tmp_path):
        (process,) = _indexes()
    assert not process.is_running()


async def test_nothing_is_indexed_for_another_server_or_in_a_home_folder(tmp_path: Path) -> None:
    elsewhere, _ = read_settings({"fim": {"endpoint": "http://gpu-box:8000"}})
    async with at_desk(tmp_path, elsewhere):
        assert _indexes() == []
    home = EditorSnapshot(Settings(), [tmp_path.home().as_posix(), "/"])
    assert home.indexed == ()


def _indexes() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [child for child in children if "lsp_server.workspace.process" in child.cmdline()]
