from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from engine.errors import RequestError
from lsp_server.instruct.files import Files
from lsp_server.instruct.place import Place
from lsp_server.instruct.target import Target, target_of

if TYPE_CHECKING:
    from pathlib import Path


def target(root: Path, path: str, language: str, files: dict[str, str]) -> Target:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    place = Place(path, language, "", root=root.as_posix())
    return target_of(place, Files((root.as_posix(),)))


@pytest.mark.parametrize(
    ("path", "language", "files", "expected", "framework"),
    [
        ("shop/cart.py", "python", {"tests/a.py": ""}, "tests/test_cart.py", "pytest"),
        ("cart.py", "python", {"pyproject.toml": "pytest"}, "test_cart.py", "pytest"),
        ("shop/cart.py", "python", {"tests/shop/a": ""}, "tests/shop/test_cart.py", "pytest"),
        ("src/shop/cart.py", "python", {"tests/shop/a": ""}, "tests/shop/test_cart.py", "pytest"),
        (
            "cart.py",
            "python",
            {"tests/test_a.py": "import unittest\n\nclass A(unittest.TestCase): pass"},
            "tests/test_cart.py",
            "unittest",
        ),
        ("src/cart.ts", "typescript", {"src/a": ""}, "src/cart.test.ts", "node:test"),
        (
            "src/cart.ts",
            "typescript",
            {"src/a": "", "package.json": '{"devDependencies": {"vitest": "1"}}'},
            "src/cart.test.ts",
            "Vitest",
        ),
        ("pay/cart.go", "go", {"pay/a": ""}, "pay/cart_test.go", "the package testing"),
        (
            "src/main/java/a/Cart.java",
            "java",
            {"src/test/java/a/x": ""},
            "src/test/java/a/CartTest.java",
            "JUnit 5",
        ),
        ("lib/cart.rb", "ruby", {"spec/a": ""}, "spec/cart_spec.rb", "RSpec"),
        ("cart.cpp", "cpp", {"test/a": "", "CMakeLists.txt": "gtest"}, "test/test_cart.cpp", "Goo"),
    ],
)
def test_tests_go_where_the_project_has_them(
    tmp_path: Path, path: str, language: str, files: dict[str, str], expected: str, framework: str
) -> None:
    found = target(tmp_path, path, language, files)
    assert found.path == expected
    assert found.framework.startswith(framework)
    assert found.before is None


def test_the_file_that_is_there_goes_on(tmp_path: Path) -> None:
    files = {"tests/unit/a": "", "tests/test_cart.py": "import unittest\nunittest.TestCase\n"}
    found = target(tmp_path, "shop/cart.py", "python", files)
    assert (found.path, found.framework) == ("tests/test_cart.py", "unittest")
    assert found.before == files["tests/test_cart.py"]
    assert "`shop.cart`" in found.imports


@pytest.mark.parametrize("kind", ["pipe", "dangling link", "link", "folder that is a link"])
def test_tests_are_not_written_through_links_or_into_what_is_no_file(
    tmp_path: Path, kind: str
) -> None:
    root, outside = tmp_path / "w", tmp_path / "outside"
    (root / "tests").mkdir(parents=True)
    outside.mkdir()
    (outside / "there.py").touch()
    usual = root / "tests" / "test_cart.py"
    if kind == "pipe":
        os.mkfifo(usual)
    elif kind == "folder that is a link":
        (root / "tests").rmdir()
        (root / "tests").symlink_to(outside)
    else:
        usual.symlink_to(outside / ("there.py" if kind == "link" else "gone.py"))
    found = target(root, "cart.py", "python", {})
    assert found.path == ("test_cart.py" if "folder" in kind else "tests/cart_test.py")
    assert found.before is None


def test_without_a_file_for_tests_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "cart_test.go").symlink_to(tmp_path / "gone.go")
    with pytest.raises(RequestError, match=r"The tests would go to cart_test\.go"):
        target(tmp_path, "cart.go", "go", {})
