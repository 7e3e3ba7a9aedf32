"""Processes of Caret's get nothing from the folder that it is started in."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from engine import spawn
from tests.traps import ROOT, Traps

SOURCES = [
    path
    for folder in ("lsp_server", "engine", "quant", "bench", "editors")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path != Path(spawn.__file__) and "node_modules" not in path.parts
]
STARTERS = {"subprocess", "multiprocessing", "pty", "_posixsubprocess"}
"""Modules that are there to start processes."""
CALLS = (
    "create_subprocess",
    "exec",
    "fork",
    "popen",
    "posix_spawn",
    "spawn",
    "startfile",
    "system",
)
"""Beginnings of functions of `os` and `asyncio` that start processes."""
_TOLD = "import json, os, sys; print(json.dumps([sys.path, os.getcwd(), dict(os.environ)]))"


def starts(tree: ast.AST) -> list[str]:
    """Return the ways to start a process that a module uses when it runs."""
    typing = [node for node in ast.walk(tree) if _is_for_types(node)]
    skipped = {inner for node in typing for inner in ast.walk(node)}
    found = [_way(node) for node in ast.walk(tree) if node not in skipped]
    return [way for way in found if way]


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _way(node: ast.AST) -> str:
    match node:
        case ast.Import(names=names):
            wanted = [name.name for name in names]
        case ast.ImportFrom(module=str(module), names=names):
            wanted = [module, *(f"{module}.{name.name}" for name in names)]
        case ast.Attribute(value=ast.Name(id="os" | "asyncio" as module), attr=name):
            wanted = [f"{module}.{name}"]
        case _:
            return ""
    for name in wanted:
        package, _, function = name.partition(".")
        if package in STARTERS or (package in ("os", "asyncio") and function.startswith(CALLS)):
            return name
    return ""


def test_no_other_module_starts_processes() -> None:
    found = {str(path): starts(ast.parse(path.read_text("utf-8"))) for path in SOURCES}
    assert len(found) > 100
    assert {path: ways for path, ways in found.items() if ways} == {}


@pytest.mark.parametrize(
    "line",
    [
        *("import subprocess", "from subprocess import run", "import multiprocessing.pool"),
        *("os.execv(a, b)", "from os import fork", "os.posix_spawn(a, b, c)", "os.system(a)"),
        *("asyncio.create_subprocess_exec(a)", "from asyncio import create_subprocess_shell"),
    ],
)
def test_each_way_to_start_one_is_seen(line: str) -> None:
    assert starts(ast.parse(line))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a module and a program in it."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "tool").write_text("#!/bin/sh\n")
    (folder / "tool").chmod(0o755)
    monkeypatch.chdir(folder)
    return folder


def told(**variables: str) -> tuple[list[str], str, dict[str, str]]:
    """Return a child's search path, working directory and environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        command = [sys.executable, "-P", "-c", _TOLD]
        path, folder, environment = json.loads(spawn.run(command).stdout)
    return path, folder, environment


def test_a_child_works_elsewhere_and_finds_what_its_parent_finds(here: Path) -> None:
    path, folder, environment = told(PYTHONPATH=str(here), PYTHONOPTIMIZE="1", PYTHONWARNINGS="")
    assert folder == "/"
    assert str(here) not in path
    assert "" not in path
    assert "PYTHONPATH" not in environment
    assert environment["PYTHONOPTIMIZE"] == "1"
    assert spawn.run(spawn.python("engine", "--help")).returncode == 0


@pytest.mark.parametrize("entry", ["", ".", "src", "{here}", "{here}/src"])
def test_what_a_search_path_loses(here: Path, entry: str, tmp_path: Path) -> None:
    entry = entry.format(here=here)
    elsewhere = str(tmp_path / "store")
    own = os.pathsep.join([entry, str(ROOT), elsewhere])
    lost = {"PATH": f"{entry}:/usr/bin:/bin", "LD_LIBRARY_PATH": f"{elsewhere}:{entry}"}
    _, _, environment = told(PYTHONPATH=own, **lost)
    # Caret is found by the variable here, so what lies elsewhere counts.
    assert environment["PYTHONPATH"] == os.pathsep.join([str(ROOT), elsewhere])
    assert environment["PATH"] == "/usr/bin:/bin"
    assert environment["LD_LIBRARY_PATH"] == elsewhere


def test_a_home_of_carets_is_the_same_for_a_child(here: Path) -> None:
    assert told(CARET_HOME="home")[2]["CARET_HOME"] == str(here / "home")
    assert told(CARET_HOME="")[2]["CARET_HOME"] == ""


def test_modules_of_an_unrelated_folder_do_not_count(tmp_path: Path) -> None:
    _, _, environment = told(PYTHONPATH=str(tmp_path))
    assert "PYTHONPATH" not in environment


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PYTHONSTARTUP", "/x.py"), ("PYTHONINSPECT", "1"), ("PYTHONBREAKPOINT", "evil.run")),
        *(("PYTHONUSERBASE", "."), ("PYTHONPYCACHEPREFIX", "cache"), ("PYTHONEXECUTABLE", "/x")),
        *(("PYTHON_PRESITE", "evil"), ("PYTHONCASEOK", "1"), ("PYTHONIOENCODING", "utf-16")),
    ],
)
def test_what_decides_for_python_is_not_passed_on(name: str, value: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        assert name not in spawn.environment()


@pytest.mark.parametrize("entry", ["", ".", "{here}"])
def test_programs_are_not_looked_for_in_the_working_directory(
    here: Path, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{entry.format(here=here)}:/bin")
    assert spawn.program("tool") is None
    assert spawn.program("sh") == "/bin/sh"


def test_a_program_beside_the_workspace_is_found(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(here))
    assert spawn.program("tool") is None
    monkeypatch.setenv("HOME", str(here))  # an editor that is started in a folder around the home
    assert spawn.program("tool") == str(here / "tool")


def test_the_installation_may_lie_in_the_workspace(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(here / ".venv"))
    monkeypatch.setenv("PATH", f"{here}/.venv/bin:{here}/node_modules/.bin:/bin")
    assert spawn.environment()["PATH"] == f"{here}/.venv/bin:/bin"


def test_a_working_directory_that_was_removed(here: Path) -> None:
    (here / "tool").unlink()
    here.rmdir()
    assert told(PATH=f"{here}:/bin")[1] == "/"


async def test_a_child_with_pipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    traps = Traps(tmp_path / "workspace")
    monkeypatch.chdir(traps.folder)
    process = await spawn.converse([sys.executable, "-P", "-c", "print(input())"], limit=100)
    async with asyncio.timeout(60):
        written, _ = await process.communicate(b"a\n")
    assert written == b"a\n"
    assert traps.snapped == []
