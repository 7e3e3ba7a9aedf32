"""The main path of a pull: one at a time per model, source after source, then into place."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine import licences
from engine.errors import FetchError, ModelDamaged, ModelMissing
from engine.fetch import receipt
from engine.fetch.disk import disk_errors_are_said
from engine.fetch.partial import Partial
from engine.fetch.source import Progress, Report, SourceFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.models import ModelEntry


def installed(entry: ModelEntry) -> Path | None:
    """Where the model lies on this machine, None if it does not.

    Cheap: it looks at sizes. A file that Caret has not verified yet is hashed, the first time.

    Raises:
        ModelDamaged: It is cut short, or not the bytes that were published, or not a file.
    """
    if not entry.path.exists():
        return None
    if entry.file and not entry.path.is_file():  # a container may have made a folder of it
        raise ModelDamaged(
            f"{entry.path} is no file. Remove it, and run `caret pull {entry.name}`."
        )
    if entry.local is None:
        receipt.check(entry)
    return entry.path


def pull(entry: ModelEntry, report: Report) -> Path:
    """Put a model on this machine, unless it is there, and say where.

    May be stopped at any moment, by a signal or by an exception from `report`: the next pull goes
    on where it was. Of several pulls of one model the others wait for the first, and then see it.

    Raises:
        FetchError: No source could deliver; the text has every source's reason.
        LicenceNotAccepted: It is not here yet, and `licences.accept` was not called for it.
        DiskFull: There is no room; what has arrived is kept.
        ModelDamaged: A source delivered wrong bytes; they are deleted.
        ModelMissing: A local path at which nothing lies.
    """
    if entry.local is not None:
        return _local(entry.local)
    with disk_errors_are_said(), _turn(entry, report):
        try:
            path, damage = installed(entry), ""
        except ModelDamaged as error:  # replaced by what the sources deliver
            path, damage = None, f" {error}"
        if path is None:
            licences.require(entry.name, entry.licence)
        return path or _fetch(entry, report, damage)


def _local(path: Path) -> Path:
    if not path.exists():
        raise ModelMissing(f"There is no file {path}. Check the path of the model.")
    return path


@contextmanager
def _turn(entry: ModelEntry, report: Report) -> Iterator[None]:
    """Wait until no other process or thread pulls the model; show how far that one is."""
    from filelock import FileLock, Timeout

    lock = FileLock(entry.path.with_name(f".{entry.path.name}.lock"))
    while not lock.is_locked:
        try:
            lock.acquire(timeout=0.5)
        except Timeout:
            report(Progress(Partial.found(entry.path), entry.size, "another Caret"))
    try:
        yield
    finally:
        lock.release()


def _fetch(entry: ModelEntry, report: Report, damage: str) -> Path:
    # httpx takes a tenth of a second to import, and most starts have nothing to download.
    from engine.fetch import hub, mirror

    said = [f"{entry.name} could not be downloaded.{damage}"]
    for fetch in [hub.fetch, mirror.fetch] if entry.mirror else [hub.fetch]:
        try:
            digests = fetch(entry, report)
        except SourceFailed as failure:
            said.append(f"  {failure}")
        else:
            receipt.write(entry, digests)
            return entry.path
    said.append("Check the network and proxy, or set HF_ENDPOINT to a mirror of the Hub, or put")
    said.append(f"  {hub.page(entry)}\n  by hand at {entry.path}")
    raise FetchError("\n".join(said))
