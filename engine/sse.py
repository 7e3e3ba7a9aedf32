"""Server-sent events, as far as OpenAI's streams use them: `data:` lines, one JSON each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable

DONE = b"[DONE]"
"""The data of the event that ends a stream."""


def event(data: bytes) -> bytes:
    """One event; `data` holds no line break, as JSON never does."""
    return b"data: " + data + b"\n\n"


async def events(chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """The data of each event but the last, `[DONE]`; returns there or where `chunks` end.

    Lines are cut at LF alone: JSON may hold U+2028 or U+0085 as they are, at which
    `str.splitlines` (so `httpx.Response.aiter_lines`) would cut too.
    """
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if not line.startswith(b"data:"):
                continue
            data = line.removeprefix(b"data:").strip()
            if data == DONE:
                return
            yield data
