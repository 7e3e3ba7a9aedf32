"""Emacs with the configurations that docs/editors.md gives, where Emacs can be had."""

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
    from collections.abc import Callable, Iterator

DOCS = Path(__file__).parents[2] / "docs" / "editors.md"
EMACS = EDITORS["Emacs"]
ASKS_AFTER_S = 2.0
SMALL = '(:fim (:model "qwen2.5-coder-0.5b"))'
COMPLETE, ACCEPT = "\x1b\t", "\x1b[27;5;13~"
"""M-TAB, and C-<return> as xterm has it."""
PACKAGES = """
(setq native-comp-enable-subr-trampolines nil)
(dolist (folder (file-expand-wildcards "{elpa}/*")) (push folder load-path))
(setq lsp-client-packages nil lsp-auto-guess-root t lsp-lens-enable nil)
(require 'lsp-mode)
(require 'lsp-inline-completion)
"""


def _snippet(section: str) -> str:
    """What the documentation says to write, for our own server."""
    found = re.search(rf"## {section}.*?```elisp\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert found
    return found[1].replace("/path/to/caret", CARET)


def _environment(folder: Path) -> dict[str, str]:
    """Debian's Emacs where it was unpacked, with a home that is empty."""
    share = next((EMACS.tree / "usr" / "share" / "emacs").glob("[0-9]*"))
    return {
        "HOME": str(folder),
        "EMACSLOADPATH": str(share / "lisp"),
        "EMACSDATA": str(share / "etc"),
        "EMACSDOC": str(share / "etc"),
        "EMACSPATH": str(next((EMACS.tree / "usr" / "libexec" / "emacs").glob("*/*"))),
    }


@pytest.fixture(params=[EMACS] if EMACS.path.exists() else [])
def start(home: Path, tmp_path: Path) -> Iterator[Callable[[str], Terminal]]:
    """Starts an Emacs with a configuration, the caret in an empty body."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "area.py").write_text(AREA.replace("X", ""))
    dumped = next((EMACS.tree / "usr" / "libexec").rglob("*.pdmp"))
    started = []

    def start(lisp: str) -> Terminal:
        (tmp_path / "init.el").write_text(lisp)
        environment = os.environ | _environment(tmp_path) | {"CARET_HOME": str(home)}
        options = [f"--dump-file={dumped}", "-Q", "-nw", "-l", str(tmp_path / "init.el")]
        place = ["+3:5", str(tmp_path / "area.py")]
        started.append(Terminal([str(EMACS.path), *options, *place], environment))
        wait(lambda: started[0].shows("def area"))
        return started[0]

    yield start
    for terminal in started:
        terminal.close()


def _shows_after(emacs: Terminal, keys: str, text: str) -> bool:
    """Emacs asks once, and while the model loads, the answer is empty: ask anew."""
    emacs.keys(keys)
    end = time.monotonic() + ASKS_AFTER_S
    while not (found := emacs.shows(text)) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def _saved(emacs: Terminal, path: Path) -> None:
    emacs.keys("\x18\x13")
    wait(lambda: "    return width * height\n" in path.read_text())


def test_eglot_completes(start: Callable[[str], Terminal], tmp_path: Path) -> None:
    snippet = _snippet("Emacs: eglot").replace('"lsp"', f'"lsp" :initializationOptions {SMALL}')
    emacs = start(snippet)
    emacs.keys("\x1bxeglot\r")
    wait(lambda: emacs.shows("[eglot:"), LOADING_S)
    emacs.keys("ret")
    wait(lambda: _shows_after(emacs, COMPLETE, "return width"), LOADING_S)
    _saved(emacs, tmp_path / "area.py")


def test_lsp_mode_shows_and_takes_a_suggestion(
    start: Callable[[str], Terminal], tmp_path: Path
) -> None:
    elpa = EMACS.tree / "usr" / "share" / "emacs" / "site-lisp" / "elpa-src"
    snippet = _snippet("Emacs: lsp-mode").replace(
        ":server-id", f":initialization-options '{SMALL} :server-id"
    )
    emacs = start(PACKAGES.format(elpa=elpa) + snippet)
    emacs.keys("\x1bxlsp\r")
    wait(lambda: emacs.shows("LSP["), LOADING_S)
    emacs.keys("ret")
    ask = "\x1bxlsp-inline-completion-display\r"
    wait(lambda: _shows_after(emacs, ask, "return width"), LOADING_S)
    assert "return" not in (tmp_path / "area.py").read_text()
    emacs.keys(ACCEPT)
    _saved(emacs, tmp_path / "area.py")
