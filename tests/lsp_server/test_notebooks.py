"""Cells of a notebook are completed as parts of it, over stdio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from lsprotocol import types

if TYPE_CHECKING:
    from tests.editor import Editor
    from tests.lsp_server.conftest import ModelServer

pytestmark = pytest.mark.asyncio(loop_scope="module")
NOTEBOOK = "file:///work/analysis.ipynb"
KIND = types.NotebookCellKind


def cell(name: str) -> str:
    return f"vscode-notebook-cell:/work/analysis.ipynb#{name}"


def opened(*cells: tuple[str, str, str]) -> types.DidOpenNotebookDocumentParams:
    """Cells of (name, language, text)."""
    kept = [types.NotebookCell(KIND.Code, cell(name)) for name, _, _ in cells]
    texts = [
        types.TextDocumentItem(cell(name), language, 1, text) for name, language, text in cells
    ]
    document = types.NotebookDocument(NOTEBOOK, "jupyter-notebook", 1, kept)
    return types.DidOpenNotebookDocumentParams(document, texts)


def changed(cells: types.NotebookDocumentCellChanges) -> types.DidChangeNotebookDocumentParams:
    notebook = types.VersionedNotebookDocumentIdentifier(version=2, uri=NOTEBOOK)
    change = types.NotebookDocumentChangeEvent(cells=cells)
    return types.DidChangeNotebookDocumentParams(notebook, change)


CELLS = (
    ("a", "python", "import math\n"),
    ("b", "markdown", "# Title"),
    ("c", "python", "x = math"),
)


async def asked(
    editor: Editor, model: ModelServer, name: str, line: int, column: int
) -> tuple[str, str]:
    await editor.texts(cell(name), line, column, invoked=True)
    request = model.requests[-1]
    return request["prompt"], request.get("suffix", "")


async def test_cells_above_are_the_prefix_and_cells_below_the_suffix(
    editor: Editor, model: ModelServer
) -> None:
    editor.notebook_document_did_open(opened(*CELLS, ("d", "python", "print(x)")))
    assert await asked(editor, model, "c", 0, 8) == (
        "import math\n\n\nx = math",
        "\n\nprint(x)\n\n",
    )
    assert await asked(editor, model, "b", 0, 7) == ("# Title", "\n")


async def test_an_item_stands_at_the_cells_own_lines(editor: Editor, model: ModelServer) -> None:
    model.answer = lambda _: [".pi"]
    editor.notebook_document_did_open(opened(*CELLS))
    (item, *_) = await editor.items(cell("c"), 0, 8, invoked=True)
    assert item.insert_text == "math.pi"
    assert item.range == types.Range(types.Position(0, 4), types.Position(0, 8))


async def test_cells_come_change_and_go(editor: Editor, model: ModelServer) -> None:
    editor.notebook_document_did_open(opened(*CELLS))
    array = types.NotebookCellArrayChange(0, 1, [types.NotebookCell(KIND.Code, cell("new"))])
    structure = types.NotebookDocumentCellChangeStructure(
        array,
        [types.TextDocumentItem(cell("new"), "python", 1, "import cmath")],
        [types.TextDocumentIdentifier(cell("a"))],
    )
    editor.notebook_document_did_change(changed(types.NotebookDocumentCellChanges(structure)))
    start = types.Position(0, 0)
    edit = types.TextDocumentContentChangePartial(range=types.Range(start, start), text="y = ")
    content = types.NotebookDocumentCellContentChanges(
        types.VersionedTextDocumentIdentifier(version=2, uri=cell("c")), [edit]
    )
    cells = types.NotebookDocumentCellChanges(text_content=[content])
    editor.notebook_document_did_change(changed(cells))
    assert (await asked(editor, model, "c", 0, 12))[0] == "import cmath\n\ny = x = math"
    assert await editor.texts(cell("a"), 0, 0) == []


async def test_a_closed_notebook_is_forgotten(editor: Editor, model: ModelServer) -> None:
    editor.notebook_document_did_open(opened(*CELLS))
    cells = [types.TextDocumentIdentifier(cell(name)) for name, _, _ in CELLS]
    notebook = types.NotebookDocumentIdentifier(NOTEBOOK)
    editor.notebook_document_did_close(types.DidCloseNotebookDocumentParams(notebook, cells))
    assert await editor.texts(cell("c"), 0, 8, invoked=True) == []
    assert model.requests == []


@pytest.mark.parametrize("whole", [True, False])
async def test_closing_a_cell_ends_what_is_being_written_there(
    editor: Editor, model: ModelServer, whole: bool
) -> None:
    editor.notebook_document_did_open(opened(*CELLS, ("gone", "python", "y = ")))
    model.gate.clear()
    future = editor.ask(cell("gone"), 0, 4)
    await editor.until(lambda: len(model.requests) == 1)
    gone = [types.TextDocumentIdentifier(cell("gone"))]
    if whole:
        notebook = types.NotebookDocumentIdentifier(NOTEBOOK)
        editor.notebook_document_did_close(types.DidCloseNotebookDocumentParams(notebook, gone))
    else:
        array = types.NotebookCellArrayChange(start=3, delete_count=1)
        structure = types.NotebookDocumentCellChangeStructure(array=array, did_close=gone)
        change = types.NotebookDocumentCellChanges(structure=structure)
        editor.notebook_document_did_change(changed(change))
    assert not (await asyncio.wrap_future(future)).items
    await editor.until(lambda: model.hung_up == 1)


MAGICS = (
    ("a", "python", "import math"),
    ("b", "python", "%%bash\nfor f in *; do\necho $f\ndone"),
    ("c", "python", "!pip install x\n%matplotlib inline\nmath.sqrt?\nfiles = !ls\ny = 1 % 2"),
    ("d", "python", "r = 2\narea = math."),
    ("e", "python", "%%bash\nfor f in *; do\n"),
)


async def test_magics_are_no_python_to_the_other_cells(editor: Editor, model: ModelServer) -> None:
    model.answer = lambda _: ["pi * r ** 2"]
    editor.notebook_document_did_open(opened(*MAGICS))
    assert await editor.texts(cell("d"), 1, 12, invoked=True) == ["pi * r ** 2"]
    assert model.requests[-1]["prompt"] == (
        "import math\n\n# !pip install x\n# %matplotlib inline\n# math.sqrt?\n# files = !ls\n"
        "y = 1 % 2\n\nr = 2\narea = math."
    )
    assert "bash" not in model.requests[-1].get("suffix", "")


async def test_a_cell_in_another_language_sees_those_in_the_same(
    editor: Editor, model: ModelServer
) -> None:
    model.answer = lambda _: ["  echo $f\ndone\nls"]
    editor.notebook_document_did_open(opened(*MAGICS))
    assert (await editor.texts(cell("e"), 2, 0))[0].startswith("  echo $f\ndone")
    assert model.requests[-1]["prompt"] == (
        "# %%bash\nfor f in *; do\necho $f\ndone\n\n%%bash\nfor f in *; do\n"
    )


async def test_a_question_above_the_caret_spoils_nothing(
    editor: Editor, model: ModelServer
) -> None:
    model.answer = lambda _: ["math.pi"]
    editor.notebook_document_did_open(opened(CELLS[0], ("q", "python", "?help\nx = ")))
    assert await editor.texts(cell("q"), 1, 4, invoked=True) == ["math.pi"]


async def test_cells_that_move_are_in_their_new_order(editor: Editor, model: ModelServer) -> None:
    editor.notebook_document_did_open(opened(*CELLS, ("d", "python", "y = 1")))
    for start, deleted, added in [(3, 1, []), (0, 0, ["d"])]:
        kept = [types.NotebookCell(KIND.Code, cell(name)) for name in added]
        array = types.NotebookCellArrayChange(start, deleted, kept)
        structure = types.NotebookDocumentCellChangeStructure(array)
        editor.notebook_document_did_change(changed(types.NotebookDocumentCellChanges(structure)))
    assert (await asked(editor, model, "c", 0, 8))[0] == "y = 1\n\nimport math\n\n\nx = math"


async def test_cells_that_are_not_named_go_with_their_notebook(
    editor: Editor, model: ModelServer
) -> None:
    editor.notebook_document_did_open(opened(*CELLS, ("left", "python", "y = ")))
    notebook = types.NotebookDocumentIdentifier(NOTEBOOK)
    editor.notebook_document_did_close(types.DidCloseNotebookDocumentParams(notebook, []))
    assert await editor.texts(cell("left"), 0, 4, invoked=True) == []
    assert model.requests == []
