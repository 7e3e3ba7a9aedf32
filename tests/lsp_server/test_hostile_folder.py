"""Caret in a folder full of traps: no command and no process of its own runs any of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from bench.evals.sandbox import Sandbox
from tests.command import caret
from tests.pipe import DEADLINE_S, STATUS, Server, initialize, notification, running
from tests.torture import hostile
from tests.traps import ROOT, Traps

if TYPE_CHECKING:
    from collections.abc import Iterator

IMPORTED_BY_PYTHON = "import runpy, sys; print(*{name.split('.')[0] for name in sys.modules})"
"""Before it runs a line of ours, and also from PYTHONPATH or for `-m`, from where it is started."""
COMMANDS = [
    *("models", "stats", "complete a.py:1:1", "pull qwen2.5-coder-0.5b", "demo", "ask why"),
    *("doctor", "quantize qwen2.5-coder-1.5b int8", "bench peer", "eval confidence --help"),
]
"""Each fails early, for want of a model, when it has started all that it starts."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An environment without models, in which nothing can be downloaded."""
    folder = tmp_path_factory.mktemp("home")
    yield os.environ | {
        "CARET_HOME": str(folder),
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": os.devnull,
    }
    caret("engine", "--stop", environment=os.environ | {"CARET_HOME": str(folder)})


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Traps:
    """The whole folder."""
    return Traps(tmp_path_factory.mktemp("hostile") / "all")


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Traps:
    """A folder that may be in PYTHONPATH: what Python imports before Caret lies elsewhere."""
    asked = [sys.executable, "-I", "-c", IMPORTED_BY_PYTHON]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    spared = {*done.stdout.split(), "sitecustomize", "usercustomize", "lsp_server"}
    folder = tmp_path_factory.mktemp("hostile")
    # In vain it also looks for modules of other systems, and more of them in an editable install.
    tried = Traps(folder / "tried", spared)
    search = os.environ | {"PYTHONPATH": str(tried.folder)}
    subprocess.run([sys.executable, "-P", "-c", "pass"], env=search, check=True)
    spared |= {name.removeprefix("module ") for name in tried.snapped}
    return Traps(folder / "searched", spared)


def dirty(home: dict[str, str], traps: Traps) -> dict[str, str]:
    """Return an environment that leads to the folder wherever one can."""
    return home | {
        "PYTHONPATH": f".:{traps.folder}:src",
        "PATH": f".::{traps.folder}:{home['PATH']}",
        "LD_LIBRARY_PATH": ":.",
        "MATPLOTLIBRC": ".",
        "PIP_CONFIG_FILE": "pip.conf",
        "PYTHONBREAKPOINT": "evil.run",
        "PYTHONSTARTUP": "evil.py",
        "PYTHONUSERBASE": ".",
    }


@pytest.mark.parametrize("line", COMMANDS)
def test_commands(home: dict[str, str], searched: Traps, line: str) -> None:
    done = caret(*line.split(), cwd=searched.folder, environment=dirty(home, searched))
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr
    assert searched.snapped == []


def test_the_module_as_a_command(home: dict[str, str], searched: Traps) -> None:
    command = [sys.executable, "-m", "lsp_server", "models"]
    subprocess.run(command, cwd=searched.folder, env=home, check=True, capture_output=True)
    assert searched.snapped == []


def test_the_language_server(
    home: dict[str, str], traps: Traps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(traps.folder)
    path = f".::{traps.folder}:{home['PATH']}"
    with running(home | {"PATH": path}) as server:
        # With its defaults, so that it has an index and an engine.
        folders = [{"uri": traps.folder.as_uri(), "name": "hostile"}]
        server.send(initialize(workspaceFolders=folders, initializationOptions={}))
        server.answer(1)
        server.send(notification("initialized", {}))
        deadline = time.monotonic() + DEADLINE_S
        while _indexed(server) is None:
            assert time.monotonic() < deadline
    assert traps.snapped == []


def _indexed(server: Server) -> int | None:
    server.send(STATUS)
    files: int | None = server.answer(99)["result"]["context"]["files"]
    return files


def test_a_plot(home: dict[str, str], searched: Traps) -> None:
    draw = "from bench.plot import load_pyplot; print(load_pyplot().get_backend())"
    done = subprocess.run(
        [sys.executable, "-P", "-c", draw],
        cwd=searched.folder,
        env=home,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "svg\n"
    assert searched.snapped == []


def test_what_a_model_wrote(traps: Traps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(traps.folder)
    monkeypatch.setenv("PATH", f".::{traps.folder}:{os.environ['PATH']}")
    assert Sandbox().run("import json, queue, requests_that_is_nowhere").why.startswith("ModuleNot")
    assert traps.snapped == []


def test_the_package_of_the_extension(home: dict[str, str], searched: Traps) -> None:
    command = [sys.executable, str(ROOT / "editors" / "vscode" / "package.py"), "caret.vsix"]
    without_npm = home | {"PATH": f".::{searched.folder}"}
    done = subprocess.run(
        command, cwd=searched.folder, env=without_npm, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert searched.snapped == []


def test_names_patterns_and_credentials() -> None:
    """The short form of a row of `make torture`."""
    assert hostile.run(seed=1, scale=0.05).off == ()
