"""One engine for all editors, and each Neovim that is here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.editors.neovim import Neovim, binaries, neovim
from tests.home import own_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AREA = '''def area(width: float, height: float) -> float:
    """The area of a rectangle."""
    X


print(area(2, 3))
'''
SETTINGS = {"fim": {"model": "qwen2.5-coder-0.5b"}, "instruct": {"model": "qwen2.5-coder-0.5b"}}


@pytest.fixture(scope="session")
def home(qwen_small_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An engine of our own; the models are the user's, packed ones too."""
    with own_home(tmp_path_factory.mktemp("home"), qwen_small_path.parent) as home:
        yield home


@pytest.fixture(scope="session", params=binaries())
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
