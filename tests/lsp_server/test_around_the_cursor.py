"""A suggestion fits what stands around the cursor: rest of the line, brackets and depth."""

from __future__ import annotations

import pytest

from tests.drafted import shown


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize(
    ("language", "document", "text", "expected"),
    [
        ("markdown", "Not ‸ual`≠`\n", "eq ual `≠`", "eq "),
        ("markdown", "Not ‸ual|`≠`\n", "equal | `≠`\n", "eq"),
        ("markdown", "| a | b | c |\n| a |‸ | c |\n", " b  | c |\n", " b"),
        ("markdown", "| a | b | c |\n| a | ‸ | c |\n", "b |  c |\n| d | e | f |", "b"),
        ("markdown", "see [text](‸) and more\n", "https://x.org)  and more", "https://x.org"),
        ("markdown", "see [text](‸) and more\n", "https://x.org) and more.\n", "https://x.org"),
        ("markdown", "- [ ] ‸ (todo)\n", "write it  (todo)", "write it"),
        ("html", "<p>‸</p>\n", "Hello </p>", "Hello "),
        ("html", "<p>‸</p>\n", "Hello</p >\n<p>x</p>", "Hello"),
        ("html", '<a href="‸">x</a>\n', 'https://x"> x</a>', "https://x"),
        ("json", '{"a": ‸, "b": 2}\n', '1,  "b": 2}', "1"),
        ("json", '{"a": ‸, "b": 2}\n', '{"x": 1}, "b" : 2 }', '{"x": 1}'),
        ("dockerfile", "RUN a && ‸ && c\n", "b &&  c", "b"),
        ("dockerfile", "RUN a && ‸ && c\n", "b && c\nRUN d", "b"),
        ("shellscript", "a | ‸ | c\n", "b\t|  c", "b"),
        ("python", "x = {'a': ‸, 'b': 2}\n", "1,'b':2}", "1"),
        ("python", "return a + ‸ + c\n", "b+c", "b"),
        ("python", "x = ‸  # why\n", "1 # why", "1"),
        ("sql", "SELECT ‸ FROM t;\n", "a, b  FROM  t;", "a, b"),
        ("plaintext", "A ‸ over the dog.\n", "fox jumps  over the  dog.", "fox jumps"),
    ],
)
def test_the_rest_of_the_line_stands_there_once(
    language: str, document: str, text: str, expected: str, by_hand: bool
) -> None:
    """Texts that differ only in white space count as the same."""
    assert shown(language, document, text, by_hand=by_hand) == expected


@pytest.mark.parametrize(
    ("document", "text", "expected"),
    [
        ("x = max(‸)\n", "1, 2)", "1, 2"),
        ("x = np.array(‸)\n", "[1, 2, 3])", "[1, 2, 3]"),
        ("x = np.array(‸)\n", "[1, 2, 3] )\n", "[1, 2, 3] "),
        ('f("‸")\n', 'a b")', "a b"),
        ("x = [‸]\n", "1, (2, 3)]", "1, (2, 3)"),
        ("x = {‸}\n", "'a': [1]}", "'a': [1]"),
        ("f(a, ‸)\n", "g(b))", "g(b)"),
        ("f(a, ‸)\n", "b[0]", "b[0]"),
        ("f(g(‸))\n", "1), 2)", "1"),
        ("x = {'a': [‸]}\n", "1]}", "1"),
    ],
)
def test_brackets_balance_where_the_editor_has_closed_them(
    document: str, text: str, expected: str
) -> None:
    assert shown("python", document, text) == expected


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize(
    ("language", "document", "text"),
    [
        ("shellscript", "if [ ‸ ]; then\n", "-f x"),
        ("javascript", "for (let i = 0; ‸; i++) {\n", "i < n"),
        ("lua", "if ‸ then\n", "x == 1"),
        ("c", "while (‸ && b) {\n", "a"),
        ("go", "for i := 0; ‸; i++ {\n", "i < n"),
        ("python", "if x and ‸ else 3\n", "y"),
    ],
)
def test_a_line_whose_block_is_not_written_yet_is_completed(
    language: str, document: str, text: str, by_hand: bool
) -> None:
    """Errors that are there without the suggestion do not count against it."""
    assert shown(language, document, text, by_hand=by_hand) == text


RUBY = "class A\n  def x\n    1\n  end\n{}‸\nend\n"
RUBY_TEXT = "def y\n    2\n  end"
TABBED = "function f() {{\n\tif (a) {{\n\t\tb();\n\t}}\n{}‸\n}}\n"
YAML = "a:\n  b: 1\n{}‸\n"
GO = "func f() {{\n\tx := 1\n{}‸\n}}\n"
JAVA = "class A {{\n    void f() {{\n        a();\n{}‸\n    }}\n}}\n"
CLASS = "class A:\n    def x(self):\n        return 1\n\n{}‸\n\nb = 1\n"


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize(
    ("language", "document", "heads", "texts", "expected"),
    [
        ("ruby", RUBY, ("", " ", "  "), (RUBY_TEXT, f"  {RUBY_TEXT}"), f"  {RUBY_TEXT}"),
        ("javascript", TABBED, ("", "\t"), ("\treturn 1;", "    return 1;"), "\treturn 1;"),
        ("yaml", YAML, (" ", "  "), ("c: 2", "  c: 2", " c: 2"), "  c: 2"),
        ("makefile", "all:\n{}‸\n", ("", "\t"), ("cc a", "\tcc a", "    cc a"), "\tcc a"),
        ("python", CLASS, (" ",), ("y = 2", "    y = 2"), "    y = 2"),
        ("python", CLASS, ("",), ("    y = 2",), "    y = 2"),
        ("go", GO, ("", "\t"), ("return x", "\treturn x"), "\treturn x"),
        ("rust", "fn f() {{\n    g();\n{}‸\n}}\n", ("", "  "), ("x + 1",), "    x + 1"),
        ("java", JAVA, ("", "    "), ("b();", "        b();"), "        b();"),
        ("lua", "if a then\n{}‸\nend\n", ("",), ("b()", "    b()"), "    b()"),
    ],
)
def test_a_caret_that_is_not_as_deep_as_the_code(
    language: str,
    document: str,
    heads: tuple[str, ...],
    texts: tuple[str, ...],
    expected: str,
    by_hand: bool,
) -> None:
    """The suggestion brings the depth that is lacking, and none that is there."""
    for head in heads:
        for text in texts:
            brought = shown(language, document.format(head), text, by_hand=by_hand)
            assert head + brought == expected, (head, text)


@pytest.mark.parametrize(
    ("language", "document", "text"),
    [
        ("python", "x = f(a,\n      ‸\n", "      b)"),
        ("c", "void f() {\n‸\n}\n", "#define X 1"),
        ("markdown", "Items:\n‸\n", "- one"),
        ("yaml", "a:\n‸\n", "b: 1"),
        ("cpp", "namespace a {\n‸\n}\n", "int b();"),
        ("go", "func f() {\n\tx := 1\n}\n‸\n", "func g() {}"),
        ("go", "func f() {\n\tx := 1\n‸", "}"),
        ("c", "void f() {\n  switch (x) {\n  case 1:\n    g();\n  ‸\n", "case 2:"),
    ],
)
def test_depth_that_means_something_stays(language: str, document: str, text: str) -> None:
    assert shown(language, document, text) == text


def test_a_new_depth_that_the_model_wrote_stays() -> None:
    document = (
        "def f(x):\n    odd = []\n    for i in x:\n‸\n            odd.append(i)\n    return odd\n"
    )
    for by_hand in (False, True):
        text = shown("python", document, "        if odd(i):\n", by_hand=by_hand)
        assert text == "        if odd(i):"
