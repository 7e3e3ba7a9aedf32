"""Numbers reach the file in the background, or stay."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from lsp_server.statistics.counts import Key
from lsp_server.statistics.recorder import Recorder
from lsp_server.statistics.store import FILE, Store

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def today(language: str, name: str) -> Key:
    return Key(datetime.date.today().isoformat(), language, name)


async def test_counts_are_written_together(tmp_path: Path) -> None:
    recorder = Recorder(print, tmp_path)
    recorder.enable(enabled=True)
    recorder.count("python", "shown")
    recorder.count("python", "shown", 2)
    recorder.count("/home/me/secret.py", "shown")
    assert not (tmp_path / FILE).exists()
    await recorder.flush()
    await recorder.flush()
    assert Store(print, tmp_path).read() == {
        today("python", "shown"): 3,
        today("other", "shown"): 1,
    }


async def test_switched_off_no_file_is_made(tmp_path: Path) -> None:
    recorder = Recorder(print, tmp_path)
    recorder.count("python", "shown")  # the settings are not known yet
    recorder.enable(enabled=True)
    recorder.count("python", "shown")
    recorder.enable(enabled=False)
    recorder.count("python", "shown")
    await recorder.flush()
    assert list(tmp_path.iterdir()) == []


async def test_what_cannot_be_written_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "folder"
    folder.write_text("in the way")
    recorder = Recorder(print, folder)
    recorder.enable(enabled=True)
    for _ in range(2):
        recorder.count("python", "shown")
        await recorder.flush()
    assert len(caplog.messages) == 1
    folder.unlink()
    folder.mkdir()
    await recorder.flush()
    assert Store(print, folder).read() == {today("python", "shown"): 2}


async def test_damage_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("no database")
    told: list[str] = []
    recorder = Recorder(told.append, tmp_path)
    recorder.enable(enabled=True)
    recorder.count("python", "shown")
    await recorder.flush()
    assert [line.startswith("The file of statistics was damaged") for line in told] == [True]
    assert Store(print, tmp_path).read() == {today("python", "shown"): 1}
