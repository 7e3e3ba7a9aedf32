"""What is shown of what a model writes, with all rules at work, as it streams."""

from __future__ import annotations

import pytest

from tests.drafted import shown

JS_BODY = "function f(a) {\n  ‸\n  return Promise.resolve(a);\n}\n"
GO_BODY = "package main\n\nfunc f() (int, error) {\n\tx, err := g()\n\t‸\n\treturn nil, err\n}\n"
PY_BODY = "def f(x):\n    result = []\n    ‸\n    return result\n"


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize(
    ("language", "document", "text"),
    [
        ("python", "x = 1\nfor i in range(‸)\n", "10"),
        ("python", "x = 1\ndef foo(‸)\n", "a, b"),
        ("python", "if a:\n    b\nelif foo(‸)\n", "x"),
        ("python", 'def f(a, b):\n    """‸\n    return a + b\n', "Add two numbers."),
        ("java", "class A {\n  void f() {\n    if (‸)\n  }\n}\n", "x == null"),
        ("java", "class A {\n  Foo f() {\n    return new Foo(‸)\n  }\n}\n", "1"),
        ("csharp", 'class A {\n  void F() {\n    G("‸")\n    b();\n  }\n}\n', "Hello"),
        ("cpp", "int main() {\n    int a[‸]\n}\n", "10"),
        ("go", "package main\n\nfunc (‸)\n", "u *User"),
        ("rust", "fn add(‸)\n", "a: i32, b: i32"),
        ("php", "<?php\nforeach (‸)\n", "$items as $item"),
        ("lua", "local x = 1\nif foo(‸)\n", "x"),
        ("shellscript", "x=1\nif [[ ‸ ]]\n", '-f "$x"'),
        ("typescript", "const s = `Hello ${‸}`;\n", "name"),
    ],
)
def test_where_the_statement_is_not_finished_yet(
    language: str, document: str, text: str, by_hand: bool
) -> None:
    """The editor has closed brackets; what comes behind them is the user's to write."""
    assert shown(language, document, text, by_hand=by_hand) == text


@pytest.mark.parametrize(
    ("language", "document", "text", "expected"),
    [
        ("python", 'print("‸")\n', 'hello", name)\nprint("x")', "hello"),
        ("python", 'd = {"‸"}\n', 'a": 1, "b": 2}\n', "a"),
        ("python", 'x = f"Hello {‸}"\n', 'name}"\ny', "name"),
        ("cpp", 'int main() {\n    printf("‸");\n}\n', '%d\\n", x);\n    return', "%d\\n"),
        ("javascript", "import {‸}\n", 'useState } from "react";\nimport x', "useState "),
        ("javascript", "function f(a) {\n  if (‸)\n}\n", "a) {\n    b();\n  }\n}", "a"),
        ("javascript", "const s = `a ${‸}`;\n", "user.name()}, ${age}`;\nfoo", "user.name()"),
        ("ruby", 'puts "Hello #{‸}"\n', 'name}"\n', "name"),
    ],
)
def test_up_to_the_closer_that_the_editor_put_there(
    language: str, document: str, text: str, expected: str
) -> None:
    assert shown(language, document, text) == expected


@pytest.mark.parametrize(
    ("language", "document", "text"),
    [
        ("python", "x = 1\ndef foo(‸\n", "a, b):\n    return a + b\n\ny"),
        ("python", "if x and (‸\n", "y or z):\n    pass\n\ny"),
        ("javascript", "function f(a) {\n  if (‸\n}\n", "a) {\n    b();\n  }\n}"),
        ("javascript", "const f = (‸\n", "a, b) => {\n  return a;\n};\nfoo"),
        ("typescript", "try {\n  a();\n} catch (‸\n", "e) {\n  g(e);\n}\n\nfoo"),
        ("go", "package main\n\nfunc add(‸\n", "a, b int) int {\n\treturn a + b\n}\n\nfunc"),
        (
            "csharp",
            "class A {\n    void F() {\n        if (‸\n    }\n}\n",
            "x == null)\n        {\n            return;\n        }\n    }",
        ),
        ("lua", "local x = 1\nlocal function foo(‸\n", "a, b)\n  return a + b\nend\n\nx"),
        # blocks that need another one, and expressions
        (
            "javascript",
            "async function f() {\n  try {‸\n}\n",
            "\n    await g();\n  } catch (e) {\n    h(e);\n  }\n}",
        ),
        (
            "javascript",
            "fetch(u).then((r) => {‸\n",
            "\n  return r.json();\n}).then((d) => {\n  g(d);\n});\nfoo",
        ),
        (
            "java",
            "class A {\n    void f() {\n        try {‸\n",
            "\n            g();\n        } catch (E e) {\n            h();\n        }\n    }",
        ),
        (
            "csharp",
            "class A\n{\n  void F()\n  {\n    try\n    {‸\n  }\n}\n",
            "\n      G();\n    }\n    catch (E e)\n    {\n      H(e);\n    }\n  }",
        ),
        (
            "rust",
            "fn f() -> i32 {\n    let x = if a {‸\n    x\n}\n",
            "\n        1\n    } else {\n        2\n    };\n    x",
        ),
        ("cpp", 'extern "C" {‸\n', "\n\nint f();\n\n}\n\nint"),
        # lines that go on by their last character
        ("shellscript", "cd x && \\\n  ‸\necho\n", "make && \\\n  make install\necho"),
        ("dockerfile", "FROM python\n‸\n", "RUN pip install \\\n    a \\\n    b\nCOPY"),
        # closers of blocks in one another are no circle
        (
            "lua",
            "local function f(t)‸\n\nreturn f\n",
            "\n  for i, v in t do\n    if v then\n      if u then\n        g(v)\n      end\n    end"
            "\n  end\nend\n\nreturn",
        ),
        (
            "shellscript",
            "f() {‸\n",
            "\n  if a; then\n    if b; then\n      if c; then\n        d\n      fi\n    fi\n  fi\n}"
            "\n\nf",
        ),
    ],
)
def test_up_to_the_end_of_the_statement(language: str, document: str, text: str) -> None:
    """All but the text's last line, which begins something else."""
    assert shown(language, document, text) == text[: text.rindex("\n")].rstrip()


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize(
    ("language", "document", "text"),
    [
        ("python", PY_BODY, "if not x:\n        return result"),
        ("python", PY_BODY.replace("‸", "if not x:\n        ‸"), "return result"),
        ("go", GO_BODY, "if err != nil {\n\t\treturn nil, err\n\t}"),
        ("javascript", JS_BODY, "if (!a) {\n    return Promise.resolve(a);\n  }"),
    ],
)
def test_an_early_return_is_no_repeat_of_the_last_one(
    language: str, document: str, text: str, by_hand: bool
) -> None:
    assert shown(language, document, text, by_hand=by_hand) == text


@pytest.mark.parametrize(
    ("language", "document", "text", "expected"),
    [
        (
            "typescript",
            "function f() {\n  items.forEach((item) => {‸});\n}\n",
            "\n    log(item);\n  });\n}",
            "\n    log(item);\n  ",
        ),
        ("go", "func f() {\n\tif x {‸}\n}\n", "\n\t\treturn\n\t}\n}", "\n\t\treturn\n\t"),
        ("python", "def f():\n    x = [‸]\n", "\n        1,\n    ]\n", "\n        1,\n    "),
        # the lines below are the function's body, not the bracket's
        ("python", "def f(‸)\n    return a\n", "\n    a,\n    b,\n):\n    c", "\n    a,\n    b,\n"),
        ("json", '{\n  "a": {‸}\n}\n', '\n    "b": 2\n  }\n', '\n    "b": 2\n  '),
        # a bracket of its own reaches over lines that are less deep
        ("javascript", "setTimeout(‸)\n", "() => {\n  b();\n}, 10);", "() => {\n  b();\n}, 10"),
        (
            "python",
            "def f():\n    x.append(‸)\n",
            "{\n        1: 2,\n    })",
            "{\n        1: 2,\n    }",
        ),
        (
            "php",
            "<?php\n$a = f(‸);\n",
            "function ($x) {\n    g();\n}, $b);",
            "function ($x) {\n    g();\n}, $b",
        ),
    ],
)
def test_closers_stand_as_deep_as_their_openers(
    language: str, document: str, text: str, expected: str
) -> None:
    assert shown(language, document, text) == expected


@pytest.mark.parametrize(
    ("document", "text", "expected"),
    [
        ("def d():\n    ‸\n", "return x y", ""),
        ("def d():\n    ‸\n", "x = = 3", ""),
        ("def d():\n    ‸\n", "return x", "return x"),
        ("def d():\n    ‸\n", "return x\n    return y z", "return x"),
        (
            'def f(a, b):\n    """Add ‸\n    return a + b\n',
            'two numbers.\n\n    """',
            "two numbers.",
        ),
        ('"""‸\n\nimport os\n', 'Tools for x.\n\nMore."""\n\nimport os', "Tools for x."),
    ],
)
def test_python_bodies(document: str, text: str, expected: str) -> None:
    """An empty body is no error of the file's that a suggestion could stand for."""
    assert shown("python", document, text) == expected


@pytest.mark.parametrize(
    ("document", "text", "expected"),
    [
        ("x = ‸\n", "[0, 0, 0, 0, 0, 0, 0, 0]", "[0, 0, 0, 0, 0, 0, 0, 0]"),
        ('c.execute("VALUES (‸)", row)\n', "?, ?, ?, ?, ?, ?, ?, ?", "?, ?, ?, ?, ?, ?, ?, ?"),
        ('x = "‸"\n', "ab-" * 60, "ab-"),
    ],
)
def test_a_line_that_repeats_itself(document: str, text: str, expected: str) -> None:
    """A row of values is none; what goes on and on is."""
    assert shown("python", document, text) == expected


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize(
    ("language", "document", "text", "expected"),
    [
        ("toml", 'a = "‸"\nb = 1\n', 'x"\nc = 2\n', "x"),
        ("html", '<a href="‸">x</a>\n', 'x">y</a>\n', "x"),
        ("html", '<a href="‸">x</a>\n', '/x" class="y', '/x" class="y'),
        ("fish", "echo '‸'\n", "it\\'s'\nls\n", "it\\'s"),
        ("toml", 'a = ["‸"]\n', 'x", "y"]\nb = 1\n', 'x", "y'),
        ("toml", 'a = """‸"""\n', 'x"y"""\nb = 1\n', 'x"y'),
        ("javascript", "import { ‸ } from 'x';\n", "a, b } from 'x';", "a, b"),
        ("vue", "<p>{{ ‸ }}</p>\n", "name }}</p>", "name"),
        ("shellscript", 'if [ "$1" = ‸ ]; then\n', '"a" ]; then', '"a"'),
        ("python", "x = ‸ + 1\n", "a ", "a"),
        ("python", "x = ‸+ 1\n", "a ", "a "),
    ],
)
def test_what_stands_behind_the_cursor_is_not_written_twice(
    language: str, document: str, text: str, expected: str, by_hand: bool
) -> None:
    """Neither a quote, in languages without a parser, nor a space."""
    assert shown(language, document, text, by_hand=by_hand) == expected
