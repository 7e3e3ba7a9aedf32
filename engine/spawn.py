"""Start processes: no other module does, so that nothing of a workspace runs in any of them.

An editor starts Caret in the folder that it shows, with the environment of the shell that it was
started from. What a child could take from there, it does not get:

- Modules. `-P` keeps the working directory out of `sys.path`. `PYTHONPATH` is for the user's own
  programs, so it is dropped, unless it is the way in which Caret itself is found (in a Nix shell,
  say). Of the other variables of Python's only `_SWITCHES` stay, which name no file and no code,
  and folders that do not lie in the working directory. The user's site-packages stay: Caret may be
  installed there, and no repository can put anything there.
- Programs. They are started by an absolute path. `PATH` loses entries that are relative or empty,
  which mean the working directory, and those that lie in it.
- Files that a library looks for in the working directory: that is the root of the file system,
  which always exists and in which only the administrator can put anything.

A folder counts as part of the installation where this very Python lies in it, as in the `.venv` of
a project, and an editor that is started in the home folder does not make that a workspace.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import IO

PIPE, NOWHERE, WITH_STDOUT = subprocess.PIPE, subprocess.DEVNULL, subprocess.STDOUT
_PACKAGES = Path(os.path.realpath(Path(__file__).parents[1]))
"""The folder in which Python finds Caret."""
_ROOT = Path(sys.prefix).anchor
_SWITCHES = {
    *("PYTHONASYNCIODEBUG", "PYTHONDEVMODE", "PYTHONDONTWRITEBYTECODE", "PYTHONFAULTHANDLER"),
    *("PYTHONHASHSEED", "PYTHONINTMAXSTRDIGITS", "PYTHONMALLOC", "PYTHONNOUSERSITE"),
    *("PYTHONOPTIMIZE", "PYTHONTRACEMALLOC", "PYTHONUNBUFFERED", "PYTHONUTF8", "PYTHONWARNINGS"),
    *("PYTHON_CPU_COUNT", "PYTHON_GIL"),
}
_FOLDERS = {"PYTHONHOME", "PYTHONPYCACHEPREFIX", "PYTHONUSERBASE"}
_SEARCHED = {"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"}


def python(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module by the Python that runs this process."""
    return [sys.executable, "-P", "-m", module, *arguments]


def program(name: str) -> str | None:
    """Return the absolute path of a program of the user's, None if there is none."""
    found = shutil.which(name, path=environment().get("PATH", os.defpath))
    # On Windows the working directory is searched first, whatever the path says.
    return found if found and _is_trusted(found) else None


def start(
    command: Sequence[str],
    *,
    changes: Mapping[str, str] | None = None,
    folder: str | Path = _ROOT,
    stdin: int = NOWHERE,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    session: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a process, with `changes` to its environment; `session` lets it outlive this one.

    Raises:
        OSError: There is no such program, or no room for a process.
    """
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=environment(changes),
        cwd=folder,
        start_new_session=session,
    )


def run(
    command: Sequence[str],
    *,
    changes: Mapping[str, str] | None = None,
    folder: str | Path = _ROOT,
) -> subprocess.CompletedProcess[str]:
    """Run a process to its end and return its status and what it wrote.

    Raises:
        OSError: There is no such program, or no room for a process.
    """
    return subprocess.run(
        command,
        stdin=NOWHERE,
        capture_output=True,
        env=environment(changes),
        cwd=folder,
        text=True,
        errors="replace",
        check=False,
    )


async def converse(
    command: Sequence[str], *, limit: int, stderr: int | IO[bytes] = NOWHERE
) -> asyncio.subprocess.Process:
    """Start a process with pipes at both ends; a line that it writes has at most `limit` bytes.

    Raises:
        OSError: There is no such program, or no room for a process.
    """
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=PIPE,
        stdout=PIPE,
        stderr=stderr,
        limit=limit,
        env=environment(),
        cwd=_ROOT,
    )


def become(module: str, *arguments: str) -> NoReturn:
    """Turn this process into one that runs another module, in the same working directory.

    It stays there since arguments that a person typed may be relative paths.
    """
    os.execve(sys.executable, python(module, *arguments), environment())


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a child, without what the working directory could decide."""
    kept = {name: value for name, value in os.environ.items() if _is_harmless(name, value)}
    for name in _SEARCHED & kept.keys():
        kept[name] = os.pathsep.join(filter(_is_trusted, kept[name].split(os.pathsep)))
    if modules := _module_folders(os.environ.get("PYTHONPATH", "")):
        kept["PYTHONPATH"] = os.pathsep.join(modules)
    kept["PYTHONSAFEPATH"] = "1"  # -P for what the child starts
    return kept | dict(changes or {})


def _is_harmless(name: str, value: str) -> bool:
    if not name.upper().startswith("PYTHON"):
        return True
    return name in _SWITCHES or (name in _FOLDERS and _is_trusted(value))


def _module_folders(search_path: str) -> list[str]:
    """Return what remains of `PYTHONPATH`: nothing, unless Caret is found by it."""
    folders = search_path.split(os.pathsep) if search_path else []
    own = {folder for folder in folders if _real(folder) == _PACKAGES}
    if not own:
        return []
    kept = [folder for folder in folders if folder in own or _is_trusted(folder)]
    return [str(_PACKAGES) if folder in own else folder for folder in kept]


def _is_trusted(place: str) -> bool:
    """Return whether an absolute path lies outside the working directory or in our installation."""
    if not Path(place).is_absolute():
        return False
    real, here = _real(place), _working_directory()
    if here is None or not _holds(here, real) or real == _PACKAGES:
        return True
    prefixes = {_real(sys.prefix), _real(sys.base_prefix)}
    return any(_holds(here, prefix) and real.is_relative_to(prefix) for prefix in prefixes)


def _working_directory() -> Path | None:
    """Return it with links resolved; None where it was removed."""
    try:
        return _real(Path.cwd())
    except OSError:
        return None


def _holds(here: Path, real: Path) -> bool:
    """Return whether a path is `here` or lies in it; what lies around the home is not in it."""
    home = _real(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises without one
    return real == here or (real.is_relative_to(here) and not home.is_relative_to(here))


def _real(place: str | Path) -> Path:
    """Return a path with links resolved, as far as it exists."""
    return Path(os.path.realpath(place))
