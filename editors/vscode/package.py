"""Builds the extension with the server's source in it: `python package.py OUT.vsix`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from engine import spawn

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
_QUIET = {f"npm_config_{name}": "false" for name in ("audit", "fund", "update_notifier")}


def main() -> None:
    """Build it; npm must be there."""
    _npm()  # said before anything is built
    out = Path(sys.argv[1]).resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(HERE / "server", ignore_errors=True)
    _run(*spawn.python("build", "--sdist", "--outdir", str(HERE / "server"), str(ROOT)))
    shutil.copy(ROOT / "LICENSE", HERE / "LICENSE")
    install_packages()
    _run(_npm(), "run", "-s", "build")
    _run(_npm(), "run", "-s", "package", "--", "--out", str(out))


def install_packages() -> None:
    """What package-lock.json names, unless it is there already."""
    lock, stamp = HERE / "package-lock.json", HERE / "node_modules" / ".installed"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        _run(_npm(), "ci", "--loglevel=error")
        shutil.copy(lock, stamp)


def _npm() -> str:
    """The program, by its absolute path."""
    if not (found := spawn.program("npm")):
        sys.exit("The extension needs Node.js 20 or newer with npm: install it, then try again.")
    return found


def _run(*command: str) -> None:
    """Run it in this folder; its output is shown where it fails."""
    done = spawn.run(command, folder=HERE, env=spawn.environment(_QUIET))
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    main()
