"""What is told of types whose members are no definitions of their own, or not only such."""

from __future__ import annotations

import pytest

from tests.lsp_server.workspace.test_members import briefs


@pytest.mark.parametrize(
    ("language", "other", "text", "expected"),
    [
        ("java", "enum Kind {\n  OPEN,\n  SHUT;\n}\n", "Kind.‸", "enum Kind // OPEN, SHUT"),
        (
            "rust",
            "enum Kind {\n    Open,\n    Shut(i32),\n}\n",
            "Kind::‸",
            "enum Kind // Open, Shut",
        ),
        ("php", "<?php\nenum Kind {\n  case Open;\n}\n", "<?php\nKind::‸", "enum Kind // Open"),
        (
            "php",
            "<?php\nclass A {\n  function __construct(public B $b, private C $c) {\n  }\n}\n",
            "<?php\nfunction f(A $x) {\n  $x->‸",
            "class A // b",
        ),
        (
            "java",
            "record A(String b, C c) {\n}\nclass C {\n  int d;\n}\n",
            "A x;\nx.‸",
            "record A(String b, C c) // b(), c()",
        ),
        (
            "java",
            "enum Kind {\n  OPEN;\n  boolean isOpen() { return true; }\n}\n",
            "Kind.‸",
            "enum Kind // OPEN, isOpen()",
        ),
        (
            "java",
            "class A {\n  private final int b;\n  A(int b) {\n    this.b = b;\n  }\n  int c;\n}\n",
            "A x;\nx.‸",
            "class A // c",
        ),
        (
            "csharp",
            "record A(string B, C D);\nclass C {\n  public int E;\n}\n",
            "A x;\nx.‸",
            "record A(string B, C D); // B, D",
        ),
        (
            "csharp",
            "class A(B b) : C(b)\n{\n  int D;\n}\n",
            "A x;\nx.‸",
            "class A(B b) : C(b) // D",
        ),
        ("csharp", "enum Kind { Open, Shut = 2 }\n", "Kind.‸", "enum Kind // Open, Shut"),
        ("cpp", "enum class Kind { Open, Shut };\n", "Kind::‸", "enum class Kind // Open, Shut"),
        (
            "cpp",
            "struct A {\n  B *b() const;\n  C c[2];\n  D &d();\n};\n",
            "A x;\nx.‸",
            "struct A // b(), c, d()",
        ),
        (
            "c",
            "struct list {\n  int a;\n};\n",
            "int f(struct list *x) {\n  x->‸",
            "struct list // a",
        ),
        ("go", "type A struct {\n\tB int\n}\n", "x := A{}\nx.‸", "type A struct // B"),
        (
            "go",
            "type A interface {\n\tF() int\n}\n",
            "func f(x A) {\n\tx.‸",
            "type A interface // F",
        ),
        (
            "python",
            "class A:\n    class C:\n        b: int\nclass B:\n    class C:\n        d: int\n",
            "from other import A, B\nx = B.C()\nx.‸",
            "    class C: # d",
        ),
        (
            "python",
            "class B:\n    b: int\ntype A = B | None\n",
            "from other import A\ndef f(x: A):\n    x.‸",
            "class B: # b",
        ),
        (
            "typescript",
            "export type A = Base & {\n  b: C;\n};\n",
            "import { A } from './other';\nconst f = (x: A) => x.‸",
            "export type A = Base // b",
        ),
        (
            "typescript",
            "class A {\n  constructor(private readonly b: B, public c: C, readonly d?: D) {}\n}\n",
            "import { A } from './other';\nnew A().‸",
            "class A // c, d",
        ),
        (
            "javascript",
            "const A = Object.freeze({\n  b: {\n    c: 1,\n  },\n  d(e) {},\n});\n",
            "import { A } from './other';\nA.‸",
            "const A // b, d",
        ),
        (
            "javascript",
            "class A {\n  b = 1;\n  #c = 2;\n}\n",
            "const A = require('./other');\nnew A().‸",
            "class A // b",
        ),
        (
            "ruby",
            "class A\n  include B\n  attr_reader :c, :d\nend\n",
            "x = A.new\nx.‸",
            "class A # c, d",
        ),
    ],
)
def test_members_that_are_no_definitions(
    language: str, other: str, text: str, expected: str
) -> None:
    assert briefs({"other": other}, language, "main", text) == [expected]


def test_a_method_that_is_only_declared_tells_how_it_is_called() -> None:
    files = {"a.hpp": "class A {\n public:\n  B &at(int row, int column) const;\n};\n"}
    assert briefs(files, "cpp", "main", "A x;\nx.at(‸") == ["B &at(int row, int column) const;"]
