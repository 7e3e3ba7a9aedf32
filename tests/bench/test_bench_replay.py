"""Places to type at, and typing itself, with an editor that suggests by rote."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from bench.keystroke_figures import Sides, figures
from bench.replay import Cost, Key, replay
from bench.sites import Site, find_sites, own_files
from bench.writing import Writing
from engine.errors import CaretError

if TYPE_CHECKING:
    from pathlib import Path


class Rote:
    """Suggests the same text at every key, and keeps what was typed."""

    def __init__(self, site: Site, suggestions: dict[str, str]) -> None:
        self.site, self.typed, self._suggestions = site, "", suggestions
        self.asked: list[str] = []

    async def insert(self, offset: int, text: str) -> None:
        assert offset == len(self.site.before) + len(self.typed)
        self.typed += text

    async def rest(self, offset: int) -> None:
        pass

    async def suggestion(self, offset: int) -> str:
        assert offset == len(self.site.before) + len(self.typed)
        self.asked.append(self.typed)
        return self._suggestions.get(self.typed, "")

    async def cost(self) -> Cost:
        return Cost(1, 2)

    async def close(self) -> None:
        pass


def site(file: Path, typed: str) -> Site:
    return Site(file, 1, "def f():\n    ", typed, "\n")


def test_sites_put_together_are_the_file() -> None:
    files = own_files()
    assert len(files) == 4
    for found in find_sites(files, count=3, lines=2, seed=1):
        text = found.file.read_text("utf-8")
        assert found.before + found.typed + found.after == text
        assert found.before.endswith((" ", "\t"))
        assert found.typed.count("\n") == 1
        assert found.line == found.before.count("\n")


def test_sites_are_apart_and_chosen_by_the_seed() -> None:
    files = own_files()[:1]
    lines = [found.line for found in find_sites(files, count=4, lines=1, seed=3)]
    assert lines == [found.line for found in find_sites(files, count=4, lines=1, seed=3)]
    assert all(later - earlier > 12 for earlier, later in itertools.pairwise(lines))
    assert lines != [found.line for found in find_sites(files, count=4, lines=1, seed=4)]


def test_a_file_without_a_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n" * 100)
    with pytest.raises(CaretError, match="None of the files has a place to type at"):
        find_sites([tmp_path / "a.py"], count=1, lines=1, seed=1)
    (tmp_path / "b.py").write_bytes(b"\xff\xfe")
    with pytest.raises(CaretError, match=r"b\.py cannot be read"):
        find_sites([tmp_path / "b.py"], count=1, lines=1, seed=1)


async def test_every_key_asks_and_enter_brings_the_indent(tmp_path: Path) -> None:
    place = site(tmp_path / "a.py", "ab\n    c")
    document = Rote(place, {})
    keys = await replay(place, document, accept=False)
    assert document.asked == ["", "a", "ab", "ab\n    "]
    assert document.typed == place.typed
    assert [key.first for key in keys] == [True, False, False, False]
    assert [key.wanted for key in keys] == ["ab", "b", "", "c"]


async def test_off_keys_left_the_last_suggestion(tmp_path: Path) -> None:
    place = site(tmp_path / "a.py", "abcd")
    document = Rote(place, {"": "abx", "a": "bx", "ab": "x", "abc": "d"})
    keys = await replay(place, document, accept=False)
    assert [key.off for key in keys] == [False, False, False, True]


async def test_accepting_user_types_less(tmp_path: Path) -> None:
    place = site(tmp_path / "a.py", "abcd\n    ef")
    document = Rote(place, {"a": "bcd\n    ef", "abcd\n    ": "ef"})
    keys = await replay(place, document, accept=True)
    assert document.asked == ["", "a", "abcd", "abcd\n    "]
    assert document.typed == place.typed
    assert [key.hit for key in keys] == [False, True, False, True]
    sides = Sides({"caret": keys, "peer": []})
    found = {figure.name: figure for figure in figures(sides, accept=True, idle=1)}
    # 4 keys for 7: "bcd" and "ef" were one key each
    assert found["characters saved"].ours == pytest.approx(100 * 3 / 7)


def key(seconds: float, *, first: bool = False, off: bool = False, calls: int = 0) -> Key:
    return Key("a.py:1", 0, seconds, "", "", first, off, calls, 3 if calls else 0)


def test_figures_of_both_sides() -> None:
    ours = [key(0.4, first=True, calls=1), key(0.001), key(0.1, off=True, calls=1), key(0.003)]
    peer = [key(0.8, first=True, calls=1), key(0.0), key(1.0, off=True, calls=1), key(0.0)]
    sides = Sides(
        typed={"caret": ours, "peer": peer},
        jumped={"caret": [key(0.2)], "peer": [key(0.5)]},
        rested={"caret": [key(0.1)], "peer": [key(0.5)]},
    )
    found = {figure.name: figure for figure in figures(sides, accept=False, idle=2)}
    assert found["off keys, p50"].ratio == pytest.approx(0.1)
    assert found["new place, p50"].ratio == pytest.approx(0.5)
    assert found["jump, at once, p50"].ratio == pytest.approx(0.4)
    assert found["jump, after 2 s, p50"].ratio == pytest.approx(0.2)
    assert found["key to answer, mean"].ours == pytest.approx(104 / 3)
    assert found["no model call, keys"].ours == 50
    assert found["no model call, max"].ours == pytest.approx(3)
    assert found["off keys, of all"].peer == 25
    assert found["new tokens an off key, median"].ours == 3


def test_what_was_written_while_keys_were_typed() -> None:
    """3 answers of 30 tokens in 15 passes, of which the 12 later ones took 30 ms each."""
    before = {"caret_generated_tokens_total": 7.0, "caret_generating_passes_total": 7.0}
    after = {
        "caret_generated_tokens_total": 37.0,
        "caret_generating_passes_total": 22.0,
        "caret_requests_total": 3.0,
        "caret_decode_seconds_total": 0.36,
    }
    shown = Writing.between(before, after, plain=28.0).figures()
    assert [figure.ours for figure in shown] == [2.0, pytest.approx(15), 28.0]
    assert Writing.between(after, after, plain=28.0).figures() == []
