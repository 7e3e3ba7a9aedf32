"""Messages on a stream of bytes: header lines, a blank line and a body of JSON."""

from __future__ import annotations

import re
from typing import BinaryIO

MAX_BODY = 64 << 20
"""Bytes; a longer message is not read."""
_MAX_LINE = 1 << 16
# Not only at the line's beginning: a body that is longer than announced ends in the same line.
_LENGTH = re.compile(rb"(?:^|[^\w-])content-length[ \t]*:[ \t]*(\d{1,18})\s*$", re.IGNORECASE)


def frame(body: bytes) -> bytes:
    """Return the message as it is written to a stream."""
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def read_message(stream: BinaryIO) -> bytes | None:
    """Return the body of the next message; None at the end of the stream, also amid a message.

    Headers may come in any case and spacing, and lines may end in a lone line feed. Lines that
    are no header are skipped, so reading finds its way again after a wrong length. A message
    that is too long has the body b"".
    """
    length = None
    while line := stream.readline(_MAX_LINE):
        if found := _LENGTH.search(line):
            length = int(found[1])
        elif length is not None and not line.strip():
            if length > MAX_BODY:
                return b""
            body = stream.read(length)
            return body if len(body) == length else None
    return None
