"""The file of statistics: several writers, damage, a full disk, its size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import StatisticsUnavailable
from lsp_server.statistics import store as module
from lsp_server.statistics.counts import Key
from lsp_server.statistics.store import FILE, Store

SHOWN = Key("2026-01-31", "python", "shown")
WRITER = """
import sys
from pathlib import Path
from lsp_server.statistics.counts import Key
from lsp_server.statistics.store import Store
store = Store(lambda news: print(news, file=sys.stderr), Path(sys.argv[1]))
for _ in range(50):
    store.add({Key("2026-01-31", "python", "shown"): 1, Key("2026-01-31", "c", "shown"): 2})
"""


def test_numbers_add_up(tmp_path: Path) -> None:
    other, store = SHOWN._replace(day="2026-01-30"), Store(pytest.fail, tmp_path)
    assert store.read() == {}
    store.add({SHOWN: 2, other: 1})
    store.add({SHOWN: 3})
    assert store.read() == {other: 1, SHOWN: 5}
    assert store.read("2026-01-31") == {SHOWN: 5}
    store.clear()
    assert store.read() == {}


def test_several_editors_write_at_once(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE) for _ in range(3)]
    said = [writer.communicate()[1] for writer in writers]
    assert said == [b"", b"", b""]
    found = Store(pytest.fail, tmp_path).read()
    assert found == {SHOWN: 150, SHOWN._replace(language="c"): 300}


@pytest.mark.parametrize("damage", [b"no database at all", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_set_aside_with_a_message(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / FILE).write_bytes(damage)
    news: list[str] = []
    store = Store(news.append, tmp_path)
    store.add({SHOWN: 1})
    assert store.read() == {SHOWN: 1}
    assert (tmp_path / "statistics.damaged").read_bytes() == damage
    assert [str(tmp_path / "statistics.damaged") in line for line in news] == [True]


def test_a_page_damaged_later_is_set_aside_too(tmp_path: Path) -> None:
    news: list[str] = []
    store = Store(news.append, tmp_path)
    store.add({SHOWN._replace(name=str(number)): 1 for number in range(2000)})
    data = bytearray((tmp_path / FILE).read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    (tmp_path / FILE).write_bytes(data)
    assert store.read() == {}
    assert len(news) == 1


def test_a_place_that_cannot_be_used_is_an_error_in_words(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(StatisticsUnavailable, match="cannot be used"):
        Store(pytest.fail, file).add({SHOWN: 1})
    assert file.read_text() == ""


def test_the_oldest_days_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 100)
    store = Store(pytest.fail, tmp_path)
    for day in range(10, 30):
        store.add({Key(f"2026-01-{day}", "python", str(name)): 1 for name in range(30)})
    left = store.read()
    assert len(left) == 90
    assert {key.day for key in left} == {"2026-01-27", "2026-01-28", "2026-01-29"}
