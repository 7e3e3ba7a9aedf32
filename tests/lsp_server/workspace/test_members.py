"""What the index tells of the object before the caret, and of what is called there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lsp_server.context import Site
from lsp_server.workspace import store as store_module
from lsp_server.workspace.grammars import grammar_of
from lsp_server.workspace.members import CALLED, OBJECT
from lsp_server.workspace.store import Store
from tests.desk import at_hand
from tests.lsp_server.workspace.ledgers import (
    CPP,
    CSHARP,
    GO,
    JAVA,
    PHP,
    PYTHON,
    RUBY,
    RUST,
    TYPESCRIPT,
)

if TYPE_CHECKING:
    from lsp_server.workspace.found import Found

ROOT = "/w"


def told(files: dict[str, str], language: str, path: str, text: str) -> list[Found]:
    """With the files indexed, and the text at the caret among them."""
    store = Store()
    prefix, _, suffix = text.partition("‸")
    for name, content in {**files, path: prefix + suffix}.items():
        store.put(ROOT, name, grammar_of(language), content)
    lines = (prefix + suffix).splitlines(keepends=True)
    return store.members(ROOT, at_hand(Site(prefix, suffix, language, path), lines))


def briefs(files: dict[str, str], language: str, path: str, text: str) -> list[str]:
    return [item.brief for item in told(files, language, path, text)]


def sorted_names(brief: str) -> tuple[str, list[str]]:
    head, _, names = brief.partition("# " if "# " in brief else "// ")
    return head, sorted(names.split(", "))


TOP = "from shop.ledger import Ledger\nfrom shop.bank import open_ledger, LAST\n"
OPEN = "def open_ledger(path: str, mode: str, *, create: bool = False) -> Ledger:"
MADE = "constructor(cents: number)"
FIELDS = {"e.py": "class Entry(NamedTuple):\n    memo: str\n    cents: int\n    def f(self): ..."}
LEDGERS = {
    "python": (
        "class Ledger(Book): # cents, book, balance(), load(), owner_name(), closed(), _hidden()"
    ),
    "java": "class Ledger extends Book // balance(), ownerName()",
    "typescript": "export class Ledger extends Book // balance(), ownerName()",
    "javascript": "export class Ledger extends Book // balance(), ownerName()",
    "csharp": "class Ledger : Book // Cents, OwnerName()",
    "php": "class Ledger extends Book // balance(), ownerName()",
    "cpp": "class Ledger : public Book // balance(), cents, owner_name()",
    "c": "class Ledger : public Book // balance(), cents, owner_name()",
    "ruby": "class Ledger < Book # initialize(), balance(), owner_name()",
    "go": "type Ledger struct // Book, Balance(), Owner()",
    "rust": "pub struct Ledger // cents, open(), balance()",
}


@pytest.mark.parametrize(
    ("files", "language", "text"),
    [
        (PYTHON, "python", f"{TOP}def f(x: Ledger):\n    x.‸"),
        (PYTHON, "python", f"{TOP}x = open_ledger('')\nx.‸"),
        (PYTHON, "python", f"{TOP}x = Ledger.load('')\nx.‸"),
        (PYTHON, "python", f"{TOP}LAST.‸"),
        (PYTHON, "python", f"{TOP}class A(Ledger):\n    def f(self):\n        self.‸"),
        (JAVA, "java", "class A {\n  int f(Ledger x) {\n    x.‸"),
        (JAVA, "java", "var x = Bank.open(p);\nx.‸"),
        (
            TYPESCRIPT,
            "typescript",
            "import { open } from './bank';\nconst x = await open('');\nx.‸",
        ),
        (TYPESCRIPT, "javascript", "import { Ledger } from './ledger';\nx = new Ledger(1);\nx.‸"),
        (CSHARP, "csharp", "foreach (Ledger x in all) {\n  x.‸"),
        (CSHARP, "csharp", "var x = Bank.Open(p);\nx.‸"),
        (PHP, "php", "<?php\nfunction f(Ledger $x) {\n  $x->‸"),
        (PHP, "php", "<?php\n$x = Bank::open($p);\n$x->‸"),
        (CPP, "cpp", "int f(const Ledger &x) {\n  return x.‸"),
        (CPP, "c", "auto x = open_ledger(p);\nx->‸"),
        (RUBY, "ruby", "x = Ledger.new(1)\nx.‸"),
        (GO, "go", "func f(x *Ledger) {\n\tx.‸"),
        (GO, "go", "x, err := Open(p)\nx.‸"),
        (RUST, "rust", "fn f(x: &Ledger) {\n    x.‸"),
        (RUST, "rust", "let x = Ledger::open(p);\nx.‸"),
    ],
)
def test_what_the_object_before_the_caret_has(
    files: dict[str, str], language: str, text: str
) -> None:
    (found,) = told(files, language, "main", text)
    assert sorted_names(found.brief) == sorted_names(LEDGERS[language])
    assert (found.score, found.kind) == (OBJECT, "definition")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from shop.bank import ‸", "# open_ledger, LAST"),
        ("from shop import bank\nbank.‸", "# open_ledger, LAST"),
        ("from shop.bank import LAST\nLAST.book.‸", "class Book: # owner_name(), closed()"),
    ],
)
def test_a_module_and_a_field_lead_on(text: str, expected: str) -> None:
    assert briefs(PYTHON, "python", "main", text) == [expected]


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("class A {\n  b() {\n    return this;\n  }\n}\n", "const x = new A().b();\nx.‸"),
        ("class A { b() {} }\nfunction f() {\n  return new A(1);\n}\n", "const x = f();\nx.‸"),
        ("class A { b() {} }\n", "const y = useRef<A>(null);\nconst x = y.current;\nx.‸"),
        (
            "class A { b() {} }\n/** @returns {Promise<A>} */\nexport async function f() {}\n",
            "const x = await f();\nx.‸",
        ),
        ("class A { b() {} }\nexport const f = () => new A(1);\n", "const x = f();\nx.‸"),
    ],
)
def test_what_a_function_without_a_type_makes(text: str, call: str) -> None:
    files = {"other.js": text}
    main = f"import {{ A, f }} from './other';\n{call}"
    assert briefs(files, "javascript", "main", main) == ["class A // b()"]


@pytest.mark.parametrize(
    ("files", "language", "text", "expected"),
    [
        (PYTHON, "python", f"{TOP}open_ledger(‸", OPEN),
        (PYTHON, "python", "import shop.bank\nshop.bank.open_ledger(‸", OPEN),
        (PYTHON, "python", f"{TOP}LAST.balance(‸", "def balance(self, at: int) -> int:"),
        (PYTHON, "python", f"{TOP}Ledger(‸", "def __init__(self, owner: str) -> None:"),
        (
            {"e.py": "class A:\n    class B:\n        def __init__(self, c: int): ..."},
            "python",
            "from e import A\nA.B(‸",
            "def __init__(self, c: int):",
        ),
        (
            FIELDS,
            "python",
            "from e import Entry\nEntry(‸",
            "class Entry(NamedTuple): # memo, cents",
        ),
        (JAVA, "java", "new Ledger(‸", "Ledger(int cents)"),
        (TYPESCRIPT, "typescript", "import { Ledger } from 'ledger';\nnew Ledger(‸", MADE),
        (CSHARP, "csharp", "Bank.Open(‸", "public static Ledger Open(string p)"),
        (PHP, "php", "<?php\nnew Ledger(‸", "public function __construct(int $cents)"),
        (CPP, "cpp", "open_ledger(‸", "Ledger *open_ledger(const char *path);"),
        (RUBY, "ruby", "Ledger.new(‸", "def initialize(cents)"),
        (GO, "go", "x, err := Open(‸", "func Open(path string) (*Ledger, error)"),
        (RUST, "rust", "Ledger::open(‸", "pub fn open(path: &str) -> Self"),
    ],
)
def test_how_what_is_called_is_called(
    files: dict[str, str], language: str, text: str, expected: str
) -> None:
    (found,) = told(files, language, "main", text)
    assert (found.brief, found.score) == (expected, CALLED)


def test_a_base_is_called_by_its_maker() -> None:
    text = f"{TOP}class A(Ledger):\n    def f(self):\n        super().__init__(‸"
    (brief,) = briefs(PYTHON, "python", "main", text)
    assert brief == "def __init__(self, owner: str) -> None:"


def test_both_are_told_the_object_first() -> None:
    found = told(PYTHON, "python", "a.py", f"{TOP}LAST.balance(LAST.book.‸")
    assert [item.score for item in found] == [OBJECT, CALLED]


@pytest.mark.parametrize(
    "text",
    [
        "class Ledger:\n    def f(self): ...\nx = Ledger()\nx.‸",
        "def pay(a): ...\npay(‸",
        "x = unknown()\nx.‸",
        "x.balance(‸",
        "x = Ledger()\nx.‸",  # not imported
        "import json\njson.open_ledger(‸",
        "import shop.files\nopen(‸",  # Python's own
        "from far import Ledgers\nimport bank\nLedgers.bank.‸",
        "‸",
    ],
)
def test_nothing_of_the_carets_file_and_of_what_it_does_not_know(text: str) -> None:
    files = {**PYTHON, "shop/files.py": "def open(path: str): ..."}
    assert told(files, "python", "a.py", text) == []


def test_where_the_likeliest_way_leads_into_the_carets_file_no_other_is_gone() -> None:
    text = f"{TOP}class Own: ...\nx = Ledger()\nx = Own()\nx.‸"
    assert told(PYTHON, "python", "a.py", text) == []


def test_names_come_first_that_share_words_with_names_around_the_caret() -> None:
    text = f"{TOP}def name(x: Ledger):\n    owner = x.‸"
    (brief,) = briefs(PYTHON, "python", "a.py", text)
    assert brief.startswith("class Ledger(Book): # owner_name(), cents, ")


def test_a_long_list_is_cut_between_two_names() -> None:
    names = "".join(f"    def method_{n}(self): ...\n" for n in range(200))
    files = {"big.py": f"class Big:\n{names}"}
    (brief,) = briefs(files, "python", "a.py", "from big import Big\nx = Big()\nx.‸")
    assert brief.endswith("()")
    assert 580 < len(brief) <= 600


def test_what_takes_too_long_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_STEPS", 1)
    monkeypatch.setattr(store_module, "SEARCH_MS", -1)
    assert told(PYTHON, "python", "a.py", f"{TOP}LAST.‸") == []
    monkeypatch.setattr(store_module, "SEARCH_MS", 10_000)
    assert told(PYTHON, "python", "a.py", f"{TOP}LAST.‸") != []
