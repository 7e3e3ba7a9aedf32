"""What the model is told right at the caret, with the real index process over real files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lsp_server.context import Site, site_at
from lsp_server.settings import read_settings
from lsp_server.workspace import gather as gather_module
from lsp_server.workspace.found import Found
from lsp_server.workspace.hints import LONGEST, Hints, told
from tests.desk import PATIENCE_S, at_desk

if TYPE_CHECKING:
    from pathlib import Path

    from tests.desk import Desk

LEDGER = """class Ledger:
    def __init__(self, owner: str) -> None:
        self.owner = owner

    def balance_of(self, account: str) -> int:
        return 0

    def settle(self, account: str, amount: int) -> None:
        pass
"""
PAY = "from ledger import Ledger\n\n\ndef pay(book: Ledger) -> None:\n    book.\n    x = 1\n"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the deadline would decide."""
    monkeypatch.setattr(gather_module, "DEADLINE_S", PATIENCE_S)


async def hint(desk: Desk, hints: Hints, line: int, column: int, path: str = "pay.py") -> str:
    document = desk.view.documents[desk.uri(path)]
    site = site_at(document.lines, line, column, language=document.language, path=path)
    return await hints.at(desk.uri(path), site, desk.view)


def names(text: str) -> set[str]:
    return set(text.rstrip("\n").partition(": ")[2].split(", "))


async def test_the_members_of_the_object_before_the_caret(tmp_path: Path) -> None:
    (tmp_path / "ledger.py").write_text(LEDGER)
    async with at_desk(tmp_path) as desk:
        desk.open("pay.py", PAY)
        told = await hint(desk, Hints(desk.link), 4, len("    book."))
        assert told.startswith("    # class Ledger: ")
        assert names(told) >= {"balance_of()", "settle()"}
        assert "".join(desk.view.documents[desk.uri("pay.py")].lines) == PAY


async def test_what_was_told_stays_on_its_line_and_what_is_called_is_added(tmp_path: Path) -> None:
    (tmp_path / "ledger.py").write_text(LEDGER)
    async with at_desk(tmp_path) as desk:
        document, hints = desk.open("pay.py", PAY), Hints(desk.link)
        first = await hint(desk, hints, 4, len("    book."))
        document.edit((4, 9), (4, 9), "settle")
        assert await hint(desk, hints, 4, len("    book.settle")) == first
        document.edit((4, 15), (4, 15), "(")
        told = await hint(desk, hints, 4, len("    book.settle("))
        assert told.startswith(first)
        assert "def settle(self, account: str, amount: int)" in told.removeprefix(first)
        document.edit((4, 16), (4, 16), ")")
        assert await hint(desk, hints, 5, len("    x = 1")) == ""


async def test_what_was_told_goes_with_the_text_that_it_is_about(tmp_path: Path) -> None:
    (tmp_path / "ledger.py").write_text(LEDGER)
    (tmp_path / "shop.py").write_text(LEDGER.replace("Ledger", "Shop"))
    async with at_desk(tmp_path) as desk:
        text = PAY.replace("pay(", "pay(shop: Shop, ")
        document = desk.open("pay.py", f"from shop import Shop\n{text}")
        hints = Hints(desk.link)
        first = await hint(desk, hints, 5, len("    book."))
        document.edit((5, 7), (5, 9), "")
        assert await hint(desk, hints, 5, len("    boo")) == first
        document.edit((5, 4), (5, 7), "shop.")
        told = await hint(desk, hints, 5, len("    shop."))
        assert told.startswith("    # class Shop: ")
        assert told.count("\n") == 1
        document.edit((5, 0), (6, 0), "")
        assert await hint(desk, hints, 5, len("    x = 1")) == ""


async def test_another_type_of_the_object_takes_the_place_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "ledger.py").write_text(LEDGER + LEDGER.replace("Ledger", "Shop"))
    async with at_desk(tmp_path) as desk:
        document, hints = desk.open("pay.py", PAY), Hints(desk.link)
        await hint(desk, hints, 4, len("    book."))
        document.edit((3, 14), (3, 20), "Shop")
        told = await hint(desk, hints, 4, len("    book."))
        assert told.startswith("    # class Shop: ")
        assert told.count("\n") == 1


async def test_a_line_that_one_comes_back_to_is_asked_about_anew(tmp_path: Path) -> None:
    (tmp_path / "ledger.py").write_text(LEDGER)
    async with at_desk(tmp_path) as desk:
        hints = Hints(desk.link)
        desk.open("pay.py", PAY)
        desk.open("ledger.py", LEDGER)
        await hint(desk, hints, 4, len("    book."))
        await hint(desk, hints, 8, len("        pass"), "ledger.py")
        desk.link.opened(tmp_path.as_posix(), "ledger.py", LEDGER.replace("settle", "archive"))
        assert "archive()" in names(await hint(desk, hints, 4, len("    book.")))
        hints.forget()
        desk.link.opened(tmp_path.as_posix(), "ledger.py", "")
        assert await hint(desk, hints, 4, len("    book.")) == ""


async def test_what_was_typed_in_another_document_counts_at_once(tmp_path: Path) -> None:
    (tmp_path / "ledger.py").write_text(LEDGER)
    async with at_desk(tmp_path) as desk:
        desk.open("pay.py", PAY)
        document = desk.open("ledger.py", LEDGER)
        document.edit((7, 8), (7, 14), "archive")
        desk.recent.edited(desk.uri("ledger.py"), 7, 7, 1)
        await desk.gatherer.send_edited(desk.view, but=desk.uri("pay.py"))
        told = await hint(desk, Hints(desk.link), 4, len("    book."))
        assert "archive()" in names(told)


async def test_only_where_the_settings_and_the_place_allow_it(tmp_path: Path) -> None:
    (tmp_path / "ledger.py").write_text(LEDGER)
    settings, problems = read_settings({"context": {"definitions": False}})
    assert not problems
    commented = PAY.replace("    book.", "    # book.")
    documented = PAY.replace("    book.", '    """Of the book.')
    for text, chosen in ((PAY, settings), (commented, None), (documented, None)):
        async with at_desk(tmp_path, chosen) as desk:
            document = desk.open("pay.py", text)
            column = len(document.lines[4].rstrip("\n"))
            assert await hint(desk, Hints(desk.link), 4, column) == ""


@pytest.mark.parametrize("opener", ["/*", "const text = `"])
async def test_nothing_in_a_comment_or_string_of_several_lines(tmp_path: Path, opener: str) -> None:
    (tmp_path / "ledger.ts").write_text("export class Ledger {\n  settle() {}\n  close() {}\n}\n")
    async with at_desk(tmp_path) as desk:
        text = f"import {{ Ledger }} from './ledger';\n{opener}\n*/ // `;\nnew Ledger().\n"
        desk.open("pay.ts", text.replace("\n*/", "\nof the Ledger.\n*/"), "typescript")
        assert await hint(desk, Hints(desk.link), 2, len("of the Ledger."), "pay.ts") == ""


async def test_nothing_without_a_workspace_or_of_a_closed_document(tmp_path: Path) -> None:
    (tmp_path / "ledger.py").write_text(LEDGER)
    async with at_desk(tmp_path) as desk:
        desk.open("../pay.py", PAY)
        assert await hint(desk, Hints(desk.link), 4, 9, "../pay.py") == ""
        assert await Hints(desk.link).at("file:///gone.py", Site("a.", ""), desk.view) == ""


async def test_nothing_in_a_comment_of_several_lines(tmp_path: Path) -> None:
    (tmp_path / "ledger.ts").write_text("export class Ledger {\n  balance() {}\n}\n")
    text = "import { Ledger } from './ledger';\n/**\n * Of Ledger.\n */\nLedger.\n"
    async with at_desk(tmp_path) as desk:
        desk.open("pay.ts", text, "typescript")
        hints = Hints(desk.link)
        assert await hint(desk, hints, 2, len(" * Of Ledger."), "pay.ts") == ""
        assert await hint(desk, hints, 4, len("Ledger."), "pay.ts") != ""


@pytest.mark.parametrize(
    ("brief", "language", "expected"),
    [
        ("class Ledger(Book):  # a(), b", "python", "# class Ledger(Book): a(), b"),
        ("export class Ledger { // a(), b", "typescript", "// export class Ledger: a(), b"),
        ("# open_book, close_book", "python", "# ledger: open_book, close_book"),
        ("    def f(\n        a: int,\n    ) -> None:", "python", "# def f( a: int, ) -> None:"),
    ],
)
def test_a_comment_says_what_it_is_and_what_is_in_it(
    brief: str, language: str, expected: str
) -> None:
    found = Found("books/ledger.py", 0, "", 1.0, "definition", brief)
    assert told(found, language) == expected


def test_a_long_listing_ends_with_a_whole_name() -> None:
    listing = ", ".join(f"member_{number}()" for number in range(200))
    found = Found("a.py", 0, "", 1.0, "definition", f"class A: # {listing}")
    text = told(found, "python")
    assert len(text) <= LONGEST + len("# , ...")
    assert text.endswith("(), ...")
