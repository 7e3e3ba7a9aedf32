"""Start processes: no other module does, so that nothing of a workspace runs in any of them.

A child gets nothing from the folder that Caret was started in, which is the one that an editor
shows:

- Modules. `-P` keeps the working directory out of `sys.path`, and of Python's variables a child
  gets those alone that name no file and no code (`_SWITCHES`), and folders that count
  (`engine.search_path` says which). The user's site-packages stay: Caret may be installed there,
  and no repository can put anything there.
- Programs. They are started by an absolute path, and `PATH` keeps the folders that count.
- Files that a library looks for in the working directory: that is the root of the file system,
  which always exists and in which only the administrator can put anything.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from engine.search_path import counts, python_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import IO

PIPE, NOWHERE, WITH_STDOUT = subprocess.PIPE, subprocess.DEVNULL, subprocess.STDOUT
TimeoutExpired = subprocess.TimeoutExpired
ROOT = Path(sys.prefix).anchor
_SWITCHES = {
    *("PYTHONASYNCIODEBUG", "PYTHONDEVMODE", "PYTHONDONTWRITEBYTECODE", "PYTHONFAULTHANDLER"),
    *("PYTHONHASHSEED", "PYTHONINTMAXSTRDIGITS", "PYTHONMALLOC", "PYTHONNOUSERSITE"),
    *("PYTHONOPTIMIZE", "PYTHONTRACEMALLOC", "PYTHONUNBUFFERED", "PYTHONUTF8", "PYTHONWARNINGS"),
    *("PYTHON_CPU_COUNT", "PYTHON_GIL"),
}
_FOLDERS = {"PYTHONHOME", "PYTHONPYCACHEPREFIX", "PYTHONUSERBASE"}
_RELATIVE = {"CARET_HOME", "HF_HOME"}
"""Folders of the user's: a child works elsewhere, so it gets them as absolute paths."""
_SEARCHED = {"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"}


def python(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module by the Python that runs this process."""
    return [sys.executable, "-P", "-m", module, *arguments]


def program(name: str) -> str | None:
    """Return the absolute path of a program of the user's, None if there is none."""
    found = shutil.which(name, path=environment().get("PATH", os.defpath))
    # On Windows the working directory is searched first, whatever the path says.
    return found if found and counts(found) else None


def start(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    folder: str | Path = ROOT,
    stdin: int = NOWHERE,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
    session: bool = False,
    passed: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a process; it outlives this one where `session` gives it a session of its own.

    It inherits the file descriptors that are `passed`, and no other.

    Raises:
        OSError: There is no such program, or no room for a process.
    """
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=environment() if env is None else env,
        cwd=folder,
        start_new_session=session,
        pass_fds=passed,
    )


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    folder: str | Path = ROOT,
) -> subprocess.CompletedProcess[str]:
    """Run a process to its end and return its status and what it wrote.

    Raises:
        OSError: There is no such program, or no room for a process.
    """
    return subprocess.run(
        command,
        stdin=NOWHERE,
        capture_output=True,
        env=environment() if env is None else env,
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
        cwd=ROOT,
    )


def become(module: str, *arguments: str, folder: str | Path = ROOT) -> NoReturn:
    """Turn this process into one that runs another module."""
    os.chdir(folder)
    os.execve(sys.executable, python(module, *arguments), environment())


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a child, without what the working directory could decide."""
    kept = {name: value for name, value in os.environ.items() if _is_harmless(name, value)}
    for name in _SEARCHED & kept.keys():
        kept[name] = os.pathsep.join(filter(counts, kept[name].split(os.pathsep)))
    for name in _RELATIVE & kept.keys():
        kept[name] = str(Path(kept[name]).expanduser().absolute()) if kept[name] else ""
    if modules := python_path():
        kept["PYTHONPATH"] = os.pathsep.join(modules)
    kept["PYTHONSAFEPATH"] = "1"  # -P for what the child starts
    return kept | dict(changes or {})


def _is_harmless(name: str, value: str) -> bool:
    if not name.upper().startswith("PYTHON"):
        return True
    return name in _SWITCHES or (name in _FOLDERS and counts(value))
