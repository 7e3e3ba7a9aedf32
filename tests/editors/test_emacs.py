"""Emacs with the configurations that docs/editors.md gives, where Emacs can be had."""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager
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
EMACS = EDITORS["Emacs"]
ASKS_AFTER_S = 2.0
SMALL = '(:fim (:model "qwen2.5-coder-0.5b") :completion (:confidence 0))'
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


@contextmanager
def _emacs(lisp: str, home: Path, folder: Path) -> Iterator[Terminal]:
    """An Emacs with this configuration, the caret in a function's empty body."""
    (folder / ".git").mkdir()
    (folder / "area.py").write_text(AREA.replace("X", ""))
    (folder / "init.el").write_text(lisp)
    dumped = next((EMACS.tree / "usr" / "libexec").rglob("*.pdmp"))
    options = [f"--dump-file={dumped}", "-Q", "-nw", "-l", str(folder / "init.el")]
    environment = os.environ | _environment(folder) | {"CARET_HOME": str(home)}
    place = ["+3:5", str(folder / "area.py")]
    terminal = Terminal([str(EMACS.path), *options, *place], environment)
    wait(lambda: terminal.shows("def area"))
    yield terminal
    terminal.close()


@pytest.fixture(params=[EMACS] if EMACS.path.exists() else [])
def eglot(home: Path, tmp_path: Path) -> Iterator[Terminal]:
    snippet = _snippet("Emacs: eglot").replace('"lsp"', f'"lsp" :initializationOptions {SMALL}')
    with _emacs(snippet, home, tmp_path) as emacs:
        emacs.keys("\x1bxeglot\r")
        wait(lambda: emacs.shows("[eglot:"))
        yield emacs


@pytest.fixture(params=[EMACS] if EMACS.path.exists() else [])
def lsp_mode(home: Path, tmp_path: Path) -> Iterator[Terminal]:
    elpa = EMACS.tree / "usr" / "share" / "emacs" / "site-lisp" / "elpa-src"
    options = f":initialization-options '{SMALL} :server-id"
    snippet = _snippet("Emacs: lsp-mode").replace(":server-id", options)
    with _emacs(PACKAGES.format(elpa=elpa) + snippet, home, tmp_path) as emacs:
        emacs.keys("\x1bxlsp\r")
        wait(lambda: any(re.search(r"LSP\[caret:\d+\]", line) for line in emacs.screen))
        yield emacs


def _completed(emacs: Terminal) -> bool:
    """While the model loads, the answer is empty: ask anew."""
    emacs.keys(COMPLETE)
    end = time.monotonic() + ASKS_AFTER_S
    while not (found := emacs.shows("return width")) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def _saved(emacs: Terminal, path: Path) -> None:
    emacs.keys("\x18\x13")
    wait(lambda: "    return width * height\n" in path.read_text())


def test_eglot_completes(eglot: Terminal, tmp_path: Path) -> None:
    eglot.keys("ret")
    wait(lambda: _completed(eglot), LOADING_S)
    _saved(eglot, tmp_path / "area.py")


def test_lsp_mode_shows_and_takes_a_suggestion(lsp_mode: Terminal, tmp_path: Path) -> None:
    lsp_mode.keys("ret\x1bxlsp-inline-completion-display\r")
    wait(lambda: lsp_mode.shows("return width"), LOADING_S)
    assert "return" not in (tmp_path / "area.py").read_text()
    lsp_mode.keys(ACCEPT)
    _saved(lsp_mode, tmp_path / "area.py")
