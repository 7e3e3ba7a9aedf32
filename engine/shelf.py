"""Where the packed weights of a model are kept on disk, and when they are out of date.

Of a model and everything packed from it one file is kept. Its name says what it was made from, so
one that is out of date is simply not found; the next one that is written takes its place.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.paths import packed_dir

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filelock import BaseFileLock

_END = 1 << 20
"""Bytes that are hashed at each end of a file of weights: its header, and its last tensors."""


@dataclass(frozen=True, slots=True)
class Place:
    """What packing one model in one way leaves on disk."""

    path: Path
    key: str
    """Everything that the packed bytes depend on, as JSON."""
    model: Path

    @classmethod
    def of(cls, model: Path, fmt: str, version: int) -> Place:
        """For the weights at `model` in the format `fmt`, packed by code of some `version`.

        Raises:
            OSError: The weights, or the folder of packed ones, cannot be reached.
        """
        key = json.dumps({"weights": _identity(model), "format": fmt, "version": version})
        name = f"{_label(model)}.{fmt}.{_short(key)}.safetensors"
        return cls(packed_dir() / name, key, model)

    def lock(self) -> BaseFileLock:
        """Held by whoever packs the model."""
        from filelock import FileLock

        return FileLock(self.path.with_name(f".{_label(self.model)}.lock"))

    def remove_others(self) -> None:
        """Delete what else is kept of the model; who has it mapped keeps what he has."""
        for path in kept(self.model):
            if path != self.path:
                with suppress(OSError):  # Windows refuses while it is mapped
                    path.unlink()


def kept(model: Path) -> Iterator[Path]:
    """The files of packed weights of `model`, out of date or not."""
    return packed_dir().glob(f"{_label(model)}.*")


def kept_bytes(model: Path) -> int:
    """Bytes on disk of the packed weights of `model`."""
    try:
        return sum(path.stat().st_size for path in kept(model))
    except OSError:
        return 0


def _label(model: Path) -> str:
    """A file name's beginning for one model, whatever stands at its path."""
    return f"{re.sub(r'[^A-Za-z0-9.-]', '-', model.stem)[:64]}-{_short(str(model.resolve()))}"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _identity(model: Path) -> list[list[str | int]]:
    """Changes whenever the weights do: as in git's index, by size and time; and by their ends."""
    if model.is_file():
        return [_seal(model)]
    return [_seal(path) for path in sorted([*model.glob("*.safetensors"), *model.glob("*.json")])]


def _seal(path: Path) -> list[str | int]:
    stat = path.stat()
    with path.open("rb") as file:
        digest = hashlib.sha256(file.read(_END))
        file.seek(max(stat.st_size - _END, 0))
        digest.update(file.read(_END))
    return [path.name, stat.st_size, stat.st_mtime_ns, digest.hexdigest()]
