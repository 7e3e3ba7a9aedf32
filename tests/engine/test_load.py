"""Packed once, mapped ever after; and whatever happens to the store, a model that is right."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import torch

from engine import load, shelf
from engine.checkpoint import Checkpoint, open_checkpoint
from engine.load import build_decoder, load_decoder, size_of
from engine.paths import packed_dir
from engine.planner import Size
from quant.formats import FORMATS
from tests.tiny import CONFIG, RandomSource

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = "int4"
TOKENS = torch.arange(20) * 7 % CONFIG.vocab_size


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CARET_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    path = tmp_path / "some model.gguf"
    path.write_bytes(bytes(5000))
    return Checkpoint(path, CONFIG, None, RandomSource(), None)


def _logits(checkpoint: Checkpoint, fmt: str = FORMAT) -> torch.Tensor:
    decoder = load_decoder(checkpoint, fmt, lambda *_: None)
    return decoder.forward(TOKENS, decoder.new_cache(64))


def _in_memory(source: RandomSource, fmt: str) -> torch.Tensor:
    decoder = build_decoder(CONFIG, source, FORMATS[fmt], lambda *_: None)
    return decoder.forward(TOKENS, decoder.new_cache(64))


def _loads(checkpoint: Checkpoint, fmt: str = FORMAT) -> int:
    """How many tensors of the checkpoint a load reads; it must compute what is right."""
    source = checkpoint.source
    assert isinstance(source, RandomSource)
    before = source.loads
    logits, loads = _logits(checkpoint, fmt), source.loads - before
    assert logits.equal(_in_memory(source, fmt))
    return loads


def _stores() -> list[Path]:
    return [path for path in packed_dir().iterdir() if path.suffix != ".lock"]


def test_second_load_reads_no_weight(checkpoint: Checkpoint) -> None:
    assert _loads(checkpoint) > 0
    assert _loads(checkpoint) == 0


def test_progress(checkpoint: Checkpoint) -> None:
    seen: list[tuple[int, int]] = []
    for _ in range(2):
        load_decoder(checkpoint, FORMAT, lambda done, total: seen.append((done, total)))
        assert all(0 <= done <= total for done, total in seen)
        assert len(seen) > CONFIG.layers
        seen.clear()


@pytest.mark.parametrize("at", [0, 2500, 4999])
def test_changed_model_is_packed_again(checkpoint: Checkpoint, at: int) -> None:
    _loads(checkpoint)
    data = bytearray(checkpoint.path.read_bytes())
    data[at] ^= 1
    checkpoint.path.write_bytes(data)
    assert _loads(checkpoint) > 0
    assert _loads(checkpoint) == 0
    assert len(_stores()) == 1


def test_same_size_and_time_do_not_hide_a_changed_header(checkpoint: Checkpoint) -> None:
    _loads(checkpoint)
    stat = checkpoint.path.stat()
    checkpoint.path.write_bytes(b"x" + checkpoint.path.read_bytes()[1:])
    os.utime(checkpoint.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert _loads(checkpoint) > 0


def test_changed_version_is_packed_again(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    _loads(checkpoint)
    monkeypatch.setattr(load, "PACKING", -1)
    assert _loads(checkpoint) > 0
    assert _loads(checkpoint) == 0
    assert len(_stores()) == 1


def test_another_format_takes_the_place(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FORMATS, "other", FORMATS[FORMAT])
    _loads(checkpoint)
    assert _loads(checkpoint, "other") > 0
    assert [".other." in path.name for path in _stores()] == [True]


def test_models_do_not_share_a_store(checkpoint: Checkpoint, tmp_path: Path) -> None:
    _loads(checkpoint)
    namesake = tmp_path / "elsewhere" / checkpoint.path.name
    namesake.parent.mkdir()
    namesake.write_bytes(checkpoint.path.read_bytes())
    assert _loads(Checkpoint(namesake, CONFIG, None, RandomSource(), None)) > 0
    assert _loads(checkpoint) == 0
    assert len(_stores()) == 2


def test_folder_of_weights(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_text(name)
    checkpoint = Checkpoint(folder, CONFIG, None, RandomSource(), None)
    assert _loads(checkpoint) > 0
    assert _loads(checkpoint) == 0
    (folder / "model.safetensors").write_text("others")
    assert _loads(checkpoint) > 0


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_damaged_store_is_made_again_with_a_word_in_the_log(
    checkpoint: Checkpoint, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    _loads(checkpoint)
    (store,) = _stores()
    data = bytearray(store.read_bytes())
    data[-100] ^= 16
    store.write_bytes(data if damage == "flipped" else data[:-1])
    assert _loads(checkpoint) > 0
    assert f"{store} is damaged and will be made again" in caplog.text
    assert _loads(checkpoint) == 0


def test_folder_that_cannot_be_written(
    checkpoint: Checkpoint, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home.mkdir()
    (home / "packed").write_text("a file where the folder would be, which binds root too")
    assert _loads(checkpoint) > 0
    assert _loads(checkpoint) > 0
    assert caplog.text.count("Packed weights cannot be kept") == 2


def test_no_room(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Size, "packed", lambda *_: 1 << 60)
    assert _loads(checkpoint) > 0
    assert "No space left on device" in caplog.text
    assert _stores() == []


def test_format_without_a_store(checkpoint: Checkpoint) -> None:
    assert _loads(checkpoint, "float32") == _loads(checkpoint, "float32") > 0
    assert not packed_dir().is_dir() or _stores() == []


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("fmt", [name for name, fmt in FORMATS.items() if fmt.storable])
def test_storable_formats_are_what_they_say(checkpoint: Checkpoint, fmt: str, tied: bool) -> None:
    checkpoint = replace(checkpoint, source=RandomSource(tied=tied))
    assert _loads(checkpoint, fmt) > 0
    assert _loads(checkpoint, fmt) == 0


def test_a_size_is_that_of_the_store_or_an_estimate(smollm2_path: Path) -> None:
    checkpoint = open_checkpoint(smollm2_path)
    size = size_of("", checkpoint)
    assert size.packed("float32") == pytest.approx(4 * 135e6, rel=0.01)
    assert size.kept == {}
    load_decoder(checkpoint, FORMAT, lambda *_: None)
    (store,) = _stores()
    known = size_of("", checkpoint)
    assert known.packed(FORMAT) == store.stat().st_size
    assert known.packed(FORMAT) == pytest.approx(size.packed(FORMAT), rel=0.15)
    assert known.packed("int8") == size.packed("int8")
    assert shelf.kept_bytes(smollm2_path) == store.stat().st_size


CHILD = """if True:
    import sys
    from pathlib import Path
    import torch
    from engine.checkpoint import open_checkpoint
    from engine.load import load_decoder

    def report(done: int, total: int) -> None:
        if total == 0:
            print("reaching for the lock", flush=True)
        if total == checkpoint.config.layers + 1 and done == 3:  # it packs
            print("packing", flush=True)
            sys.stdin.readline()

    checkpoint = open_checkpoint(Path(sys.argv[1]))
    print("started", flush=True)
    decoder = load_decoder(checkpoint, sys.argv[2], report)
    logits = decoder(torch.arange(9), decoder.new_cache(64))
    print(logits.double().sum().item(), flush=True)
"""


def _child(model: Path) -> subprocess.Popen[str]:
    """A process that loads the model; when it packs, it says so after 3 layers and waits."""
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, model, FORMAT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def _smollm2_logits(path: Path) -> float:
    checkpoint = open_checkpoint(path)
    assert checkpoint.config is not None
    decoder = build_decoder(checkpoint.config, checkpoint.source, FORMATS[FORMAT], lambda *_: None)
    logits = decoder.forward(torch.arange(9), decoder.new_cache(64))
    return float(logits.double().sum())


def test_killed_while_it_packs(smollm2_path: Path) -> None:
    with _child(smollm2_path) as child:
        assert [_line(child) for _ in range(3)] == ["started", "reaching for the lock", "packing"]
        child.send_signal(signal.SIGKILL)
    (left,) = _stores()
    assert left.name.endswith(".partial")
    with _child(smollm2_path) as child:
        assert [_line(child) for _ in range(3)] == ["started", "reaching for the lock", "packing"]
        child.communicate("\n")
    (store,) = _stores()
    assert store.suffix == ".safetensors"
    with _child(smollm2_path) as child:
        assert [_line(child), float(_line(child))] == ["started", _smollm2_logits(smollm2_path)]


def test_two_processes_pack_once(smollm2_path: Path) -> None:
    with _child(smollm2_path) as first:
        assert [_line(first) for _ in range(3)] == ["started", "reaching for the lock", "packing"]
        with _child(smollm2_path) as second:
            assert _line(second) == "started"
            assert _line(second) == "reaching for the lock"
            sums = [first.communicate("\n")[0], second.communicate()[0]]
    assert [float(text) for text in sums] == [_smollm2_logits(smollm2_path)] * 2
