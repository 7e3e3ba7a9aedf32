"""Draw a picture of Neovim at work, for the README: `python -m tests.editors.picture FOLDER`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.editors.neovim import LOADING_S, Neovim, binaries, neovim, wait

SETTINGS = {"fim": {"model": "qwen2.5-coder-0.5b"}}
TEXT = '''"""How far apart places are."""

from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0


def haversine(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Kilometres between two (latitude, longitude) pairs in degrees."""
    X


print(haversine((52.52, 13.40), (48.86, 2.35)))
'''


def _draw(editor: Neovim, path: Path) -> None:
    lines = editor.screen
    path.write_text(editor.grid.svg("Neovim with Caret"), "utf-8")
    print(path, *lines[8:14], sep="\n")  # noqa: T201 - what `make screenshots` says


def main(folder: Path) -> None:
    """A suggestion as it is shown."""
    newest = list(binaries().values())[-1]
    with (
        tempfile.TemporaryDirectory() as home,
        neovim(newest, Path(home), {"settings": SETTINGS}) as editor,
    ):
        editor.command("set laststatus=0 noruler noshowmode")
        editor.open(Path(home) / "distance.py", TEXT)
        editor.keys("gg/X<CR>slat")
        wait(lambda: editor.ghost, LOADING_S)
        _draw(editor, folder / "neovim.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
