"""Paths of models, as people write them in settings and on the command line. Imports no torch.

The working directory is often a folder that somebody else filled, so no bare name is looked for in
it: a path begins with "/", "~" or ".", or its end says that it is a GGUF file.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from engine.errors import ModelMissing, UnknownModel, UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_VARIABLE = re.compile(r"\$\{?\w+\}?|%\w+%")
_REVISION = re.compile(r"[0-9A-Za-z._-]*[0-9A-Za-z][0-9A-Za-z._-]*")


def local_model(spec: str) -> Path | None:
    """Return the absolute path of the file or folder that `spec` names; None if it is no path.

    Raises:
        ModelMissing: Nothing lies there, or it cannot be reached.
        UnknownModel: It has a variable in it, or is a URL of something else than a file.
        UnsupportedModel: It is no model.
    """
    spec = _bare(spec)
    if "://" in spec and not spec.startswith("file://"):
        raise UnknownModel(
            f"{spec:.200} is an address, not a model: an endpoint has a setting of its own, and a "
            "model of a hub is written owner/name."
        )
    if spec.startswith("file://"):
        spec = url2pathname(_reached(spec, lambda: unquote(urlsplit(spec).path)))
    elif _VARIABLE.search(spec) and ("/" in spec or "\\" in spec) and not os.path.lexists(spec):
        raise UnknownModel(
            f"Variables are not expanded in the model {spec:.200}: write the path out, or begin it "
            "with ~ for your home folder."
        )
    path = _reached(spec, Path(spec).expanduser)
    written = path.is_absolute() or spec.startswith((".", "~"))
    if not written and (":" in spec or not spec.lower().endswith(".gguf")):
        return None
    # The file keeps its name where it is a link, as in the Hub's cache: its end says what it is.
    path = _reached(
        spec, lambda: path.parent.resolve() / path.name if path.name else path.resolve()
    )
    return _reached(spec, lambda: _model_at(path))


def _bare(spec: str) -> str:
    """Return it without blanks and quotation marks around it."""
    spec = spec.strip()
    quoted = len(spec) > 1 and spec[0] == spec[-1] and spec[0] in "\"'"
    return spec[1:-1] if quoted else spec


def _reached(spec: str, step: Callable[[], T]) -> T:
    try:
        return step()
    except (OSError, RuntimeError, ValueError) as error:  # no home, a loop of links, a NUL
        reason = getattr(error, "strerror", None) or error
        raise ModelMissing(f"{spec!r:.200} cannot be reached: {reason}. Check the path.") from error


def _model_at(path: Path) -> Path:
    if not path.exists():
        raise ModelMissing(f"There is no file {path}. Check the path of the model.")
    path = _snapshot(path)
    if path.suffix.lower() == ".gguf" or (path / "config.json").is_file():
        return path
    raise UnsupportedModel(
        f"{path} is no model: name a .gguf file, or a folder with config.json and safetensors."
    )


def _snapshot(folder: Path) -> Path:
    """Return the current snapshot of a model's folder in the Hub's cache; others as they are."""
    snapshots, main = folder / "snapshots", folder / "refs" / "main"
    if not snapshots.is_dir():
        return folder
    revision = main.read_text("utf-8", "replace").strip() if main.is_file() else ""
    if _REVISION.fullmatch(revision) and (snapshots / revision).is_dir():
        return snapshots / revision
    found = sorted(path for path in snapshots.iterdir() if path.is_dir())
    return found[0] if len(found) == 1 else folder
