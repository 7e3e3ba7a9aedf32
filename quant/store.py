"""Packed tensors on disk: written once, as they are packed, and memory-mapped ever after.

A store is a safetensors file, so that any tool reads it. The library's own writer wants all
tensors in memory; this one appends each as it comes, and leaves room for the header in front of
them, which the format allows. Tensors begin at multiples of 64 bytes, as vector loads like it; the
bytes in between belong to tensors named PAD, since the format has no holes. The header also says
what each entry is and what all of them were made from, and has a checksum of every tensor: XXH3,
which is as fast as memory, where a CRC took half a second of a start.
"""

from __future__ import annotations

import json
import os
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

import torch
from safetensors import SafetensorError, safe_open
from xxhash import xxh3_64, xxh3_64_intdigest

from quant.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from torch import Tensor

PARTIAL = ".partial"
"""Ends the name of a store that is being written."""
_ALIGNMENT = 64
_LENGTH = struct.Struct("<Q")
_ROOM = 1 << 20
"""Bytes before the tensors: a length, and the header padded with spaces. 80 layers take 200 kB."""
_NAMES = {
    torch.uint8: "U8",
    torch.int8: "I8",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float32: "F32",
}
"""What safetensors calls torch's number formats."""


class DamagedStore(ValueError):
    """A file that is not what was written; the text says in which way."""


def write_store(path: Path, key: str, entries: Iterable[tuple[str, Entry]]) -> None:
    """Write `entries`, by unique name, holding one of them at a time.

    `key` says what they were made from. The file gets its name when all of it is on the disk; what
    a killed process leaves has another one, and the next attempt writes over it.

    Raises:
        OSError: The folder cannot be written, or is full; nothing is left behind.
    """
    partial = path.with_name(path.name + PARTIAL)
    try:
        with partial.open("wb") as file:
            writer = _Writer(file)
            for name, entry in entries:
                writer.add(name, entry)
            writer.finish(key)
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


class _Writer:
    """Appends tensors to a file, then writes the header in front of them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._end = file, 0
        self._places: dict[str, Any] = {}
        self._entries: dict[str, Any] = {}
        file.seek(_ROOM)

    def add(self, name: str, entry: Entry) -> None:
        """Append the tensors of one module."""
        if name in self._entries:
            raise ValueError(f"two entries are called {name}")
        sums = {}
        for part, tensor in entry.tensors.items():
            sums[part] = _checksum(tensor)
            self._append(f"{name}.{part}", _NAMES[tensor.dtype], [*tensor.shape], _bytes(tensor))
        self._entries[name] = {"kind": entry.kind, "numbers": entry.numbers, "xxh3": sums}

    def finish(self, key: str) -> None:
        """Write the header, and see everything onto the disk."""
        notes = json.dumps({"key": key, "entries": self._entries})
        metadata = {"caret": notes, "xxh3": str(xxh3_64_intdigest(notes.encode()))}
        header = json.dumps({"__metadata__": metadata} | self._places).encode()
        length = _ROOM - _LENGTH.size
        if len(header) > length:  # it would lie over the first tensors
            raise ValueError(f"a header of {len(header)} bytes does not fit into {length}")
        self._file.seek(0)
        self._file.write(_LENGTH.pack(length) + header.ljust(length))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _append(self, name: str, number: str, shape: list[int], data: memoryview) -> None:
        self._file.write(data)
        offsets = [self._end, self._end + len(data)]
        self._places[name] = {"dtype": number, "shape": shape, "data_offsets": offsets}
        self._end += len(data)
        if rest := -self._end % _ALIGNMENT:
            self._append(f"PAD.{name}", "U8", [rest], memoryview(bytes(rest)))


def open_store(path: Path, key: str, report: Callable[[int, int], None]) -> dict[str, Entry]:
    """Map the entries of a store: no byte is copied, and processes share the pages.

    The mapping is private: a write to a tensor, which nobody should do, reaches nobody else.
    Every byte is read once, for the checksums; `report` gets (entries compared, in all).

    Raises:
        FileNotFoundError: There is none.
        DamagedStore: It is cut short or altered, or was made from something else than `key`.
    """
    try:
        with safe_open(path, framework="pt") as file:
            notes = _notes(file.metadata(), key)
            entries = {name: _entry(file, name, note) for name, note in notes.items()}
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise DamagedStore(str(error)) from error
    _compare(entries, notes, report)
    return entries


def _notes(metadata: dict[str, str], key: str) -> dict[str, Any]:
    """What the header says of each entry."""
    if str(xxh3_64_intdigest(metadata["caret"].encode())) != metadata["xxh3"]:
        raise DamagedStore("its header has changed")
    notes = json.loads(metadata["caret"])
    if notes["key"] != key:
        raise DamagedStore("it was made from something else")
    entries: dict[str, Any] = notes["entries"]
    return entries


def _entry(file: Any, name: str, note: dict[str, Any]) -> Entry:  # noqa: ANN401 - see safetensors.py
    tensors = {part: file.get_tensor(f"{name}.{part}") for part in note["xxh3"]}
    return Entry(note["kind"], tensors, note["numbers"])


def _compare(
    entries: dict[str, Entry], notes: dict[str, Any], report: Callable[[int, int], None]
) -> None:
    """Check all sums, on as many threads as compute: one does not read as fast as memory gives."""

    def sums(entry: Entry) -> dict[str, int]:
        return {part: _checksum(tensor) for part, tensor in entry.tensors.items()}

    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        found = zip(entries, pool.map(sums, entries.values()), strict=True)
        for done, (name, got) in enumerate(found):
            report(done, len(entries))
            if got != notes[name]["xxh3"]:
                raise DamagedStore(f"{name} has changed")


def _checksum(tensor: Tensor) -> int:
    """Of number format, shape and bytes."""
    found = xxh3_64(f"{_NAMES[tensor.dtype]} {[*tensor.shape]}".encode())
    found.update(_bytes(tensor))
    return found.intdigest()


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.contiguous().view(-1).view(torch.uint8).numpy().data
