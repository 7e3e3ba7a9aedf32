from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine import window

LINES = st.lists(st.text("ab 😀", max_size=30), max_size=300).map("\n".join)
ROOMS = st.integers(0, 400)


def size(text: str) -> int:
    """A token for three characters."""
    return -(-len(text) // 3)


def numbered(count: int) -> str:
    return "".join(f"line {number:5d}\n" for number in range(count))


@given(LINES, ROOMS)
def test_tail_is_an_end_that_fits(text: str, room: int) -> None:
    found = window.tail(text, room, size)
    assert text.endswith(found)
    assert size(found) <= room
    if size(text) <= room:
        assert found == text


@given(LINES, ROOMS)
def test_head_is_a_beginning_that_fits(text: str, room: int) -> None:
    found = window.head(text, room, size)
    assert text.startswith(found)
    assert size(found) <= room
    if size(text) <= room:
        assert found == text


@given(LINES, st.integers(1, 400))
def test_windows_are_cut_at_line_starts_unless_a_line_is_too_long(text: str, room: int) -> None:
    tail, head = window.tail(text, room, size), window.head(text, room, size)
    last, first = text.splitlines(keepends=True)[-1:], text.splitlines(keepends=True)[:1]
    if last and size(last[0]) <= room:
        assert len(tail) == len(text) or text[-len(tail) - 1] == "\n"
    if first and size(first[0]) <= room:
        assert head == text or head.endswith("\n")


def test_tail_drops_blocks_of_lines() -> None:
    starts = [
        len(text) - len(window.tail(text, 1000, size)) for text in map(numbered, range(400, 600))
    ]
    assert len(set(starts)) <= 5
    assert all(start % (64 * len("line     0\n")) == 0 for start in starts)


def test_tail_uses_finer_blocks_where_coarse_ones_leave_it_half_empty() -> None:
    text = numbered(640 + 10)
    found = window.tail(text, 200, size)
    assert size(found) > 100
    assert (len(text) - len(found)) % (16 * len("line     0\n")) == 0


def test_one_long_line_is_cut_in_blocks_of_characters() -> None:
    line = "x" * 50_000
    starts = {len(line) + n - len(window.tail(line + "y" * n, 300, size)) for n in range(200)}
    assert len(starts) <= 4
    assert size(window.tail(line, 300, size)) > 200
    assert 200 < size(window.head(line, 300, size)) <= 300


def test_work_does_not_grow_with_the_document() -> None:
    measured: list[int] = []

    def counting(text: str) -> int:
        measured.append(len(text))
        return size(text)

    window.tail(numbered(50_000), 300, counting)
    window.head(numbered(50_000), 300, counting)
    assert max(measured) <= 6 * 300
    assert len(measured) < 40
