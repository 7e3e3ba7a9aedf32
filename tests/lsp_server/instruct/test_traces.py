from __future__ import annotations

import pytest

from lsp_server.instruct.traces import Frame, frames

PYTHON = """Traceback (most recent call last):
  File "/app/shop/cart.py", line 12, in total
    return sum(prices)
  File "/app/shop/price.py", line 3, in <genexpr>
TypeError: unsupported operand type(s)
"""
NODE = """/app/cart.js:7
    throw new Error("x")
    ^
Error: x
    at total (/app/cart.js:7:11)
    at Object.<anonymous> (/app/main.js:2:1)
    at node:internal/main/run_main_module:28:49
    at file:///app/last.mjs:9:1
"""
JAVA = """Exception in thread "main" java.lang.NullPointerException
\tat com.acme.shop.Cart.total(Cart.java:12)
\tat com.acme.Main.main(Main.java:5)
\tat java.base/java.lang.Thread.run(Thread.java:840)
"""
GCC = """src/cart.c: In function 'total':
src/cart.c:12:5: error: expected ';' before 'return'
   12 |     return 1
"""
RUST = """error[E0308]: mismatched types
  --> src/cart.rs:12:5
   |
thread 'main' panicked at src/main.rs:4:10:
"""
GO = """panic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
main.total(...)
\t/app/cart.go:12 +0x1d
main.main()
\t/app/main.go:5 +0x2
"""
PYTEST = """    def test_total():
>       assert total([1]) == 2
E       assert 1 == 2

tests/test_cart.py:9: AssertionError
FAILED tests/test_cart.py::test_total - assert 1 == 2
"""


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (PYTHON, [("/app/shop/cart.py", 12), ("/app/shop/price.py", 3)]),
        (NODE, [("/app/cart.js", 7), ("/app/main.js", 2), ("/app/last.mjs", 9)]),
        (GCC, [("src/cart.c", 12)]),
        (RUST, [("src/cart.rs", 12), ("src/main.rs", 4)]),
        (GO, [("/app/cart.go", 12), ("/app/main.go", 5)]),
        (PYTEST, [("tests/test_cart.py", 9)]),
        ("cart.ts(3,9): error TS2322: no", [("cart.ts", 3)]),
        ("PHP Fatal error: x in /app/cart.php on line 4", [("/app/cart.php", 4)]),
        ("cart.rb:3:in `total': x\n\tfrom main.rb:1:in `main'", [("cart.rb", 3), ("main.rb", 1)]),
        ("    cart_test.go:12: got 3", [("cart_test.go", 12)]),
        ("12:30:01 nothing here: 5", []),
        ("", []),
    ],
)
def test_frames(output: str, expected: list[tuple[str, int]]) -> None:
    assert frames(output) == [Frame(path, line - 1) for path, line in expected]


def test_javas_packages_are_folders() -> None:
    assert frames(JAVA)[:2] == [
        Frame("com/acme/shop/Cart.java", 11),
        Frame("com/acme/Main.java", 4),
    ]
