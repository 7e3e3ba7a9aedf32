"""What the numbers say, and how `caret stats` prints it."""

from __future__ import annotations

import datetime
import json
from statistics import quantiles
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.commands.stats import command
from lsp_server.statistics.counts import COUNTS, SOURCES, Key, bucket_ms, bucket_name
from lsp_server.statistics.store import FILE, Store
from lsp_server.statistics.summary import summarise

if TYPE_CHECKING:
    from pathlib import Path


def today(ago: int = 0) -> datetime.date:
    """Asked for in each test: midnight may come between them."""
    return datetime.date.today() - datetime.timedelta(days=ago)


def numbers(day: datetime.date, language: str = "python", **counts: int) -> dict[Key, int]:
    return {Key(day.isoformat(), language, name): count for name, count in counts.items()}


@given(st.lists(st.floats(0.002, 30), min_size=100, max_size=300))
def test_percentiles_are_right_within_a_bucket(seconds: list[float]) -> None:
    found: dict[Key, int] = {}
    for one in seconds:
        key = Key("d", "python", bucket_name("model", one))
        found[key] = found.get(key, 0) + 1
    latency = summarise(found).total.latency("model")
    assert latency["answers"] == len(seconds)
    cuts = quantiles([1000 * one for one in seconds], n=100, method="inclusive")
    in_order = sorted(1000 * one for one in seconds)
    for percent in (50, 95):
        exact = in_order[-(-len(seconds) * percent // 100) - 1]
        assert latency[f"p{percent}_ms"] == pytest.approx(exact, rel=0.1)
    assert cuts[0] <= latency["p99_ms"] * 1.1


@given(st.floats(0, 1e5))
def test_a_bucket_is_near_its_time(seconds: float) -> None:
    source, _, bucket = bucket_name("cache", seconds).partition(" ")
    assert source in SOURCES
    assert 0 <= int(bucket) <= 100
    if 0.001 <= seconds < 3e4:
        assert bucket_ms(int(bucket)) == pytest.approx(seconds * 1000, rel=0.1)


def test_shares() -> None:
    found = numbers(today(), shown=10, accepted=4, kept=3, changed=1, gone=2, tokens=50)
    found |= numbers(today(), "c", shown=30, model_ms=2000)
    found |= {Key("2026-01-01", "c", "model 4"): 1, Key("2026-01-01", "c", "cache 4"): 3}
    summary = summarise(found)
    assert (summary.total.acceptance, summary.total.kept) == (0.1, 0.5)
    assert (summary.total.tokens_per_s, summary.total.without_model) == (25, 0.75)
    assert list(summary.languages) == ["c", "python"]
    assert list(summary.days) == ["2026-01-01", today().isoformat()]


def test_no_numbers_no_shares() -> None:
    record = summarise({}).total.record()
    assert record["shown"] == 0
    assert record["acceptance"] is record["tokens_per_s"] is record["without_model"] is None
    assert record["latency"]["model"] == {"answers": 0}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("CARET_HOME", str(tmp_path))
    store = Store(print)
    store.add(numbers(today(), shown=20, accepted=10, whole=8, line=2, kept=9, gone=1))
    store.add(numbers(today(), "cpp", shown=5, accepted=1, characters=77))
    store.add(numbers(today(ago=40), shown=100))
    return store


def printed(*arguments: str) -> str:
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.usefixtures("store")
def test_the_tables_and_the_chart() -> None:
    output = printed()
    rows = {line.split()[0]: line.split()[1:] for line in output.splitlines() if line.strip()}
    assert rows["python"][:6] == ["20", "10", "50%", "8", "2", "0"]
    assert rows["cpp"][-3:] == ["77", "-", "-"]
    assert rows["all"] == ["0", "-", "-", "-"]
    day, shown, accepted = rows[today().isoformat()], "░" * 22, "█" * 18
    assert day == ["25", "11", accepted + shown]
    assert today(ago=40).isoformat() not in rows
    assert today(ago=40).isoformat() in printed("--days", "41")


@pytest.mark.usefixtures("store")
def test_for_programs() -> None:
    record = json.loads(printed("--json"))
    assert record["since"] == today(ago=29).isoformat()
    assert set(record["languages"]) == {"python", "cpp"}
    assert COUNTS.keys() | {"latency", "acceptance"} <= record["total"].keys()
    assert record["days"][today().isoformat()]["shown"] == record["total"]["shown"] == 25
    assert record["languages"]["python"]["kept_share"] == 0.9


def test_reset(store: Store) -> None:
    assert printed("--reset") == "The statistics begin anew.\n"
    assert store.read() == {}
    assert "Nothing was counted since" in printed("--days", "60")


def test_a_damaged_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARET_HOME", str(tmp_path))
    (tmp_path / "statistics").mkdir()
    (tmp_path / "statistics" / FILE).write_text("no database")
    done = CliRunner().invoke(command)
    assert done.exit_code == 0
    assert "Nothing was counted" in done.stdout
    assert "was damaged" in done.stderr
