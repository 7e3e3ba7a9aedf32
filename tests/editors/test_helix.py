"""Helix with the configuration that docs/editors.md gives, where Helix can be had."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.command import CARET
from tests.editors.conftest import AREA
from tests.editors.fetch import EDITORS
from tests.editors.neovim import LOADING_S, wait
from tests.editors.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs" / "editors.md"
HELIX = EDITORS["Helix"].path
ASKS_AFTER_S = 5.0
PLAIN = "def area(width, height):\n    return width * height\n"
MODEL = '{ model = "qwen2.5-coder-0.5b" }'
SMALL = f"config = {{ fim = {MODEL}, instruct = {MODEL}, completion = {{ confidence = 0 }} }}\n"


def _snippet() -> str:
    """What the documentation says to write, for our own server and a small model."""
    section = DOCS.read_text("utf-8").split("## Helix")[1]
    found = re.search(r"```toml\n(.*?)```", section, re.DOTALL)
    assert found
    text = found[1].replace("/path/to/caret", CARET).replace('"pylsp", ', "")
    return text.replace('args = ["lsp"]\n', 'args = ["lsp"]\n' + SMALL)


@pytest.fixture(params=[HELIX] if HELIX.exists() else [])
def helix(request: pytest.FixtureRequest, home: Path, tmp_path: Path) -> Iterator[Terminal]:
    folder = tmp_path / "config" / "helix"
    folder.mkdir(parents=True)
    (folder / "languages.toml").write_text(_snippet())
    (tmp_path / "area.py").write_text(AREA)
    binary: Path = request.param
    environment = os.environ | {
        "CARET_HOME": str(home),
        "HELIX_RUNTIME": str(binary.parent / "runtime"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    terminal = Terminal([str(binary), str(tmp_path / "area.py")], environment)
    yield terminal
    terminal.close()


def test_the_popup_completes(helix: Terminal, tmp_path: Path) -> None:
    wait(lambda: helix.shows("def area"))
    helix.keys("/X\rc")
    wait(lambda: helix.shows("INS"))
    helix.keys("ret")
    wait(lambda: _offered(helix), LOADING_S)
    helix.keys("\x0e")  # Ctrl-N chooses
    wait(lambda: helix.shows("3      return width"))
    helix.keys("\r")
    wait(lambda: not helix.shows("Caret"))
    helix.keys("\x1b")
    wait(lambda: helix.shows("NOR"))
    helix.keys(":w\r")
    wait(lambda: "    return width * height\n" in (tmp_path / "area.py").read_text())


def _offered(helix: Terminal) -> bool:
    """Helix asks once for a word, and while the model loads, the answer is empty: ask anew."""
    helix.keys("\x7ft")
    end = time.monotonic() + ASKS_AFTER_S
    while not (found := helix.shows("return width")) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def test_a_code_action_documents(helix: Terminal, tmp_path: Path) -> None:
    """Its edit comes when it is chosen, for which Helix waits."""
    path = tmp_path / "plain.py"
    path.write_text(PLAIN)
    wait(lambda: helix.shows("def area"))
    helix.keys(f":open {path}\r")
    wait(lambda: helix.shows("width * height"))
    wait(lambda: _menu(helix), LOADING_S)
    helix.keys("\r")  # the first
    wait(lambda: helix.shows('"""'), LOADING_S)
    helix.keys(":w\r")
    wait(lambda: path.read_text() != PLAIN)
    lines = path.read_text().splitlines()
    assert lines[1].lstrip().startswith('"""')
    assert [lines[0], lines[-1]] == PLAIN.splitlines()


def _menu(helix: Terminal) -> bool:
    """Open the menu; where the server is not there yet, Helix says so and opens none."""
    helix.keys(" a")
    end = time.monotonic() + ASKS_AFTER_S
    while not (found := helix.shows("Document `area`")) and time.monotonic() < end:
        time.sleep(0.02)
    return found
