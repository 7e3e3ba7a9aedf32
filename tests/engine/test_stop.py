from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.stop import StopStrings, TextStream


@given(st.text(), st.lists(st.integers(1, 5)))
def test_text_stream_never_splits_a_character(text: str, sizes: list[int]) -> None:
    stream, data, seen = TextStream(), text.encode(), ""
    for size in sizes:
        seen += stream.push(data[:size])
        data = data[size:]
        assert "\ufffd" not in seen.replace("\ufffd", "", text.count("\ufffd"))
    assert seen + stream.push(data) == text


def test_text_stream_drops_what_the_user_has_typed() -> None:
    stream = TextStream(skip=4)
    assert [stream.push(b"ret"), stream.push(b"urn "), stream.push(b"x")] == ["", "rn ", "x"]


@given(st.binary(max_size=30), st.lists(st.integers(1, 5), max_size=30), st.integers(0, 3))
def test_bytes_that_make_no_character_are_dropped(data: bytes, sizes: list[int], skip: int) -> None:
    stream, at, seen = TextStream(skip), 0, ""
    for size in sizes:
        seen += stream.push(data[at : at + size])
        at += size
    assert seen == data[skip:at].decode(errors="ignore")


@pytest.mark.parametrize("text", ["🎉", "é", "日", "e\u0301", "\ufffd", "a🎉"])
def test_an_answer_may_be_cut_in_a_character_at_any_byte(text: str) -> None:
    data = text.encode()
    for end in range(len(data) + 1):
        whole = data[:end].decode(errors="ignore")
        assert TextStream().push(data[:end]) == whole
        assert text.startswith(whole)


@given(st.text("ab\n", max_size=30), st.sampled_from([("\n",), ("ab\n", "bb"), ()]), st.data())
def test_stop_strings_cut_wherever_the_pieces_break(
    text: str, stops: tuple[str, ...], data: st.DataObject
) -> None:
    matcher, seen, rest = StopStrings(stops), "", text
    while rest and not matcher.stopped:
        size = data.draw(st.integers(1, len(rest)))
        seen += matcher.push(rest[:size])
        rest = rest[size:]
    seen += matcher.flush()
    if matcher.stopped:
        assert any(text.startswith(seen + stop) for stop in stops)
    else:
        assert seen == text
    assert not any(stop in seen for stop in stops)


@pytest.mark.parametrize("pieces", [["x = 1", "\n"], ["x = 1\ny"], ["x =", " 1\n\n"]])
def test_stop_at_the_line_end(pieces: list[str]) -> None:
    matcher = StopStrings(("\n",))
    assert "".join(matcher.push(piece) for piece in pieces) == "x = 1"
    assert matcher.stopped


@given(st.text("a \n", max_size=12), st.data())
def test_one_line_may_begin_below_the_caret(text: str, data: st.DataObject) -> None:
    matcher, seen, rest = StopStrings((), one_line=True), "", text
    while rest and not matcher.stopped:
        size = data.draw(st.integers(0, len(rest)))
        seen += matcher.push(rest[:size])
        rest = rest[size:]
    written = text.lstrip()
    blank = text[: len(text) - len(written)]
    assert seen == blank + written.split("\n")[0]
    assert matcher.stopped == ("\n" in written)
