"""Of what type the object before the caret is, and what is called around it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.context import PREFIX_CHARS, SUFFIX_CHARS, Site
from lsp_server.workspace import told as told_module
from lsp_server.workspace.declared import IMPORT, declared
from lsp_server.workspace.told import LINES, NAMES, WAYS
from lsp_server.workspace.typed import objects

Ways = tuple[tuple[str, ...], ...]


def ways(language: str, text: str, top: str = "") -> tuple[Ways, Ways]:
    prefix, _, suffix = text.partition("‸")
    lines = top.splitlines(keepends=True)
    return objects(Site(prefix, suffix, language, first_line=len(lines)), lines)


PYTHON = [
    ("def f(x: Ledger): x.‸", "Ledger"),
    ("def f(\n    x: Ledger,\n):\n    x.clo‸", "Ledger"),
    ("def f(x: 'Ledger | None'):\n    x.‸", "Ledger"),
    ("def f(x: Optional[Ledger]):\n    x.‸", "Optional, Ledger"),
    ("def f(x: bank.Ledger | Book | None):\n    x.‸", "Ledger, Book"),
    ("def f(x: dict[str, list[Ledger]]):\n    x[0].‸", "Ledger"),
    ("def f(xy: Book, x: Ledger, yx: Book):\n    x.‸", "Ledger"),
    ("x: Ledger = make()\nx.‸", "Ledger, make"),
    ("x = Ledger()\nx.‸", "Ledger"),
    ("x = Ledger()\nx = foo(x.‸)", "Ledger"),
    ("x = await bank.open_ledger(path)\nx.‸", "bank open_ledger"),
    ("x = given or Ledger()\nx.‸", "given, Ledger"),
    ("x = (\n    Ledger()\n)\nx.‸", "Ledger"),
    ("x = cast('Ledger', y)\nx.‸", "Ledger, cast"),
    ("a, x = Book(1, 2), Ledger()\nx.‸", "Ledger"),
    ("a, x = pair()\nx.‸", "pair"),
    ("def f(xs: list[Ledger]):\n    for x in xs:\n        x.‸", "Ledger, xs"),
    ("xs: list[Ledger] = []\ny = [x.‸ for x in xs]", "Ledger, xs"),
    ("class A:\n    for x in self.entries.values():\n        x.‸", "A entries values"),
    ("with Ledger.open(path) as x:\n    x.‸", "Ledger open"),
    ("from bank import Ledger as L\nx = L()\nx.‸", "Ledger, L"),
    ("if isinstance(x, (Ledger, Book)):\n    x.‸", "Ledger, Book"),
    ("if isinstance(x, Ledger) and x.‸", "Ledger"),
    ("x.‸", ""),
    ("# x: Ledger\nx.‸", ""),
    ('def f(x: Ledger):\n    """Do.\n\n    x: The one to pay.\n    """\n    x.‸', "Ledger"),
    ("class A: ...\nself.book.last().‸", "A book last"),
    ("self.book.‸", ""),
    ("def f(y):\n    if (x := Ledger()) and x.‸", "Ledger"),
    ("if a:\n    x = Ledger()\nelse:\n    b = 1\nx.‸", "Ledger"),
    ("def f(\n    x: Ledger,\n) -> int:\n    def g(y):\n        x.‸", "Ledger"),
    ('def f(x: Ledger):\n    s = """\nselect\n"""\n    x.‸', "Ledger"),
    ("def f(y: list[Ledger]):\n    for i, x in enumerate(y):\n        x.‸", "Ledger, y"),
    ("for x, y in zip(xs, ys):\n    x.‸", "xs"),
    ("try: f()\nexcept (ValueError, errors.Late) as x:\n    x.‸", "ValueError, Late"),
    ("match y:\n    case Ledger(a=1) as x:\n        x.‸", "Ledger"),
    ("xs: list[Ledger]\nxs.sort(key=lambda x: x.‸", "Ledger, xs"),
    ("def f(x: Ledger):\n# y = 1\n    x.‸", "Ledger"),
    ("def test_f(x):\n    x.‸", ""),
]
OTHERS = [
    ("def f(x: Ledger):\n    x = 1\ndef g(y):\n    x.‸", "x"),
    ("def f():\n    x = Ledger()\ndef g(y):\n    x.‸", "x"),
    ("class A:\n    x: Ledger\ndef g(y):\n    x.‸", "x"),
    ("x = Ledger()\ndef g(y, x=None):\n    x.‸", ""),
    ("x = Ledger()\nx = []\nx.‸", ""),
    ("x = Ledger()\nx: dict[str, int] = make()\nx.‸", ""),
    ("x = Ledger()\nfor x in make():\n    x.‸", "make, x"),
    ("x = Ledger()\ny = f(\n    x='a',\n    z=1)\nx.‸", "Ledger, x"),
    ("class B:\n def g(self):\n  self.x = Book()\nclass A:\n def f(self):\n  self.x.‸", "A x"),
    (
        "class B:\n x: Book\nclass C(B):\n y = 1\nclass A(C):\n def f(self):\n  self.x.‸",
        "Book, A x, C x",
    ),
]
"""What is said elsewhere, or was said before, of what has the same name."""
MEMBERS = [
    ("class A:\n    x: Ledger\n    def f(self):\n        self.x.‸", "Ledger, A x"),
    (
        "class A:\n  def f(self):\n    self.x.‸\n  def g(self):\n    self.x: Ledger = 1",
        "Ledger, A x",
    ),
    (
        "class A:\n  def __init__(self, y: Ledger):\n    self.x = y\n  def f(self):\n    self.x.‸",
        "Ledger, y, A x",
    ),
    ("class A(Base, abc.ABC):\n    def f(self):\n        self.‸", "A, Base, ABC"),
    ("class A(Base):\n    def f(self):\n        super().‸", "Base"),
    ("class A(Base):\n    def f(self):\n        self.x.‸", "A x, Base x"),
]


@pytest.mark.parametrize(("text", "expected"), [*PYTHON, *MEMBERS])
def test_what_stands_before_the_caret(text: str, expected: str) -> None:
    assert told("python", text) == {way for way in expected.split(", ") if way}


@pytest.mark.parametrize(("text", "expected"), OTHERS)
def test_what_is_said_of_another_is_not_told(text: str, expected: str) -> None:
    found, _ = ways("python", text)
    assert {" ".join(way) for way in found} == {way for way in expected.split(", ") if way}


def told(language: str, text: str) -> set[str]:
    """Ways, but that to the name itself, which is always the last one."""
    found, _ = ways(language, text)
    return {" ".join(way) for way in found} - {"x"}


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", "Ledger(1, b=‸)", (("Ledger",),)),
        ("python", "x = Bank()\nx.post(f(1), [2], ‸", (("Bank", "post"), ("x", "post"))),
        ("python", "shop.pay(\n    a,\n    ‸\n)", (("shop", "pay"),)),
        ("python", "pay(f(1), 'it(s',‸", (("pay",),)),
        ("python", "pay({'a': ‸", (("pay",),)),
        ("python", "pay(a)\n‸", ()),
        ("python", '"".join(‸', ()),
        ("typescript", "new Ledger<T>({ cents: ‸", (("Ledger",),)),
        ("typescript", "it('is', () => {\n  const a = ‸", ()),
        ("php", "class A extends B {\n  f() {\n    parent::f($this->x, ‸", (("B", "f"),)),
        ("go", "run(func() error {\n\t‸", ()),
        ("rust", "all.map(|x| {\n    ‸", ()),
    ],
)
def test_what_is_called_around_the_caret(language: str, text: str, expected: Ways) -> None:
    assert ways(language, text)[1] == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", "from shop.ledger import ‸", "shop.ledger"),
        ("python", "from .ledger import (\n    a, ‸", ".ledger"),
        ("python", "from ledger import b, a‸", "ledger"),
        ("typescript", "import { Led‸ } from './ledger';", "./ledger"),
        ("typescript", "import type A, {\n  B,\n  ‸\n} from 'ledger';", "ledger"),
    ],
)
def test_an_import_leads_to_the_module(language: str, text: str, expected: str) -> None:
    assert ways(language, text) == (((IMPORT, expected),), ())


def test_what_stands_above_the_window_counts_with_any_line_ends() -> None:
    top = "class A:\r\n    x: Ledger\r\n"
    found, _ = ways("python", "    def f(self):\n        self.x.‸", top)
    assert found == (("Ledger",), ("A", "x"))


@pytest.mark.parametrize("language", ["python", "java", "go", "typescript"])
@pytest.mark.parametrize(
    "part",
    ["(", "a.b.c.", "x: ", "x: [", "x<", "x = ", "for ", "for   ", "with a as ", '"\\', "x, ",
     "x\n", "x = x.x\n", "x: x, y\n", "class x\n", "import (", "isinstance(x, ", "x is "],
)  # fmt: skip
def test_a_long_text_is_read_in_few_steps(
    monkeypatch: pytest.MonkeyPatch, language: str, part: str
) -> None:
    read: list[str] = []

    def counted(line: str, of: str) -> object:
        read.append(line)
        return declared(line, of)

    monkeypatch.setattr(told_module, "declared", counted)
    prefix = (part * PREFIX_CHARS)[:PREFIX_CHARS] + "\nself.x.f(x."
    suffix = (part * SUFFIX_CHARS)[:SUFFIX_CHARS]
    for ways in objects(Site(prefix, suffix, language), []):
        assert len(ways) <= WAYS
    assert len(read) <= LINES
    assert NAMES < LINES


WORDS = (
    "x,self,->,::,:=,1,for , in , as ,with ,import ,from ,class A,super,return ,\r,\t,é,a b,"
    "isinstance(x"
)
TOKENS = st.sampled_from([*"()[]{}<>.,:=?!@$*&|#'\"\\ \n", *WORDS.split(",")])
TEXTS = st.lists(TOKENS, max_size=40).map("".join)


@given(TEXTS, TEXTS, st.sampled_from(["python", "java", "go", "php", "ruby", "typescript", ""]))
def test_any_text_is_read(prefix: str, suffix: str, language: str) -> None:
    before, called = objects(Site(prefix, suffix, language), [])
    assert all(name for way in (*before, *called) for name in way)
    assert all((*before, *called))


def test_a_dollar_is_a_name() -> None:
    assert ways("javascript", "$.‸") == ((("$",),), ())
