from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.framing import MAX_BODY, frame, read_message

BODY = b'{"id": 1}'


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 9\r\n\r\n",
        b"content-length:9\r\n\r\n",
        b"CONTENT-LENGTH \t: \t9  \r\n\r\n",
        b"Content-Length: 9\n\n",
        b"Content-Length: 0009\r\n \r\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf8\r\nContent-Length: 9\r\n\r\n",
        b"Content-Length: 9\r\nX-Odd\r\nX-Content-Length: 3\r\n\r\n",
        b"Content-Length: 3\r\nContent-Length: 9\r\n\r\n",
        b"Content-Length: abc\r\n\r\nhello\r\nContent-Length: 9\r\n\r\n",
        b"Content-Length: -9\r\n\r\n{}Content-Length: 9\r\n\r\n",
        b"\r\n\r\nContent-Length: 9\r\n\r\n",
        b'the rest of a longer body"}Content-Length: 9\r\n\r\n',
    ],
)
def test_headers_of_every_kind(head: bytes) -> None:
    stream = io.BytesIO(head + BODY + frame(b"2"))
    assert [read_message(stream), read_message(stream), read_message(stream)] == [BODY, b"2", None]


@pytest.mark.parametrize("length", [MAX_BODY + 1, 10**17])
def test_a_message_that_is_too_long(length: int) -> None:
    stream = io.BytesIO(b"Content-Length: %d\r\n\r\n{}\r\n%s" % (length, frame(BODY)))
    assert [read_message(stream), read_message(stream)] == [b"", BODY]


@pytest.mark.parametrize("cut", range(len(frame(BODY))))
def test_the_end_at_any_byte(cut: int) -> None:
    stream = io.BytesIO(frame(b"[]") + frame(BODY)[:cut])
    assert [read_message(stream), read_message(stream)] == [b"[]", None]


@given(st.binary(), st.lists(st.binary(max_size=40), max_size=5))
def test_messages_are_found_behind_whatever_is_no_header(
    rubbish: bytes, bodies: list[bytes]
) -> None:
    stream = io.BytesIO(rubbish + b"\r\n" + b"".join(map(frame, bodies)))
    assert [read_message(stream) for _ in bodies] == bodies
