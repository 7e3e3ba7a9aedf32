"""GGUF: values against the gguf package's own writer, reader and dequantizer; hostile files."""

from __future__ import annotations

import math
import struct
import tracemalloc
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import pytest
import torch
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType

from quant import gguf_dequant
from quant.gguf import GGUFFile
from quant.gguf_dequant import dequantize
from quant.source import DamagedFile, SourceError, UnsupportedFile

if TYPE_CHECKING:
    from pathlib import Path

Kind = GGMLQuantizationType
SEED = np.random.SeedSequence(7)
QUANTIZED = ["F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"]
RANDOM_BYTES = {"Q4_K": (0, 4), "Q5_K": (0, 4), "Q6_K": (208, 210), "Q2_K": (80, 84)}
"""Types that the package cannot write: where a block's float16 scales lie."""


def _blocks(name: str, rows: int, columns: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Bytes of a random [rows, columns] matrix in the named format, [rows, bytes of a row]."""
    random = np.random.default_rng(SEED)
    kind = Kind[name]
    if name in QUANTIZED:
        weights = random.normal(0, 0.05, (rows, columns)).astype(np.float32)
        packed: np.ndarray[Any, np.dtype[np.uint8]] = gguf.quantize(weights, kind)
        return packed.view(np.uint8)
    per_block, size = GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (rows * columns // per_block, size), dtype=np.uint8)
    start, end = RANDOM_BYTES[name]
    scales = random.normal(0, 0.01, (len(blocks), (end - start) // 2)).astype(np.float16)
    blocks[:, start:end] = scales.view(np.uint8)
    return blocks.reshape(rows, -1)


@pytest.mark.parametrize("name", [*QUANTIZED, *RANDOM_BYTES])
def test_dequantize_equals_the_gguf_package(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf_dequant, "_CHUNK", 2048)  # so that the last pass is a short one
    raw = _blocks(name, 9, 768)
    expected = torch.from_numpy(gguf.dequantize(raw, Kind[name]))
    ours = dequantize(torch.from_numpy(raw), Kind[name])
    assert ours.shape == (9, 768)
    assert ours.dtype == torch.float32
    assert torch.equal(ours, expected)


def test_float32_is_a_copy() -> None:
    weights = torch.randn(3, 5)
    ours = dequantize(weights.view(torch.uint8), Kind.F32)
    assert torch.equal(ours, weights)
    assert ours.data_ptr() != weights.data_ptr()


def test_a_type_without_dequantizer_is_named() -> None:
    with pytest.raises(UnsupportedFile, match="Q8_1"):
        dequantize(torch.zeros(1, 40, dtype=torch.uint8), Kind.Q8_1)


def test_a_real_model_reads_as_the_gguf_package_reads_it(smollm2_path: Path) -> None:
    ours = GGUFFile.open(smollm2_path)
    theirs = gguf.GGUFReader(smollm2_path)
    assert list(ours.names()) == [tensor.name for tensor in theirs.tensors]
    assert ours.nbytes == sum(tensor.n_bytes for tensor in theirs.tensors)
    own_keys = {key for key in theirs.fields if not key.startswith("GGUF.")}
    assert ours.metadata.keys() == own_keys
    for key in own_keys - {"tokenizer.ggml.merges"}:
        assert ours.metadata[key] == theirs.fields[key].contents()
    for tensor in theirs.tensors[:12]:
        expected = torch.from_numpy(gguf.dequantize(tensor.data, tensor.tensor_type).copy())
        assert ours.shape(tensor.name) == tuple(expected.shape)
        assert torch.equal(ours.load(tensor.name), expected)


METADATA: dict[str, tuple[Any, GGUFValueType]] = {
    "t.u8": (255, GGUFValueType.UINT8),
    "t.i8": (-128, GGUFValueType.INT8),
    "t.u16": (65535, GGUFValueType.UINT16),
    "t.i16": (-32768, GGUFValueType.INT16),
    "t.u32": (2**32 - 1, GGUFValueType.UINT32),
    "t.i32": (-(2**31), GGUFValueType.INT32),
    "t.u64": (2**64 - 1, GGUFValueType.UINT64),
    "t.i64": (-(2**63), GGUFValueType.INT64),
    "t.f32": (0.5, GGUFValueType.FLOAT32),
    "t.f64": (math.pi, GGUFValueType.FLOAT64),
    "t.yes": (True, GGUFValueType.BOOL),
    "t.text": ("día ▁ 🎈\r\n", GGUFValueType.STRING),
    "t.strings": (["", "Ġa", "🎈"], GGUFValueType.ARRAY),
    "t.numbers": ([3, 1, 2], GGUFValueType.ARRAY),
    "t.floats": ([0.5, -1.0], GGUFValueType.ARRAY),
}


def _write(
    path: Path, tensors: dict[str, tuple[np.ndarray[Any, Any], GGMLQuantizationType]]
) -> Path:
    writer = gguf.GGUFWriter(path, "test")
    for key, (value, kind) in METADATA.items():
        writer.add_key_value(key, value, kind)
    for name, (data, kind) in tensors.items():
        writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A file with metadata of every type and a vector, a matrix and a quantized matrix."""
    vector, matrix = np.arange(5, dtype=np.float32), np.ones((3, 4), dtype=np.float16)
    return _write(
        tmp_path / "small.gguf",
        {
            "vector": (vector, Kind.F32),
            "matrix": (matrix, Kind.F16),
            "packed": (_blocks("Q4_0", 2, 64), Kind.Q4_0),
        },
    )


def test_metadata_and_tensors_round_trip(small: Path) -> None:
    file = GGUFFile.open(small)
    expected = {key: value for key, (value, _) in METADATA.items()}
    assert file.metadata == {"general.architecture": "test", **expected}
    assert {name: file.shape(name) for name in file.names()} == {
        "vector": (5,),
        "matrix": (3, 4),
        "packed": (2, 64),
    }
    assert file.nbytes == 5 * 4 + 12 * 2 + 4 * 18
    assert torch.equal(file.load("vector"), torch.arange(5.0))
    assert torch.equal(file.load("matrix"), torch.ones(3, 4))
    packed = torch.from_numpy(gguf.dequantize(_blocks("Q4_0", 2, 64), Kind.Q4_0))
    assert torch.equal(file.load("packed"), packed)
    with pytest.raises(KeyError):
        file.load("absent")


def test_a_file_cut_anywhere_is_damaged(small: Path) -> None:
    whole = small.read_bytes()
    last_tensor_ends = len(whole) - (-(4 * 18) % 32)
    for length in range(last_tensor_ends):
        small.write_bytes(whole[:length])
        with pytest.raises(DamagedFile, match=r"small\.gguf"):
            GGUFFile.open(small)


def _complaint(path: Path) -> str:
    """Why the file cannot be read whole; empty if it can."""
    try:
        file = GGUFFile.open(path)
        for name in file.names():
            assert file.load(name).shape == file.shape(name)
    except SourceError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("byte", [0, 0x7F, 0xFF])
def test_a_wrong_byte_anywhere_is_read_or_refused(small: Path, byte: int) -> None:
    whole = small.read_bytes()
    for at in range(len(whole)):
        small.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
        complaint = _complaint(small)
        assert not complaint or str(small) in complaint


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _pair(key: str, kind: GGUFValueType, value: bytes) -> bytes:
    return _string(key) + struct.pack("<I", kind) + value


def _tensor(name: str, shape: tuple[int, ...], kind: int, start: int) -> bytes:
    dimensions = struct.pack(f"<I{len(shape)}Q", len(shape), *reversed(shape))
    return _string(name) + dimensions + struct.pack("<IQ", kind, start)


def _file(
    path: Path,
    pairs: tuple[bytes, ...] = (),
    tensors: tuple[bytes, ...] = (),
    data: bytes = bytes(64),
    version: bytes = struct.pack("<I", 3),
) -> Path:
    head = b"GGUF" + version + struct.pack("<QQ", len(tensors), len(pairs))
    header = head + b"".join(pairs) + b"".join(tensors)
    path.write_bytes(header + bytes(-len(header) % 32) + data)
    return path


def _array(kind: GGUFValueType, count: int, values: bytes = b"") -> bytes:
    return struct.pack("<IQ", kind, count) + values


ARRAY, STRING = GGUFValueType.ARRAY, GGUFValueType.STRING
DAMAGE: dict[str, dict[str, Any]] = {
    "endless string": {"pairs": (_pair("k", STRING, struct.pack("<Q", 2**63)),)},
    "endless strings": {"pairs": (_pair("k", ARRAY, _array(STRING, 2**63)),)},
    "endless numbers": {"pairs": (_pair("k", ARRAY, _array(GGUFValueType.UINT8, 2**63)),)},
    "array of arrays": {"pairs": (_pair("k", ARRAY, _array(ARRAY, 1, _array(STRING, 0))),)},
    "unknown value type": {"pairs": (_pair("k", ARRAY, _array(99, 1)),)},
    "not UTF-8": {"pairs": (_pair("k", STRING, struct.pack("<Q", 1) + b"\xff"),)},
    "key twice": {"pairs": (_pair("k", STRING, _string("")),) * 2},
    "tensor twice": {"tensors": (_tensor("t", (4,), Kind.F32, 0),) * 2},
    "huge tensor": {"tensors": (_tensor("t", (2**62, 2**62), Kind.F32, 0),)},
    "tensor past the end": {"tensors": (_tensor("t", (4,), Kind.F32, 2**40),)},
    "odd offset": {"tensors": (_tensor("t", (4,), Kind.F32, 3),)},
    "no dimensions": {"tensors": (_tensor("t", (), Kind.F32, 0),)},
    "many dimensions": {"tensors": (_tensor("t", (1,) * 5, Kind.F32, 0),)},
    "empty tensor": {"tensors": (_tensor("t", (4, 0), Kind.F32, 0),)},
    "part of a block": {"tensors": (_tensor("t", (33,), Kind.Q4_0, 0),)},
    "alignment of 0": {
        "pairs": (_pair("general.alignment", GGUFValueType.UINT32, struct.pack("<I", 0)),)
    },
    "alignment as text": {"pairs": (_pair("general.alignment", STRING, _string("32")),)},
}


@pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE)
def test_hostile_content_is_refused_cheaply(content: dict[str, Any], tmp_path: Path) -> None:
    path = _file(tmp_path / "hostile.gguf", **content)
    tracemalloc.start()
    try:
        with pytest.raises(DamagedFile, match=r"hostile\.gguf"):
            GGUFFile.open(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_counts_beyond_the_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "counts.gguf"
    for counts in ((2**64 - 1, 0), (0, 2**64 - 1)):
        path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, *counts) + bytes(64))
        with pytest.raises(DamagedFile):
            GGUFFile.open(path)


def test_a_header_of_gigabytes_is_refused(tmp_path: Path) -> None:
    path = _file(tmp_path / "long.gguf", (_pair("k", STRING, struct.pack("<Q", 2**31)),))
    with path.open("r+b") as file:
        file.truncate(2**32)
    with pytest.raises(DamagedFile, match="longer than"):
        GGUFFile.open(path)


@pytest.mark.parametrize("content", [b"", b"GG", b"PK\x03\x04" + bytes(100), b"<html></html>"])
def test_another_kind_of_file_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.gguf"
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match="not a GGUF file"):
        GGUFFile.open(path)


@pytest.mark.parametrize(
    "version", [struct.pack("<I", 1), struct.pack("<I", 4), struct.pack(">I", 3)]
)
def test_other_versions_are_unsupported(version: bytes, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFile, match="version"):
        GGUFFile.open(_file(tmp_path / "v.gguf", version=version))


def test_version_2_is_read(tmp_path: Path) -> None:
    tensor = _tensor("t", (2, 2), Kind.F32, 0)
    file = GGUFFile.open(_file(tmp_path / "v.gguf", (), (tensor,), version=struct.pack("<I", 2)))
    assert torch.equal(file.load("t"), torch.zeros(2, 2))


def test_unknown_tensor_types_are_unsupported(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFile, match="777"):
        GGUFFile.open(_file(tmp_path / "t.gguf", (), (_tensor("t", (4,), 777, 0),)))
    known = GGUFFile.open(_file(tmp_path / "u.gguf", (), (_tensor("t", (32,), Kind.Q8_1, 0),)))
    with pytest.raises(UnsupportedFile, match=r"u\.gguf.*Q8_1.*tensor t"):
        known.load("t")


def test_tensors_begin_at_the_alignment_that_the_file_names(tmp_path: Path) -> None:
    alignment = _pair("general.alignment", GGUFValueType.UINT32, struct.pack("<I", 256))
    tensor = _tensor("t", (2,), Kind.F32, 0)
    path = _file(tmp_path / "a.gguf", (alignment,), (tensor,), b"")
    header = path.read_bytes()
    path.write_bytes(header + bytes(-len(header) % 256) + struct.pack("<2f", 1.5, -2.0))
    assert torch.equal(GGUFFile.open(path).load("t"), torch.tensor([1.5, -2.0]))
