"""Folders in which modules and programs may be searched for; the working directory is not one.

An editor starts Caret in the folder that it shows, with the environment of some shell. So a folder
counts if its path is absolute and it does not lie in the working directory. Two things are no fault
of a workspace: the installation may lie in it, as the `.venv` of a project, and an editor that is
started in the home folder, or in one around that, does not make it a workspace.

`PYTHONPATH` is for the user's own programs. It counts only where Caret itself is found by it, as
in a Nix shell.

Nothing is imported here that Python has not loaded when it starts: `lsp_server` needs this before
it may import anything.
"""

# ruff: noqa: PTH111, PTH117, PTH120 - pathlib is not loaded yet

import os
import sys

PACKAGES = os.path.realpath(os.path.dirname(os.path.dirname(__file__)))
"""The folder in which Caret is found."""


def counts(place: str) -> bool:
    """Return whether the path of a folder or a program counts."""
    if not os.path.isabs(place):
        return False
    real, here = _real(place), _real("")
    if not here or real == PACKAGES or not _lies_in(real, here):
        return True
    prefixes = {_real(sys.prefix), _real(sys.base_prefix)}
    return any(_lies_in(prefix, here) and _is_within(real, prefix) for prefix in prefixes)


def python_path() -> list[str]:
    """Return what counts of `PYTHONPATH`."""
    folders = _given()
    own = {folder for folder in folders if _real(folder) == PACKAGES}
    if not own:
        return []
    kept = [folder for folder in folders if folder in own or counts(folder)]
    return [PACKAGES if folder in own else folder for folder in kept]


def without_workspace(folders: list[str]) -> list[str]:
    """Return what counts of `sys.path`, as Python has made it from where it was started."""
    dropped = {_real(folder) for folder in ["", *_given()]}
    kept = {_real(folder) for folder in [PACKAGES, *python_path()]}
    return [folder for folder in folders if _real(folder) not in dropped - kept]


def _given() -> list[str]:
    given = os.environ.get("PYTHONPATH", "")
    return given.split(os.pathsep) if given else []


def _lies_in(real: str, here: str) -> bool:
    """Return whether a path is `here` or lies in it; what lies around the home is not in it."""
    home = _real(os.path.expanduser("~"))
    return real == here or (_is_within(real, here) and not _is_within(home, here))


def _is_within(real: str, folder: str) -> bool:
    return real == folder or real.startswith(folder.rstrip(os.sep) + os.sep)


def _real(place: str) -> str:
    """Return an absolute path with links resolved; "" where the working directory was removed."""
    try:
        return os.path.realpath(place)
    except OSError:
        return ""
