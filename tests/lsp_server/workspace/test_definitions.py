"""Definitions by tree-sitter, in every language that has a grammar."""

from __future__ import annotations

import pytest

from bench.evals.cross_file import SAMPLES, Sample
from lsp_server.workspace.definitions import OUTLINE, definitions
from lsp_server.workspace.grammars import GRAMMARS
from tests.steps import steps


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_the_samples_answer_is_in_a_definition(sample: Sample) -> None:
    other = next(iter(sample.files.values()))
    text = "\n".join(found.text for found in definitions(other, sample.language))
    assert sample.expected.split("(")[0].strip("=") in text


def test_the_samples_cover_all_grammars() -> None:
    assert GRAMMARS.keys() - {sample.language for sample in SAMPLES} == {"typescriptreact"}


PYTHON = '''import abc

LIMIT = 3


@abc.decorator
class Stack(list[int]):
    """A pile.

    Not a queue.
    """

    size: int = 0
    limit = LIMIT

    def push(self, item: int) -> None:
        """Put one on top."""
        self.append(item)
        self.size += 1
        if self.size > self.limit:
            self.pop()

    @property
    def top(self) -> int:
        return self[-1]


async def long(
    a: int,
    b: int,
) -> int:
    def local() -> int:
        return a

    c = a + b
    return c
'''


def test_outlines() -> None:
    found = {item.name: item for item in definitions(PYTHON, "python")}
    assert list(found) == ["LIMIT", "Stack", "push", "top", "long"]
    assert found["Stack"].text == (
        '@abc.decorator\nclass Stack(list[int]):\n    """A pile.\n'
        "    size: int = 0\n    limit = LIMIT\n"
        '    def push(self, item: int) -> None:\n        """Put one on top."""\n'
        "    @property\n    def top(self) -> int:"
    )
    assert found["push"].owner == "Stack"
    assert found["push"].text.startswith("    def push")
    assert found["long"].text == "async def long(\n    a: int,\n    b: int,\n) -> int:"
    assert found["Stack"].brief == "class Stack(list[int]): # size, limit, push(), top"
    assert found["push"].brief == "    def push(self, item: int) -> None:"
    assert found["LIMIT"].brief == found["LIMIT"].text
    assert (found["LIMIT"].line, found["LIMIT"].text) == (2, "LIMIT = 3")


def test_all_fields_of_a_line_are_names_of_their_type() -> None:
    (found,) = definitions("struct Pass {\n  float *model, *mixed;\n  int rows;\n};", "cpp")
    assert found.brief == "struct Pass // model, mixed, rows"


@pytest.mark.parametrize(
    ("language", "text", "names"),
    [
        (
            "python",
            "class A:\n    @property\n    def x(self) -> int:\n        return 1\n\n    @x.setter\n"
            "    def x(self, x: int) -> None:\n        pass\n\n    @cached_property\n"
            "    def y(self) -> int:\n        return 2\n\n    def z(self) -> None:\n        pass\n",
            "# x, y, z()",
        ),
        (
            "javascript",
            "class A {\n  get x() { return 1; }\n  getY() {\n    return 2;\n  }\n\n  z() {}\n}\n",
            "// x, getY(), z()",
        ),
    ],
)
def test_properties_are_listed_as_they_are_used(language: str, text: str, names: str) -> None:
    (brief,) = (found.brief for found in definitions(text, language) if found.name == "A")
    assert brief.endswith(names)


def test_attributes_that_methods_assign_are_names_of_their_type() -> None:
    text = """class Shop:
    size: int
    def __init__(self, till):
        self.till = till
        self._hidden: list[int] = []
        self.open: bool = True
        self.size = self.count == 1
"""
    shop, *_ = definitions(text, "python")
    assert shop.brief == "class Shop: # size, till, open"


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("go", "func (s *Stack) Push(x int) {}", ("Push", "Stack")),
        ("go", "func (s *Stack[T]) Push(x T) {}", ("Push", "Stack")),
        ("go", "func (s Stack[K, V]) Push(k K) {}", ("Push", "Stack")),
        ("lua", "function Stack:push(x) end", ("push", "Stack")),
        ("cpp", "int *Stack::push(int x) { return 0; }", ("push", "Stack")),
    ],
)
def test_members_outside_of_their_type(language: str, text: str, expected: tuple[str, str]) -> None:
    (found,) = definitions(text, language)
    assert (found.name, found.owner) == expected
    assert found.outside


GO = """package p

const (
	First = iota
	Second
)

var (
	// Depth is how deep.
	Depth, width int
)

type (
	Stack struct {
		Top int
	}
	Name = string
)

var Limit = 3

type Queue[T any] struct{}
"""


def test_each_name_of_a_group_is_found_and_a_single_one_with_its_keyword() -> None:
    found = {item.name: item.text for item in definitions(GO, "go")}
    assert found == {
        "First": "\tFirst = iota",
        "Second": "\tSecond",
        "Depth": "\tDepth, width int",
        "width": "\tDepth, width int",
        "Stack": "\tStack struct {\n\t\tTop int\n\t}",
        "Name": "\tName = string",
        "Limit": "var Limit = 3",
        "Queue": "type Queue[T any] struct{}",
    }
    assert not any(item.owner for item in definitions(GO, "go"))


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("cpp", "typedef struct { int x; } Point;", ["Point"]),
        ("cpp", "typedef struct node { int x; } Node;", ["node", "Node"]),
        ("cpp", "typedef struct node Node;\ntypedef int id_t;", ["Node", "id_t"]),
        ("cpp", "typedef union { int i; } Any;\ntypedef enum { A } Kind;", ["Any", "Kind"]),
        ("cpp", "int *first(int);\nchar **names(void);\nNode &top();", ["first", "names", "top"]),
        ("cpp", "char **names(void) { return 0; }", ["names"]),
        ("cpp", "#define LARGER(a, b) ((a) > (b) ? (a) : (b))\n", ["LARGER"]),
        ("cpp", "extern int depth;\nextern char *name, rows[3];", ["depth", "name", "rows"]),
        ("cpp", "constexpr int kLimit = 3;\nstatic int hidden;", ["kLimit"]),
        ("javascript", "exports.f = function (a) {};", ["f"]),
        ("javascript", "module.exports.g = (a) => a;\nexports.LIMIT = 3;", ["g", "LIMIT"]),
        ("javascript", "function f() {}\nexports.f = f;\nother.g = () => 1;", ["f"]),
        ("javascript", "var limit = 3, depth = 4;", ["limit", "depth"]),
        ("typescript", "declare function f(a: string): void;", ["f"]),
        ("typescript", "declare const X: number;\nexport declare let y: X;", ["X", "y"]),
        ("csharp", "public delegate void Changed(object sender);", ["Changed"]),
        ("rust", "pub static LIMIT: u32 = 3;", ["LIMIT"]),
        ("python", "try:\n    A = 1\nexcept E:\n    A = 2\n", ["A"]),
        ("python", "if X:\n    A = 1\nelse:\n    B = 2\n", ["A"]),
        ("shellscript", "export A=1 B=2\nreadonly C=3", ["A", "B", "C"]),
    ],
)
def test_what_stands_in_other_forms(language: str, text: str, expected: list[str]) -> None:
    found = definitions(text, language)
    assert [item.name for item in found] == expected
    assert not any(item.owner for item in found)
    lines = text.split("\n")
    assert all(item.text == lines[item.line] for item in found)


def test_a_type_whose_name_stands_behind_it_is_told_by_its_name() -> None:
    fields = "".join(f"  int field_{n};\n" for n in range(5))
    (found,) = definitions(f"typedef struct {{\n{fields}}} Point;\n", "cpp")
    members = ", ".join(f"field_{n}" for n in range(5))
    assert found.brief == f"typedef struct Point // {members}"
    assert found.text == f"typedef struct Point\n{fields}".rstrip()


def test_an_exported_function_is_told_by_its_head() -> None:
    body = "  return a;\n" * 5
    (found,) = definitions(f"exports.twice = function (a) {{\n{body}}};\n", "javascript")
    assert found.text == found.brief == "exports.twice = function (a)"


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "python",
            "class A(bank.Book, Generic[T], metaclass=M): ...",
            "Book Generic T metaclass M",
        ),
        ("python", "@cached\ndef f(x: X) -> dict[str, 'A | None']: ...", "A"),
        ("python", "x: A = B()", "A"),
        ("python", "x = bank.Bank.open(p) or other", "Bank other"),
        ("python", "x = 3", ""),
        ("java", "public class A<T> extends Book implements B, C {}", "T Book B C"),
        ("java", "record A(B b) implements C {}", "C"),
        ("csharp", "class A(B b) : C(b), D { }", "C D"),
        ("php", "<?php\n/** All.\n * @return A[] some B */\nfunction f(): array {}", "A"),
        ("php", "<?php\n// B\nfunction f(): A {}", "A"),
        ("java", "class X { public List<A> f(X x) {} }", "List A"),
        ("typescript", "export class A extends Book implements B { }", "Book B"),
        ("typescript", "interface A extends B { x: X }", "B"),
        ("typescript", "export async function f(x: X): Promise<A> {}", "Promise A"),
        ("typescript", "export const f = (x: X): A => y", "A"),
        ("typescript", "type A = B | C;", "B C"),
        ("typescript", "const a = new A(x)", "A"),
        ("csharp", "public class A : Book, IB { }", "Book IB"),
        ("csharp", "class X { public A F(X x) { } }", "A"),
        ("php", "<?php\nfinal class A extends Book implements B {}", "Book B"),
        ("php", "<?php\nfunction f(X $x): ?A {}", "A"),
        ("cpp", "class A : public Book { X x; };", "Book"),
        ("cpp", "const A *f(X *x) { return 0; }", "A"),
        ("cpp", "std::unique_ptr<A> f(X x);", "unique_ptr A"),
        ("cpp", "typedef struct a A;", "a"),
        ("ruby", "class A < Book\n  def f\n  end\nend", "Book"),
        ("go", "type A struct {\n\tBook\n\t*bank.B\n\tx X\n}", "Book B"),
        ("go", "func f(x *X) (*bank.A, error) {}", "A"),
        ("rust", "impl Show for A { fn f() {} }", "Show"),
        ("rust", "pub fn f(x: X) -> Result<Self, &A> {}", "Result Self A"),
    ],
)
def test_what_a_definition_gives(language: str, text: str, expected: str) -> None:
    found = definitions(text, language)
    assert expected in [item.gives for item in found]


@pytest.mark.parametrize("language", [*GRAMMARS, "markdown", ""])
@pytest.mark.parametrize("text", ["", "\0\n", "(" * 500, "class {{{ def fn \udc80 }", "€" * 50])
def test_any_text_is_taken(language: str, text: str) -> None:
    for found in definitions(text, language):
        assert found.text.count("\n") < OUTLINE


@pytest.mark.parametrize(
    ("language", "begin", "each", "end"),
    [
        ("go", "package a\nconst (\n", "\tA{} = 1\n", ")\n"),
        ("go", "package a\nvar a", ", a{}", " int\n"),
        ("cpp", "typedef int a", ", a{}", ";\n"),
        ("typescript", "const a = 1", ", a{} = 1", ";\n"),
        ("typescript", "export enum A {\n", "  A{},\n", "}\n"),
        ("python", "class A:\n", "    def f{}(self): pass\n", ""),
        ("java", "class A { int a", ", a{}", "; }\n"),
    ],
)
def test_twice_the_names_are_twice_the_work(language: str, begin: str, each: str, end: str) -> None:
    def work(names: int) -> int:
        text = begin + "".join(each.format(number) for number in range(names)) + end
        return steps(lambda: definitions(text, language, fields=True))

    work(1)  # which loads the grammar
    assert work(600) < 2.2 * work(300)
