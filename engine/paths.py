"""Where Caret keeps its files. `CARET_HOME` moves everything under one folder."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

if TYPE_CHECKING:
    from collections.abc import Callable

_APP = "caret"


def _folder(name: str, default: Callable[[], Path]) -> Path:
    home = os.environ.get("CARET_HOME")
    folder = Path(home).expanduser() / name if home else default()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def licences_path() -> Path:
    """Which licences of models the user has accepted, in JSON."""
    return _folder(".", lambda: platformdirs.user_data_path(_APP)) / "licences.json"


def servers_path() -> Path:
    """Which servers code and API keys may go to, in JSON."""
    return _folder(".", lambda: platformdirs.user_data_path(_APP)) / "servers.json"


def models_dir() -> Path:
    """Complete model files and folders; partial downloads lie beside them with a suffix."""
    return _folder("models", lambda: platformdirs.user_data_path(_APP) / "models")


def packed_dir() -> Path:
    """Weights as they are held in memory, made from the models: may be deleted at any time."""
    return _folder("packed", lambda: platformdirs.user_cache_path(_APP) / "packed")


def statistics_dir() -> Path:
    """The numbers that `caret stats` prints."""
    return _folder("statistics", lambda: platformdirs.user_data_path(_APP) / "statistics")


def answers_dir() -> Path:
    """Answers shown as documents: may be deleted at any time; private to the user."""
    folder = _folder("answers", lambda: platformdirs.user_cache_path(_APP) / "answers")
    folder.chmod(0o700)
    return folder


def runtime_dir() -> Path:
    """The lock and the address of the running engine; private to the user."""
    folder = _folder("run", _default_runtime_dir)
    folder.chmod(0o700)
    return folder


def log_dir() -> Path:
    """Logs of the engine and of the language server."""
    return _folder("log", lambda: platformdirs.user_log_path(_APP))


def _default_runtime_dir() -> Path:
    with warnings.catch_warnings():
        # where the session has no runtime directory, platformdirs takes one under /tmp and warns
        warnings.simplefilter("ignore")
        return platformdirs.user_runtime_path(_APP)
