"""`caret quantize`, as a person runs it, on real weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.paths import packed_dir
from quant.formats import FORMATS
from tests.command import caret

if TYPE_CHECKING:
    import subprocess


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARET_HOME", str(tmp_path))


def quantize(*arguments: str) -> subprocess.CompletedProcess[str]:
    done = caret("quantize", *arguments)
    assert "Traceback" not in done.stderr
    return done


def _stores() -> dict[str, tuple[int, int]]:
    files = packed_dir().glob("*.safetensors")
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def test_a_model_is_packed_once(smollm2_path: Path) -> None:
    first = quantize(str(smollm2_path), "int4")
    assert first.returncode == 0, first.stderr
    ((path, (size, _)),) = (before := _stores()).items()
    assert "is packed now as int4: " in first.stdout
    assert f"{size / 1e6:.1f} MB at {path}" in first.stdout
    assert size == pytest.approx(135e6 * 5 / 8, rel=0.1)
    second = quantize(str(smollm2_path), "int4")
    assert second.stdout == first.stdout.replace("is packed now", "is already packed")
    assert _stores() == before


def test_a_damaged_store_is_packed_again(smollm2_path: Path) -> None:
    quantize(str(smollm2_path), "int4")
    (path,) = map(Path, _stores())
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert "is packed now" in quantize(str(smollm2_path), "int4").stdout
    assert path.read_bytes() == whole


def test_an_unknown_format_is_wrong_usage_and_gets_the_list(smollm2_path: Path) -> None:
    done = quantize(str(smollm2_path), "int3")
    assert done.returncode == 2
    assert "Usage: caret quantize" in done.stderr
    for name in FORMATS:
        assert f"'{name}'" in done.stderr


def test_a_format_that_is_not_kept_says_so(smollm2_path: Path) -> None:
    done = quantize(str(smollm2_path), "bfloat16")
    assert done.returncode == 1
    assert "caret: bfloat16 is not kept on disk" in done.stderr
    assert "Kept are int8, int4, native." in done.stderr
    assert not _stores()


def test_no_room_is_told_in_a_line(smollm2_path: Path, tmp_path: Path) -> None:
    (tmp_path / "packed").write_text("a file where the folder would be, which binds root too")
    done = quantize(str(smollm2_path), "int4")
    assert done.returncode == 1
    assert done.stderr.startswith(f"caret: Caret cannot make {tmp_path / 'packed'}: File exists.")
    assert len(done.stderr.splitlines()) == 1


def test_a_model_that_is_not_there_names_the_command() -> None:
    done = quantize("smollm2-135m", "int4")
    assert done.returncode == 1
    assert "`caret pull smollm2-135m`" in done.stderr


@pytest.mark.parametrize(
    "arguments", [[], ["m"], ["m", "int4", "--report"], ["m", "int4", "--format=int8"]]
)
def test_wrong_usage(arguments: list[str]) -> None:
    assert quantize(*arguments).returncode == 2
