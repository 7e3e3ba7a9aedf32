"""One engine for all editors, and each Neovim that is here.

What an editor shows at the end of a test is kept under `artefacts/editors`, which git ignores.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.editors import code_server
from tests.editors.neovim import Neovim, binaries, neovim, oldest_and_newest
from tests.editors.plugins import ALL
from tests.editors.terminal import Terminal
from tests.home import own_home

if TYPE_CHECKING:
    from collections.abc import Iterator

# What is on GitHub alone is tested where somebody has fetched it: `make test-plugins`.
collect_ignore = [] if all(one.path.exists() for one in ALL) else ["test_neovim_plugins.py"]
ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "editors"
FIGURES = pytest.StashKey[list[str]]()
AREA = '''def area(width: float, height: float) -> float:
    """The area of a rectangle."""
    X


print(area(2, 3))
'''
SETTINGS = {
    "fim": {"model": "qwen2.5-coder-0.5b"},
    "instruct": {"model": "qwen2.5-coder-0.5b"},
    "completion": {"confidence": 0},
}
"""A small model in odd texts is unsure; what an editor makes of its suggestions is tested here."""


@pytest.fixture(scope="session")
def home(qwen_small_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An engine of our own; the models are the user's, packed ones too."""
    with own_home(tmp_path_factory.mktemp("home"), qwen_small_path.parent) as home:
        yield home


@pytest.fixture(scope="session")
def vsix() -> Path:
    """The extension for VS Code; with it comes what its own tests and checks need."""
    return code_server.vsix()


@pytest.fixture(scope="session", params=oldest_and_newest())
def started(request: pytest.FixtureRequest, home: Path) -> Iterator[Neovim]:
    """A Neovim with a loaded model."""
    version: str = request.param
    folder = home / version
    folder.mkdir()
    with neovim(binaries()[version], folder, {"settings": SETTINGS}) as editor:
        editor.open(folder / "a.py", AREA)
        yield editor


@pytest.fixture
def editor(started: Neovim, tmp_path: Path) -> Neovim:
    """One with a function to complete in a new file."""
    started.open(tmp_path / "area.py", AREA)
    return started


@pytest.fixture
def figures(pytestconfig: pytest.Config) -> list[str]:
    """Lines for people, which stand below the tests' results; nothing is asserted of them."""
    return pytestconfig.stash.setdefault(FIGURES, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Function) -> Iterator[None]:
    """Keep the screens, also where a test fails."""
    try:
        yield
    finally:
        editors = [one for one in item.funcargs.values() if isinstance(one, Neovim | Terminal)]
        if editors:
            ARTEFACTS.mkdir(parents=True, exist_ok=True)
            path = ARTEFACTS / f"{re.sub(r'[^A-Za-z0-9.-]+', '_', item.name)}.svg"
            path.write_text(editors[-1].picture(item.name), "utf-8")
