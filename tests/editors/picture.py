"""Draw Neovim at work, for the README: `python -m tests.editors.picture FOLDER`.

`neovim.svg` is a picture of a suggestion. `neovim-session.svg` moves: a suggestion is accepted,
code is explained and mended. It is recorded with the default model; waits are cut to a second.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.editors.neovim import LOADING_S, Neovim, binaries, neovim, wait
from tests.editors.recording import Recording

SMALL = {"fim": {"model": "qwen2.5-coder-0.5b"}}
TEXT = '''"""How far apart places are."""

from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0


def haversine(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Kilometres between two (latitude, longitude) pairs in degrees."""
    X


'''
SHOWN = """print(haversine((52.52, 13.40), (48.86, 2.35)))
"""
MENDED = '''def nearest(place, places):
    """The closest of some places."""
    return max(places, key=lambda other: haversine(place, other))
'''
BUSY = "return require('caret.assist').busy()"
KEY_S, LOOK_S, LONGEST_S = 0.08, 1.5, 1.0
FRAME_S, THINK_S = 0.05, 4.0
"""Between two looks at the screen; for the next suggestion, on a slow machine."""


def _pause(editor: Neovim, seconds: float) -> None:
    """Let a person look; what is drawn meanwhile is drawn."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        editor.command("redraw")
        time.sleep(FRAME_S)


def _type(editor: Neovim, *keys: str) -> None:
    for key in keys:
        editor.keys(key)
        _pause(editor, KEY_S)


def _write(editor: Neovim, path: Path, svg: str) -> None:
    path.write_text(svg, "utf-8")
    print(path, *editor.screen[8:14], sep="\n")  # noqa: T201 - what `make screenshots` says


def _suggest(editor: Neovim, keys: str) -> None:
    _type(editor, *keys)
    wait(lambda: editor.ghost, LOADING_S)


def _session(editor: Neovim) -> None:
    """What is recorded."""
    _suggest(editor, "lat")
    while editor.ghost:
        _pause(editor, LOOK_S)
        _type(editor, "<Tab>")
        _pause(editor, THINK_S)
    _type(editor, "<Esc>", *":Caret explain in two sentences", "<CR>")
    wait(lambda: editor.lua(BUSY))
    wait(lambda: not editor.lua(BUSY), LOADING_S)
    _pause(editor, LOOK_S)
    _type(editor, "q", "G", "k")
    _type(editor, *":Caret fix it gives the farthest", "<CR>")
    wait(lambda: editor.lua("return vim.bo.filetype") == "diff", LOADING_S)
    _pause(editor, LOOK_S)
    _type(editor, "a")
    _pause(editor, LOOK_S)


def _opened(editor: Neovim, folder: str, text: str) -> None:
    editor.command("set laststatus=0 noruler noshowmode statusline=%t")
    editor.command(f"cd {folder}")
    editor.open(Path(folder) / "distance.py", text)
    editor.keys("gg/X<CR>s")
    wait(lambda: editor.mode == "i")
    editor.command("echo")


def main(folder: Path) -> None:
    """Both."""
    newest = list(binaries().values())[-1]
    with (
        tempfile.TemporaryDirectory() as home,
        neovim(newest, Path(home), {"settings": SMALL}) as editor,
    ):
        _opened(editor, home, TEXT + SHOWN)
        _suggest(editor, "lat")
        _write(editor, folder / "neovim.svg", editor.grid.svg("Neovim with Caret"))
    with (
        tempfile.TemporaryDirectory() as home,
        neovim(newest, Path(home), {}) as editor,
    ):
        _opened(editor, home, TEXT + MENDED)
        recording = Recording(editor.grid, LONGEST_S)
        _session(editor)
        _write(editor, folder / "neovim-session.svg", recording.svg("Neovim with Caret"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
