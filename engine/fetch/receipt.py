"""A note beside each model of what was verified, so that it is hashed once, not at each start."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rich.filesize import decimal

from engine.errors import ModelDamaged

if TYPE_CHECKING:
    from pathlib import Path

    from engine.fetch.source import Digests
    from engine.models import ModelEntry


@dataclass(frozen=True, slots=True)
class Seal:
    """One verified file. As in git's index, an unchanged size and time mean unchanged bytes."""

    path: str
    """Relative to the folder of the models."""
    sha256: str
    size: int
    mtime_ns: int


def write(entry: ModelEntry, digests: Digests) -> None:
    """Record the files of a model with the digests that were verified."""
    root = entry.path.parent
    seals = []
    for path, sha256 in digests.items():
        stat = (root / path).stat()
        seals.append(Seal(path, sha256, stat.st_size, stat.st_mtime_ns))
    # A shared folder may be read-only: then files are hashed again at the next look.
    with suppress(OSError):
        _place(entry).write_text(json.dumps([asdict(seal) for seal in seals]))


def check(entry: ModelEntry) -> None:
    """Compare a model on disk with its receipt, or with the registry where it has none.

    Costs a stat per file; a file that came or changed since the receipt is hashed, once.

    Raises:
        ModelDamaged: It is cut short, or not the bytes that were published.
    """
    root = entry.path.parent
    seals = _expected(entry)
    for seal in seals:
        _check_size(entry, root / seal.path, seal.size)
    if all((root / seal.path).stat().st_mtime_ns == seal.mtime_ns for seal in seals):
        return
    for seal in seals:
        _check_digest(entry, root / seal.path, seal.sha256)
    write(entry, {seal.path: seal.sha256 for seal in seals})


def _expected(entry: ModelEntry) -> list[Seal]:
    seals = _read(entry)
    if entry.sha256 is None or (seals and seals[0].sha256 == entry.sha256):
        return seals
    assert entry.size is not None, "a known digest comes with an exact size"
    return [Seal(entry.path.name, entry.sha256, entry.size, mtime_ns=-1)]


def _read(entry: ModelEntry) -> list[Seal]:
    try:
        said = json.loads(_place(entry).read_text())
        return [
            Seal(str(seal["path"]), str(seal["sha256"]), int(seal["size"]), int(seal["mtime_ns"]))
            for seal in said
        ]
    # Absent, or damaged by a crash.
    except (OSError, ValueError, TypeError, LookupError, OverflowError, RecursionError):
        return []


def _place(entry: ModelEntry) -> Path:
    return entry.path.with_name(f".{entry.path.name}.receipt")


def _check_size(entry: ModelEntry, path: Path, size: int) -> None:
    found = path.stat().st_size if path.exists() else 0
    if found != size:
        raise ModelDamaged(
            f"{path} is damaged: it has {decimal(found)} ({found} bytes) of {decimal(size)} "
            f"({size} bytes). Run `caret pull {entry.name}`."
        )


def _check_digest(entry: ModelEntry, path: Path, sha256: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise ModelDamaged(
            f"{path} is damaged: its SHA-256 is {found[:12]}…, not {sha256[:12]}… as published. "
            f"Run `caret pull {entry.name}`."
        )
