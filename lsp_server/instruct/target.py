"""Where the tests of a file go, and with what they are written: as the project does it already."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from engine.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lsp_server.instruct.files import Files
    from lsp_server.instruct.place import Place


@dataclass(frozen=True, slots=True)
class Target:
    """A file of tests."""

    path: str
    """Relative to the workspace folder."""
    framework: str
    """As the prompt names it, such as `pytest`."""
    imports: str = ""
    """A sentence for the prompt: how a test gets at the code."""
    before: str | None = None
    """Its text, if it is there already."""
    module: str = ""
    """What Python imports the tested file as."""


@dataclass(frozen=True, slots=True)
class _Habit:
    """How tests are written in a language."""

    names: tuple[str, ...]
    """Of the file for `{stem}`, the most usual first; `{Stem}` begins with a capital."""
    folders: tuple[str, ...]
    """Where they go, the most usual first; "" is beside the code."""
    framework: str
    """Where nothing tells another one."""
    signs: tuple[tuple[str, str, str], ...] = ()
    """File that tells, pattern in it, framework."""


_JS = _Habit(
    ("{stem}.test{suffix}", "{stem}.spec{suffix}"),
    ("", "__tests__", "test", "tests"),
    "node:test and node:assert",
    (
        ("package.json", r'"vitest"', "Vitest"),
        ("package.json", r'"jest"|"ts-jest"', "Jest"),
        ("package.json", r'"mocha"', "Mocha"),
    ),
)
_CPP = _Habit(
    ("test_{stem}{suffix}", "{stem}_test{suffix}"),
    ("tests", "test", ""),
    "assert() and a main function",
    (
        ("CMakeLists.txt", r"(?i)gtest|googletest", "GoogleTest"),
        ("CMakeLists.txt", r"(?i)catch2", "Catch2"),
        ("meson.build", r"(?i)gtest", "GoogleTest"),
    ),
)
_HABITS = {
    "python": _Habit(
        ("test_{stem}.py", "{stem}_test.py"),
        ("tests", "test", ""),
        "pytest",
        (("pyproject.toml", r"pytest", "pytest"), ("setup.cfg", r"pytest", "pytest")),
    ),
    "javascript": _JS,
    "javascriptreact": _JS,
    "typescript": _JS,
    "typescriptreact": _JS,
    "go": _Habit(("{stem}_test.go",), ("",), "the package testing"),
    "java": _Habit(
        ("{Stem}Test.java",),
        ("",),
        "JUnit 5",
        (
            ("pom.xml", r"<artifactId>junit</artifactId>", "JUnit 4"),
            ("pom.xml", "testng", "TestNG"),
        ),
    ),
    "csharp": _Habit(("{Stem}Tests.cs",), ("tests", "test", ""), "xUnit"),
    "php": _Habit(("{Stem}Test.php",), ("tests", ""), "PHPUnit"),
    "ruby": _Habit(
        ("{stem}_spec.rb", "test_{stem}.rb"),
        ("spec", "test"),
        "RSpec",
        (("Gemfile", "minitest", "Minitest"), ("Rakefile", r"TestTask", "Minitest")),
    ),
    "rust": _Habit(("{stem}.rs",), ("tests",), "the built-in test attribute"),
    "cpp": _CPP,
    "c": _CPP,
    "lua": _Habit(("{stem}_spec.lua",), ("spec", "tests"), "busted"),
    "shellscript": _Habit(("{stem}.bats",), ("tests", "test"), "Bats"),
}
_OTHER = _Habit(("test_{stem}{suffix}",), ("tests", ""), "the usual framework of the language")


def target_of(place: Place, files: Files) -> Target:
    """Return where the tests of a place's file go: the file that tests it already, else a new one.

    Raises:
        RequestError: each file that they could go to is there and may not be read, or is a link.
    """
    habit = _HABITS.get(place.language, _OTHER)
    paths = [path for path in _paths(place, habit) if files.takes(place.root, path)]
    if not paths:
        first = next(_paths(place, habit))
        raise RequestError(
            f"The tests would go to {first}, which is there and cannot be used: it is no text "
            "file, may not be read, or a symbolic link leads to it. Move it, and try again."
        )
    there = next((path for path in paths if files.read(place.root, path) is not None), None)
    path = there or next(filter(_folder_is(place.root), paths), paths[0])
    before = files.read(place.root, there) if there else None
    framework = _framework(place, files, habit, before)
    return Target(path, framework, _imports(place), before, _module(place))


def _paths(place: Place, habit: _Habit) -> Iterator[str]:
    """Where the tests may be, the most usual place first."""
    pure = PurePosixPath(place.path)
    stem = pure.stem
    names = [
        name.format(stem=stem, Stem=stem[:1].upper() + stem[1:], suffix=pure.suffix)
        for name in habit.names
    ]
    if "src/main/" in f"/{place.path}":
        at = PurePosixPath(place.path.replace("src/main/", "src/test/", 1)).parent
        yield from (str(at / name) for name in names)
    for folder in habit.folders:
        for name in names:
            if not folder or folder == "__tests__":
                yield str(pure.parent / folder / name)
                continue
            inner = [part for part in pure.parent.parts if part not in ("src", "lib")]
            yield str(PurePosixPath(folder, *inner, name))
            yield str(PurePosixPath(folder, *inner[1:], name))
            yield str(PurePosixPath(folder, name))


def _folder_is(root: str) -> Callable[[str], bool]:
    return lambda path: Path(root, path).parent.is_dir()


def _framework(place: Place, files: Files, habit: _Habit, before: str | None) -> str:
    """What the tests that are there use, or what the project's own files name."""
    if place.language == "python" and before and "unittest.TestCase" in before:
        return "unittest"
    for file, pattern, framework in habit.signs:
        text = files.read(place.root, file)
        if text and re.search(pattern, text):
            return framework
    if place.language == "python" and _uses_unittest(place.root, files):
        return "unittest"
    return habit.framework


def _uses_unittest(root: str, files: Files) -> bool:
    """Whether the tests beside the one to be written do."""
    for folder in ("tests", "test"):
        tests = sorted(Path(root, folder).glob("test*.py"))[:8] if root else []
        texts = [files.read(root, file.relative_to(root).as_posix()) or "" for file in tests]
        if texts and any(texts):
            return any("unittest.TestCase" in t for t in texts) and not any(
                re.search(r"^import pytest|^def test_", t, re.MULTILINE) for t in texts
            )
    return False


def _imports(place: Place) -> str:
    """How a test gets at the code, where that follows from the path."""
    module = _module(place)
    if not module:
        return f"The code under test is in `{place.path}`."
    return f"Import what is tested from `{module}`."


def _module(place: Place) -> str:
    """What Python imports a file as."""
    if place.language != "python":
        return ""
    parts = PurePosixPath(place.path).with_suffix("").parts
    return ".".join(part for part in parts if part not in ("src", "lib", "__init__"))
