"""What is read of the workspace: files, references, frames."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lsp_server.instruct.ask import Ask
from lsp_server.instruct.commands import COMMANDS
from lsp_server.instruct.files import Files
from lsp_server.instruct.grounds import Grounds
from lsp_server.instruct.place import Place, Problem
from lsp_server.instruct.references import references, with_notes
from lsp_server.settings import Settings
from lsp_server.workspace.found import Found

if TYPE_CHECKING:
    from pathlib import Path

    from lsp_server.workspace.wanted import Wanted

CART = "def other():\n    return 1\n\n\ndef total(prices):\n    return sum(prices)\n"


@pytest.fixture
def root(tmp_path: Path) -> str:
    root = tmp_path / "workspace"
    for name, text in {
        "shop/cart.py": CART,
        "build/made.py": "x = 1\n",
        "private/notes.py": "x = 1\n",
        ".gitignore": "build/\n",
        ".caretignore": "private/\n",
        ".env": "KEY=1\n",
        "secret.pem": "KEY\n",
        "node_modules/a.py": "x = 1\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (tmp_path / "outside.py").write_text("x = 1\n")
    (root / "link.py").symlink_to(tmp_path / "outside.py")
    return root.as_posix()


@pytest.fixture
def files(root: str) -> Files:
    return Files((root,), Settings().privacy.exclude)


@pytest.mark.parametrize(
    "path",
    [
        "build/made.py",
        "private/notes.py",
        ".env",
        "secret.pem",
        "node_modules/a.py",
        "link.py",
        "../outside.py",
        "none.py",
    ],
)
async def test_what_is_kept_out_is_not_read(root: str, files: Files, path: str) -> None:
    assert files.read(root, path) is None
    opened = replace(files, opened={f"{root}/{path}": "x = 1\n"})
    if path not in ("link.py", "none.py"):
        assert opened.read(root, path) is None
    output = f'Traceback (most recent call last):\n  File "{root}/{path}", line 1, in f\nError'
    ask = await Grounds(files, _nothing).gather(Ask(COMMANDS["debug"], text=output))
    assert ask.excerpts == ()


def test_an_open_document_counts_before_its_file(root: str, files: Files) -> None:
    assert files.read(root, "shop/cart.py") == CART
    opened = replace(files, opened={f"{root}/shop/cart.py": "new\n"})
    assert opened.read(root, "shop/cart.py") == "new\n"


@pytest.mark.parametrize("path", ["shop/cart.py", "/app/shop/cart.py", "./shop/cart.py", "cart.py"])
def test_a_path_is_found_from_its_end(root: str, files: Files, path: str) -> None:
    expected = None if path == "cart.py" else (root, "shop/cart.py")
    assert files.find(path) == expected
    assert files.find(f"{root}/shop/cart.py") == (root, "shop/cart.py")


def test_references_exist_or_are_named(root: str, files: Files) -> None:
    text = "See `shop/cart.py:5` and shop/cart.py:6, not shop/cart.py:99 or a/b.py:1; at 12:30."
    ask = Ask(COMMANDS["explain"])
    found = references(text, ask, files)
    assert found.real == ((root, "shop/cart.py", 4), (root, "shop/cart.py", 5))
    assert found.wrong == ("shop/cart.py:99", "a/b.py:1")
    noted = with_notes(text, ask, found)
    assert noted.startswith(text)
    assert noted.endswith("> Not found in the workspace: `shop/cart.py:99`, `a/b.py:1`.")


async def test_functions_of_a_traceback_are_shown_the_innermost_first(files: Files) -> None:
    output = (
        "Traceback (most recent call last):\n"
        '  File "/app/shop/cart.py", line 2, in other\n'
        '  File "/usr/lib/python3/json.py", line 2, in x\n'
        '  File "/app/shop/cart.py", line 6, in total\nTypeError: no'
    )
    ask = await Grounds(files, _nothing).gather(Ask(COMMANDS["debug"], text=output))
    assert [(e.path, e.line, e.text) for e in ask.excerpts] == [
        ("shop/cart.py", 4, "def total(prices):\n    return sum(prices)"),
        ("shop/cart.py", 0, "def other():\n    return 1"),
    ]


async def test_a_diagnostic_is_debugged_where_it_stands(root: str, files: Files) -> None:
    place = Place("shop/cart.py", "python", CART, root=root)
    ask = Ask(COMMANDS["debug"], place, (Problem(5, 5, "prices is None"),))
    (excerpt,) = (await Grounds(files, _nothing).gather(ask)).excerpts
    assert excerpt.title == "shop/cart.py:5"


async def test_a_question_is_searched_for_by_its_words(files: Files) -> None:
    asked: list[Wanted] = []

    async def search(_: str, about: Wanted, __: float) -> list[Found]:
        asked.append(about)
        return [
            Found("shop/cart.py", 4, "def total(prices):", 1.0, "definition"),
            Found("private/notes.py", 0, "x = 1", 9.0, "piece"),
        ]

    question = Ask(COMMANDS["ask"], instruction="How does `total` add up the prices?")
    ask = await Grounds(files, search).gather(question)
    assert asked[0].language == ""
    assert set(asked[0].words) == {"total", "add", "prices"}
    assert [e.text for e in ask.excerpts] == ["def total(prices):\n    return sum(prices)"]


async def test_code_of_files_that_are_kept_out_is_not_related(root: str, files: Files) -> None:
    async def search(_: str, __: Wanted, ___: float) -> list[Found]:
        paths = ("shop/cart.py", "build/made.py", "private/notes.py", ".env")
        return [
            Found(path, 0, f"def f_{n}(): ...", 1.0, "definition") for n, path in enumerate(paths)
        ]

    place = Place("shop/main.py", "python", "f_0(f_1(f_2(f_3())))\n", root=root)
    ask = await Grounds(files, search).gather(Ask(COMMANDS["explain"], place))
    assert [excerpt.path for excerpt in ask.related] == ["shop/cart.py"]


async def _nothing(_: str, __: Wanted, ___: float) -> list[Found]:
    return []
