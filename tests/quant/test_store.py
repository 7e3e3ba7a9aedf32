from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from quant.entry import Entry
from quant.formats import FORMATS, KINDS
from quant.store import DamagedStore, open_store, write_store

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "made from this"


def _entries() -> dict[str, Entry]:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(37, 70, generator=generator)
    modules = {
        "first": FORMATS["int4"].embedding(weight),
        "second": FORMATS["int4"].linear(weight, weight[:, 0]),
        "third": FORMATS["int4"].linear(weight, None),
    }
    halves = Entry(
        "Halves", {"a": weight.half(), "b": weight.bfloat16(), "c": weight}, {"eps": 0.5}
    )
    return {name: Entry.of(module) for name, module in modules.items()} | {"halves": halves}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "some.safetensors"
    write_store(path, KEY, _entries().items())
    return path


def _open(path: Path, key: str = KEY) -> dict[str, Entry]:
    return open_store(path, key, lambda *_: None)


def test_what_is_mapped_is_what_was_written_bit_by_bit(path: Path) -> None:
    written, mapped = _entries(), _open(path)
    assert list(mapped) == list(written)
    for name, entry in written.items():
        assert (mapped[name].kind, mapped[name].numbers) == (entry.kind, entry.numbers)
        assert list(mapped[name].tensors) == list(entry.tensors)
        for part, tensor in entry.tensors.items():
            assert mapped[name].tensors[part].dtype == tensor.dtype
            assert mapped[name].tensors[part].equal(tensor)


def test_modules_of_mapped_tensors_compute_the_same(path: Path) -> None:
    x, ids = torch.randn(5, 70), torch.tensor([0, 36, 4])
    for name, entry in _open(path).items():
        if entry.kind in KINDS:
            given = ids if name == "first" else x
            expected = _entries()[name].module(KINDS)(given)
            assert entry.module(KINDS)(given).equal(expected)


def test_tensors_are_aligned_and_lie_in_the_file(path: Path) -> None:
    tensors = [tensor for entry in _open(path).values() for tensor in entry.tensors.values()]
    assert {tensor.data_ptr() % 64 for tensor in tensors} == {0}
    ranges = [
        [int(end, 16) for end in line.split()[0].split("-")]
        for line in Path("/proc/self/maps").read_text().splitlines()
        if line.endswith(str(path))
    ]
    assert all(any(low <= t.data_ptr() < high for low, high in ranges) for t in tensors)


def test_any_reader_of_safetensors_can_open_it(path: Path) -> None:
    entries = _entries()
    found = load_file(path)
    assert found["second.packed"].equal(entries["second"].tensors["packed"])
    with safe_open(path, framework="pt") as file:
        assert set(file.metadata()) == {"caret", "xxh3"}


def test_progress_reaches_every_entry(path: Path) -> None:
    seen: list[tuple[int, int]] = []
    open_store(path, KEY, lambda done, total: seen.append((done, total)))
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4)]


def test_no_store(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        _open(tmp_path / "absent.safetensors")


def test_made_from_something_else(path: Path) -> None:
    with pytest.raises(DamagedStore, match="made from something else"):
        _open(path, "another")


@pytest.mark.parametrize("kept", [0, 5, 1000, 1 << 20, -1])
def test_cut_short(path: Path, kept: int) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DamagedStore):
        _open(path)


def _places(path: Path) -> dict[str, int]:
    """A byte of the file in every kind of place."""
    data = path.read_bytes()
    return {
        "length": 1,
        "metadata": data.index(b'\\"out\\": 37') + 9,
        "tensor's place": data.index(b'"data_offsets"') + 17,
        "number format": data.index(b'"dtype":') + 10,
        "key": data.index(KEY.encode()),
        "first tensor": 1 << 20,
        "last tensor": len(data) - 64,
    }


@pytest.mark.parametrize(
    "place",
    [
        "length",
        "metadata",
        "tensor's place",
        "number format",
        "key",
        "first tensor",
        "last tensor",
    ],
)
@pytest.mark.parametrize("bit", [0, 3, 6])
def test_flipped_bit(path: Path, place: str, bit: int) -> None:
    data, at = bytearray(path.read_bytes()), _places(path)[place]
    data[at] ^= 1 << bit
    path.write_bytes(data)
    with pytest.raises(DamagedStore):
        _open(path)


def test_failed_write_leaves_nothing(tmp_path: Path) -> None:
    def failing() -> Iterator[tuple[str, Entry]]:
        yield from _entries().items()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_store(tmp_path / "some", KEY, failing())
    assert list(tmp_path.iterdir()) == []


def test_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files, which the operating system keeps for a process."""
    program = """if True:
        import resource, sys, torch
        from pathlib import Path
        from quant.entry import Entry
        from quant.store import write_store
        resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, 3 << 20))
        entry = Entry("Floats", {"weight": torch.zeros(1 << 20)}, {})
        try:
            write_store(Path(sys.argv[1]), "", [("first", entry)])
        except OSError as error:
            print(error.strerror)
    """
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "some"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "File too large\n"
    assert list(tmp_path.iterdir()) == []


def test_a_write_to_a_mapped_tensor_stays_in_this_process(path: Path) -> None:
    before = path.read_bytes()
    _open(path)["halves"].tensors["c"].zero_()
    assert path.read_bytes() == before
    assert _open(path)["halves"].tensors["c"].any()
