"""Paths of Caret's files and folders. `CARET_HOME` moves everything under one folder.

Without a home folder that can be written, what a running server and engine need lies in a private
folder of the temporary ones; what is to last cannot be kept then, and FolderUnavailable says so.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from engine.errors import FolderUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

_APP = "caret"
_HOMELESS = "There is no home folder to keep files in. Set CARET_HOME to a folder of your own."


def licences_path() -> Path:
    """Return the path of the JSON file of model licences that the user has accepted."""
    return _folder(".", lambda: platformdirs.user_data_path(_APP)) / "licences.json"


def servers_path() -> Path:
    """Return the path of the JSON file of servers that code and API keys may go to."""
    return _folder(".", lambda: platformdirs.user_data_path(_APP)) / "servers.json"


def models_dir() -> Path:
    """Return the folder of models; partial downloads lie beside them with a suffix."""
    return _folder("models", lambda: platformdirs.user_data_path(_APP) / "models")


def packed_dir() -> Path:
    """Weights as they are held in memory, made from the models: may be deleted at any time."""
    return _folder("packed", lambda: platformdirs.user_cache_path(_APP) / "packed")


def statistics_dir() -> Path:
    """The numbers that `caret stats` prints."""
    return _folder("statistics", lambda: platformdirs.user_data_path(_APP) / "statistics")


def answers_dir() -> Path:
    """Answers shown as documents: may be deleted at any time; private to the user."""
    return _private("answers", lambda: platformdirs.user_cache_path(_APP) / "answers")


def runtime_dir() -> Path:
    """The lock and the address of the running engine; private to the user.

    It does not depend on `XDG_RUNTIME_DIR`, which the shells of one user may not agree about.
    """
    return _private("run", _default_runtime_dir)


def log_dir() -> Path:
    """Logs of the engine and of the language server."""
    return _private("log", lambda: platformdirs.user_log_path(_APP))


def unkept() -> str | None:
    """Return why nothing can be kept on this machine, in a sentence; None where it can."""
    try:
        folder = licences_path().parent
        if not os.access(folder, os.W_OK):
            return f"{folder} cannot be written. Set CARET_HOME to a folder of your own."
    except FolderUnavailable as error:
        return str(error)
    return None


def _default_runtime_dir() -> Path:
    session = Path(f"/run/user/{os.getuid()}")
    if os.access(session, os.W_OK):
        return session / _APP
    # By machine: a home folder may be shared by several.
    return platformdirs.user_state_path(_APP) / "run" / platform.node()


def _folder(name: str, default: Callable[[], Path]) -> Path:
    """Return a folder of Caret's, made where need be.

    Raises:
        FolderUnavailable: it cannot be made.
    """
    try:
        folder = _place(name, default)
        folder.mkdir(parents=True, exist_ok=True)
    except FolderUnavailable:
        raise
    except RuntimeError:
        raise FolderUnavailable(_HOMELESS) from None
    except OSError as error:
        raise FolderUnavailable(
            f"Caret cannot make {error.filename}: {error.strerror}. Set CARET_HOME to a folder of "
            "your own."
        ) from None
    return folder


def _place(name: str, default: Callable[[], Path]) -> Path:
    if given := os.environ.get("CARET_HOME"):
        folder = Path(given).expanduser() / name
        if not folder.is_absolute():
            raise FolderUnavailable(f"CARET_HOME is {given!r}: set it to an absolute path.")
        return folder
    folder, home = default(), Path(os.path.expanduser("~"))  # noqa: PTH111 - raises nothing
    homeless = os.environ.get("HOME") == "" or not home.is_absolute() or not home.is_dir()
    if not folder.is_absolute() or (homeless and folder.is_relative_to(home)):
        raise FolderUnavailable(_HOMELESS)
    return folder


def _private(name: str, default: Callable[[], Path]) -> Path:
    """Return a folder that nobody else can look into, a temporary one where need be.

    Raises:
        FolderUnavailable: it is another user's, or there is no temporary folder either.
    """
    try:
        folder = _folder(name, default)
    except FolderUnavailable:
        folder = None
    if folder and os.access(folder, os.W_OK):
        return _closed(folder)
    temporary = os.environ.get("TMPDIR", "")
    if not Path(temporary).is_absolute() or not Path(temporary).is_dir():
        temporary = "/tmp"
    own = Path(temporary, f"{_APP}-{os.getuid()}")
    return _closed(_closed(own) / name)


def _closed(folder: Path) -> Path:
    """Return a folder, made where need be, that others cannot look into.

    Raises:
        FolderUnavailable: it cannot be made, or is another user's.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        facts = folder.stat()
        owners = {folder.lstat().st_uid, facts.st_uid}
    except OSError as error:
        raise FolderUnavailable(
            f"Caret cannot make {folder}: {error.strerror}. Set CARET_HOME to a folder of your own."
        ) from None
    if owners != {os.getuid()}:
        raise FolderUnavailable(
            f"{folder} belongs to another user. Set CARET_HOME to a folder of your own."
        )
    if facts.st_mode & 0o077:
        folder.chmod(0o700)
    return folder
