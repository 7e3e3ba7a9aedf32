"""Where Caret keeps its files. `CARET_HOME` moves everything under one folder."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_APP = "caret"


def _folder(name: str, default: Path) -> Path:
    home = os.environ.get("CARET_HOME")
    folder = Path(home).expanduser() / name if home else default
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def models_dir() -> Path:
    """Complete model files and folders; partial downloads lie beside them with a suffix."""
    return _folder("models", platformdirs.user_data_path(_APP) / "models")


def runtime_dir() -> Path:
    """The lock and the address of the running engine; private to the user."""
    folder = _folder("run", platformdirs.user_runtime_path(_APP))
    folder.chmod(0o700)
    return folder


def log_dir() -> Path:
    """Logs of the engine and of the language server."""
    return _folder("log", platformdirs.user_log_path(_APP))
