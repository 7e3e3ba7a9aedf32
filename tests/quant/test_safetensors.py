"""Safetensors folders: one file, shards, and what can be wrong with either."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import save_file

from quant.safetensors import SafetensorsFolder
from quant.source import DamagedFile, UnsupportedFile

if TYPE_CHECKING:
    from pathlib import Path

WEIGHTS = torch.linspace(-2, 2, 12).view(3, 4)
SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


@pytest.fixture
def sharded(tmp_path: Path) -> Path:
    """Two shards with a tensor each, and their index."""
    save_file({"a": WEIGHTS}, tmp_path / SHARDS[0])
    save_file({"b": WEIGHTS.T.contiguous()}, tmp_path / SHARDS[1])
    _index(tmp_path, dict(zip("ab", SHARDS, strict=True)))
    return tmp_path


def _index(folder: Path, weight_map: object) -> None:
    text = json.dumps({"metadata": {}, "weight_map": weight_map})
    (folder / "model.safetensors.index.json").write_text(text)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_each_float_type_becomes_float32(dtype: torch.dtype, tmp_path: Path) -> None:
    stored = WEIGHTS.to(dtype)
    save_file({"a": stored}, tmp_path / "model.safetensors")
    source = SafetensorsFolder.open(tmp_path)
    assert list(source.names()) == ["a"]
    assert source.shape("a") == (3, 4)
    assert source.nbytes > 12 * dtype.itemsize
    loaded = source.load("a")
    assert loaded.dtype == torch.float32
    assert torch.equal(loaded, stored.float())
    loaded.zero_()  # the caller's own: the file and the next reader see nothing of it
    assert torch.equal(source.load("a"), stored.float())


def test_shards_are_one_source(sharded: Path) -> None:
    source = SafetensorsFolder.open(sharded)
    assert set(source.names()) == {"a", "b"}
    assert source.shape("b") == (4, 3)
    assert torch.equal(source.load("b"), WEIGHTS.T)
    with pytest.raises(KeyError):
        source.load("c")


def test_a_missing_shard_is_named(sharded: Path) -> None:
    (sharded / SHARDS[1]).unlink()
    with pytest.raises(DamagedFile, match=rf"{SHARDS[1]} is missing"):
        SafetensorsFolder.open(sharded)


def test_a_shard_without_a_tensor_of_the_index_is_named(sharded: Path) -> None:
    _index(sharded, {"a": SHARDS[0], "c": SHARDS[1]})
    with pytest.raises(DamagedFile, match=rf"{SHARDS[1]} lacks the tensor c"):
        SafetensorsFolder.open(sharded)


@pytest.mark.parametrize("name", ["../elsewhere.safetensors", "/etc/passwd", "..", "", 3, None])
def test_an_index_cannot_lead_out_of_its_folder(name: object, sharded: Path) -> None:
    _index(sharded, {"a": name})
    with pytest.raises((DamagedFile, UnsupportedFile), match=r"no file of this folder|is missing"):
        SafetensorsFolder.open(sharded)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"weight_map": []}', "[" * 100_000])
def test_a_broken_index_is_named(text: str, sharded: Path) -> None:
    (sharded / "model.safetensors.index.json").write_text(text)
    with pytest.raises(DamagedFile, match=r"index\.json"):
        SafetensorsFolder.open(sharded)


@pytest.mark.parametrize("length", [0, 7, 40, 100])
def test_a_truncated_file_is_named(length: int, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"a": WEIGHTS}, path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DamagedFile, match=r"model\.safetensors is truncated or damaged"):
        SafetensorsFolder.open(tmp_path)


def test_an_empty_folder_lacks_its_file(tmp_path: Path) -> None:
    with pytest.raises(DamagedFile, match=r"model\.safetensors is missing"):
        SafetensorsFolder.open(tmp_path)


@pytest.mark.parametrize("dtype", [torch.int8, torch.int64, torch.float8_e4m3fn])
def test_other_number_types_are_unsupported(dtype: torch.dtype, tmp_path: Path) -> None:
    save_file({"a": torch.ones(4).to(dtype)}, tmp_path / "model.safetensors")
    source = SafetensorsFolder.open(tmp_path)
    with pytest.raises(UnsupportedFile, match="tensor a is of the type"):
        source.load("a")


def test_an_index_that_names_a_shard_twice_and_a_tensor_that_two_hold(sharded: Path) -> None:
    save_file({"a": WEIGHTS + 1, "b": WEIGHTS, "c": WEIGHTS + 2}, sharded / SHARDS[1])
    _index(sharded, {"a": SHARDS[0], "b": SHARDS[1], "c": SHARDS[1]})
    source = SafetensorsFolder.open(sharded)
    assert torch.equal(source.load("a"), WEIGHTS)
    assert torch.equal(source.load("b"), WEIGHTS)


def test_beside_a_single_file_an_index_is_left_over(sharded: Path) -> None:
    save_file({"a": WEIGHTS * 3}, sharded / "model.safetensors")
    (sharded / SHARDS[0]).unlink()
    source = SafetensorsFolder.open(sharded)
    assert list(source.names()) == ["a"]
    assert torch.equal(source.load("a"), WEIGHTS * 3)


def _header(shape: str, offsets: str = "[0, 16]", dtype: str = "F32") -> bytes:
    record = f'"dtype": "{dtype}", "shape": {shape}, "data_offsets": {offsets}'
    return b'{"a": {' + record.encode() + b"}}"


@pytest.mark.parametrize(
    ("header", "length"),
    [
        *((b"{}", length) for length in (0, 1 << 40, 1 << 60, (1 << 64) - 1)),
        *((text, None) for text in (b"[]", b'{"a": 3}', b"[" * 50_000, b"\xff\xfe{}")),
        *((_header("[4]", at), None) for at in ("[0, 1000]", "[16, 0]", "[-1, 15]", "[0]")),
        *((_header(shape), None) for shape in ("[9]", "[1e9]", "[-4]", "[4294967296, 4294967296]")),
        (_header("[4]", dtype="F3"), None),
    ],
)
def test_headers_that_make_no_sense(header: bytes, length: int | None, tmp_path: Path) -> None:
    size = len(header) if length is None else length
    path = tmp_path / "model.safetensors"
    path.write_bytes(size.to_bytes(8, "little") + header + bytes(16))
    with pytest.raises(DamagedFile, match=r"model\.safetensors is truncated or damaged"):
        SafetensorsFolder.open(tmp_path)


def test_a_shard_that_is_a_link_is_read(sharded: Path, tmp_path: Path) -> None:
    """The Hub's cache keeps files apart from the folders that show them."""
    blob = tmp_path / "blob"
    (sharded / SHARDS[0]).rename(blob)
    (sharded / SHARDS[0]).symlink_to(blob)
    assert torch.equal(SafetensorsFolder.open(sharded).load("a"), WEIGHTS)
    blob.unlink()
    with pytest.raises(DamagedFile, match="is missing"):
        SafetensorsFolder.open(sharded)
