"""From a checkpoint on disk to a decoder: packed once, mapped from a store ever after."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.decoder import Norm
from engine.packing import assemble, pack
from engine.planner import Size
from engine.shelf import Place
from quant.entry import Entry
from quant.formats import FORMATS, KINDS, PACKING
from quant.store import DamagedStore, open_store, write_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from engine.checkpoint import Checkpoint
    from engine.config import DecoderConfig
    from engine.decoder import Decoder
    from quant.formats import Format
    from quant.source import TensorSource

    Report = Callable[[int, int], None]

log = logging.getLogger(__name__)

_KINDS = KINDS | {Norm.__name__: Norm}


def load_decoder(checkpoint: Checkpoint, fmt: str, report: Report) -> Decoder:
    """The decoder of `checkpoint` in the format named `fmt`, from its store.

    Packed weights that are not there yet are written first. Where they cannot be, for want of
    room or permission, they are packed in memory, and the decoder's note and the log say so.
    `report` is called with (parts done, parts in all), and with zeros before it may have to wait
    for another process.
    """
    assert checkpoint.config is not None, "transformers runs the others"
    if FORMATS[fmt].storable:
        try:
            return assemble(checkpoint.config, stored(checkpoint, fmt, report))
        except (OSError, NotImplementedError) as error:  # the latter: no locks in this file system
            note = f"Packed weights cannot be kept, so every start packs them: {error}"
            log.warning("%s", note)
            decoder = build_decoder(checkpoint.config, checkpoint.source, FORMATS[fmt], report)
            decoder.note = note
            return decoder
    return build_decoder(checkpoint.config, checkpoint.source, FORMATS[fmt], report)


def build_decoder(
    config: DecoderConfig, source: TensorSource, fmt: Format, report: Report
) -> Decoder:
    """Read, pack and assemble in memory; peak is the packed model and one float32 matrix.

    `report` is called with (layers done, layers in all).
    """
    return assemble(config, dict(pack(config, source, fmt, report)))


def size_of(name: str, checkpoint: Checkpoint) -> Size:
    """What of a model takes memory, as far as it is packed already by what lies on disk."""
    assert checkpoint.config is not None
    kept = {}
    for fmt in (name for name, each in FORMATS.items() if each.storable):
        with suppress(OSError):
            kept[fmt] = Place.of(checkpoint.path, fmt, PACKING).path.stat().st_size
    return replace(Size.of(name, checkpoint.config, checkpoint.source.nbytes), kept=kept)


def stored(checkpoint: Checkpoint, fmt: str, report: Report) -> dict[str, nn.Module]:
    """The decoder's modules over mapped tensors, which are packed and written where need be.

    Raises:
        OSError: They cannot be written.
    """
    place = Place.of(checkpoint.path, fmt, PACKING)
    if found := _mapped(place, report):
        return found
    report(0, 0)
    with place.lock():
        # Another process may have packed in the meantime.
        if found := _mapped(place, report):
            return found
        _write(place, checkpoint, fmt, report)
        place.remove_others()
        written = _mapped(place, report)
    if written is None:
        raise OSError(errno.EIO, "What was written reads differently", str(place.path))
    return written


def _write(place: Place, checkpoint: Checkpoint, fmt: str, report: Report) -> None:
    started, folder = time.perf_counter(), place.path.parent
    assert checkpoint.config is not None
    if shutil.disk_usage(folder).free < size_of("", checkpoint).packed(fmt):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    modules = pack(checkpoint.config, checkpoint.source, FORMATS[fmt], report)
    write_store(place.path, place.key, ((name, Entry.of(module)) for name, module in modules))
    log.info("packed %s in %.1f s", place.path, time.perf_counter() - started)


def _mapped(place: Place, report: Report) -> dict[str, nn.Module] | None:
    """None where there is no store, or, with a word in the log, a damaged one."""
    try:
        entries = open_store(place.path, place.key, report)
        return {name: entry.module(_KINDS) for name, entry in entries.items()}
    except FileNotFoundError:
        return None
    except (DamagedStore, KeyError, TypeError, ValueError) as damage:
        log.warning("%s is damaged and will be made again: %s", place.path, damage)
        place.path.unlink(missing_ok=True)
        return None
