"""GGUF files: llama.cpp's format of metadata and (mostly quantized) tensors in one file.

Layout (ggml's docs/gguf.md, versions 2 and 3, little-endian): magic, version, counts, metadata
as typed key-value pairs, one record for each tensor, padding, tensor data. The parser trusts no
number in it: every length is held against the bytes that are there. The gguf package's own
reader takes 14 s for a vocabulary of 150,000 strings, this one a fraction of a second.
"""

from __future__ import annotations

import math
import mmap
import struct
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from gguf import GGML_QUANT_SIZES, GGUF_DEFAULT_ALIGNMENT, GGMLQuantizationType, GGUFValueType

from quant.gguf_dequant import dequantize
from quant.source import DamagedFile, Stored, UnsupportedFile

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from torch import Tensor

_VERSIONS = (2, 3)
_MAX_HEADER = 32 << 20
"""Bytes of metadata and tensor records. The largest vocabularies take 16 MB; a bound keeps a
hostile file from filling the memory with Python objects."""
_MAX_DIMENSIONS = 4
_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")
_FORMATS: dict[int, str] = {
    GGUFValueType.UINT8: "B",
    GGUFValueType.INT8: "b",
    GGUFValueType.UINT16: "H",
    GGUFValueType.INT16: "h",
    GGUFValueType.UINT32: "I",
    GGUFValueType.INT32: "i",
    GGUFValueType.FLOAT32: "f",
    GGUFValueType.BOOL: "?",
    GGUFValueType.UINT64: "Q",
    GGUFValueType.INT64: "q",
    GGUFValueType.FLOAT64: "d",
}


@dataclass(frozen=True, slots=True)
class _Record:
    """Where and how one tensor is stored."""

    kind: GGMLQuantizationType
    shape: tuple[int, ...]
    start: int
    """Byte of the file; while the header is being read, byte of the tensor data."""
    nbytes: int


class GGUFFile:
    """An open GGUF file: `metadata`, and a `TensorSource` under the file's own tensor names."""

    def __init__(
        self, path: Path, metadata: dict[str, Any], records: dict[str, _Record], data: Tensor
    ) -> None:
        self.path = path
        self.metadata = metadata
        """Keys as the file has them; arrays are lists."""
        self._records = records
        self._data = data

    @classmethod
    def open(cls, path: Path) -> GGUFFile:
        """Read the header and map the tensors.

        Raises:
            OSError: The file cannot be read.
            DamagedFile: It is no GGUF file, is truncated or contradicts itself.
            UnsupportedFile: Its version or a tensor's type is unknown.
        """
        with path.open("rb") as file:
            if path.stat().st_size < len(b"GGUF"):
                raise DamagedFile(f"{path} is not a GGUF file")
            # A private copy-on-write mapping: torch wants memory it may write to.
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        metadata, records = _Header(path, mapped).read()
        return cls(path, metadata, records, torch.frombuffer(mapped, dtype=torch.uint8))

    @property
    def nbytes(self) -> int:
        """Bytes that all tensors take in the file."""
        return sum(record.nbytes for record in self._records.values())

    def names(self) -> Collection[str]:
        """The file's own names, such as ``blk.0.attn_q.weight``."""
        return self._records.keys()

    def shape(self, name: str) -> tuple[int, ...]:
        """The tensor's shape, [out, in] for matrices: GGUF's order of dimensions reversed."""
        return self._records[name].shape

    def load(self, name: str) -> Tensor:
        """The tensor, dequantized to float32; see `TensorSource.load`."""
        stored = self.stored(name)
        try:
            return dequantize(stored.raw, stored.kind).view(self.shape(name))
        except UnsupportedFile as error:
            raise UnsupportedFile(f"{self.path}: {error} (tensor {name})") from error

    def stored(self, name: str) -> Stored:
        """The tensor's bytes, mapped; see `TensorSource.stored`."""
        record = self._records[name]
        raw = self._data[record.start : record.start + record.nbytes]
        return Stored(record.kind, raw.view(math.prod(record.shape[:-1]), -1))


class _Header:
    """A cursor over the bytes before the tensor data."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self.path, self.data, self.at = path, data, 0
        self.end = min(len(data), _MAX_HEADER)

    def read(self) -> tuple[dict[str, Any], dict[str, _Record]]:
        """Everything up to the tensor data."""
        tensors, pairs = self.preamble()
        metadata: dict[str, Any] = {}
        for _ in range(pairs):
            key = self.string()
            if key in metadata:
                raise self.damaged(f"the key {key} occurs twice")
            metadata[key] = self.value(self.number(_U32))
        records: dict[str, _Record] = {}
        for _ in range(tensors):
            name = self.string()
            if name in records:
                raise self.damaged(f"the tensor {name} occurs twice")
            records[name] = self.record(name)
        alignment = metadata.get("general.alignment", GGUF_DEFAULT_ALIGNMENT)
        return metadata, self.placed(records, alignment)

    def preamble(self) -> tuple[int, int]:
        """Check magic and version; numbers of tensors and of metadata pairs."""
        if self.take(4) != b"GGUF":
            raise DamagedFile(f"{self.path} is not a GGUF file")
        version = self.number(_U32)
        if version not in _VERSIONS:
            raise UnsupportedFile(
                f"{self.path} is GGUF version {version} or big-endian; versions 2 and 3 are read"
            )
        return self.number(_U64), self.number(_U64)

    def damaged(self, what: str) -> DamagedFile:
        """The error for what is wrong near the cursor."""
        return DamagedFile(f"{self.path} is damaged near byte {self.at}: {what}")

    def skip(self, count: int) -> int:
        """Move behind `count` bytes; where they begin."""
        start = self.at
        if count > self.end - start:
            if self.end < len(self.data):
                raise self.damaged(f"its header is longer than {_MAX_HEADER >> 20} MiB")
            raise self.damaged("it ends in the middle of its header")
        self.at = start + count
        return start

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        start = self.skip(count)
        return self.data[start : self.at]

    def number(self, layout: struct.Struct) -> int:
        """The next number."""
        value: int = layout.unpack_from(self.data, self.skip(layout.size))[0]
        return value

    def string(self) -> str:
        """The next string: a 64-bit length and UTF-8."""
        raw = self.take(self.number(_U64))
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise self.damaged("a string is not UTF-8") from error

    def strings(self, count: int) -> list[str]:
        """The next `count` strings, without a call for each: vocabularies have 300,000."""
        found, data, at, end, length = list[str](), self.data, self.at, self.end, _U64.unpack_from
        with suppress(UnicodeDecodeError):
            # Each takes 8 bytes at least, so a false count soon runs into the end.
            while len(found) < count and (start := at + _U64.size) <= end:
                stop = start + length(data, at)[0]
                if stop > end:
                    break
                found.append(data[start:stop].decode())
                at = stop
        self.at = at
        # Where something is wrong, the slow way says what.
        return found + [self.string() for _ in range(count - len(found))]

    def value(self, kind: int) -> Any:  # noqa: ANN401 - a metadata value: number, string or list
        """The next metadata value of type `kind`."""
        if kind == GGUFValueType.ARRAY:
            return self.array(self.number(_U32), self.number(_U64))
        return self.array(kind, 1)[0]

    def array(self, kind: int, count: int) -> list[Any]:
        """`count` values of type `kind`. Arrays of arrays do not occur, as in llama.cpp."""
        if kind == GGUFValueType.STRING:
            return self.strings(count)
        if fmt := _FORMATS.get(kind):
            start = self.skip(count * struct.calcsize(fmt))
            return list(struct.unpack_from(f"<{count}{fmt}", self.data, start))
        raise self.damaged(f"the value type {kind} is unknown")

    def record(self, name: str) -> _Record:
        """The next tensor record."""
        dimensions = self.number(_U32)
        if not 1 <= dimensions <= _MAX_DIMENSIONS:
            raise self.damaged(f"the tensor {name} has {dimensions} dimensions")
        shape = tuple(self.number(_U64) for _ in range(dimensions))[::-1]
        number, start = self.number(_U32), self.number(_U64)
        try:
            kind = GGMLQuantizationType(number)
            weights, size = GGML_QUANT_SIZES[kind]
        except (ValueError, KeyError) as error:
            raise UnsupportedFile(
                f"{self.path}: the tensor {name} has the unknown type {number}"
            ) from error
        if 0 in shape or shape[-1] % weights:
            raise self.damaged(f"the tensor {name} has the shape {shape}")
        return _Record(kind, shape, start, math.prod(shape) // weights * size)

    def placed(self, records: dict[str, _Record], alignment: object) -> dict[str, _Record]:
        """The records with places in the file, once the cursor is behind the last of them."""
        if not isinstance(alignment, int) or alignment < 8 or alignment % 8:
            raise self.damaged(f"the alignment {alignment!r} is not a multiple of 8")
        base = -(-self.at // alignment) * alignment
        return {name: self.inside(name, record, base) for name, record in records.items()}

    def inside(self, name: str, record: _Record, base: int) -> _Record:
        """The record with its place in the file, if it lies inside."""
        start = base + record.start
        if record.start % 8:
            raise self.damaged(f"the tensor {name} begins at the odd offset {record.start}")
        if start + record.nbytes > len(self.data):
            raise DamagedFile(
                f"{self.path} is truncated: it has {len(self.data)} bytes, but its tensor {name} "
                f"ends at byte {start + record.nbytes}"
            )
        return replace(record, start=start)
