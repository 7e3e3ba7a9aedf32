"""Answers of any OpenAI-compatible server, our engine among them, as pieces.

A server may state a wrong type, answer whole where a stream was asked for, or send a web page: what
an answer is shows in its bytes, and what is none becomes an error in words.
"""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING, get_args

from engine import sse, wire
from engine.api import FinishReason, Piece, Usage
from engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable

    from engine.errors import CaretError
    from engine.wire import JSON

_OWN = "The engine"
"""Our own, whose codes of errors count."""
_SAYING = (b"", b"message", b"error")
"""Names of events that hold an answer, if its server names them at all."""


async def parse_stream(
    chunks: AsyncIterable[bytes], source: str = _OWN, most: int | None = None
) -> AsyncGenerator[Piece, None]:
    """Yield the pieces of an answer as its bytes arrive, whether it is a stream of events or not.

    Its beginning tells which, since servers state wrong types; `source` is what a message calls
    the server, and an answer of more than `most` bytes is an error.

    Raises:
        CaretError: The answer says what is wrong, or makes no sense.
    """
    bounded = _bounded(chunks, source, most)
    halves = _Halves()
    async with aclosing(bounded):
        head = b""
        async for chunk in bounded:
            head = (head + chunk).lstrip()
            if sse.may_begin(head) is not None:
                break
        if sse.may_begin(head):
            pieces = _from_events(head, bounded, source)
            async with aclosing(pieces):
                async for piece in pieces:
                    yield halves.join(piece)
        else:
            for piece in _from_body(head + await _all(bounded), source):
                yield halves.join(piece)


class _Halves:
    """Joins surrogate pairs whose halves came in two chunks, and drops halves without another."""

    def __init__(self) -> None:
        self._first: dict[int, str] = {}
        """The first half that ended the text of each choice."""

    def join(self, piece: Piece) -> Piece:
        """Return the piece with whole characters; one that is not whole yet comes with the next."""
        text = self._first.pop(piece.index, "") + piece.text
        if text.isascii():
            return piece
        if "\ud800" <= text[-1] <= "\udbff":
            text, self._first[piece.index] = text[:-1], text[-1]
        data = text.encode("utf-16-le", "surrogatepass")
        return replace(piece, text=data.decode("utf-16-le", "ignore"))


async def _bounded(
    chunks: AsyncIterable[bytes], source: str, most: int | None
) -> AsyncGenerator[bytes, None]:
    room = most
    async for chunk in chunks:
        if room is not None and (room := room - len(chunk)) < 0:
            raise EngineError(f"{source} sent an answer without end, of more than {most} bytes.")
        yield chunk


async def _joined_bytes(head: bytes, rest: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    yield head
    async for chunk in rest:
        yield chunk


async def _all(chunks: AsyncIterable[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


async def _from_events(
    head: bytes, rest: AsyncIterable[bytes], source: str
) -> AsyncGenerator[Piece, None]:
    answered, first = False, b""
    try:
        async with aclosing(sse.events(_joined_bytes(head, rest))) as events:
            async for event in events:
                if event.data.strip() == sse.DONE:
                    return
                if _says_nothing(event):
                    continue
                chunk = _json(event.data, source)
                if event.name.lower() == b"error":
                    raise _error(event.data, source)
                for piece in _pieces(chunk, event.data, source):
                    yield piece
                answered = answered or isinstance(chunk.get("choices"), list)
                first = first or event.data
    except sse.TooLong:
        raise EngineError(f"{source} sent a line without end.") from None
    if not answered:
        raise _no_completion(first or head, source)


def _says_nothing(event: sse.Event) -> bool:
    """Return whether an event only shows that the server still works, as a ping does."""
    name, data = event.name.lower(), event.data.strip()
    return data in (b"", b"null") or (name not in _SAYING and not data.startswith(b"{"))


def _from_body(body: bytes, source: str) -> list[Piece]:
    """Return the pieces of an answer that came whole."""
    chunk = _json(body, source)
    if not isinstance(chunk.get("choices"), list):
        raise _error(body, source) if chunk.get("error") else _no_completion(body, source)
    return _pieces(chunk, body, source)


def _json(data: bytes, source: str) -> JSON:
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError):
        raise _no_completion(data, source) from None
    if not isinstance(chunk, dict):
        raise _no_completion(data, source)
    return chunk


def _pieces(chunk: JSON, data: bytes, source: str) -> list[Piece]:
    if chunk.get("error") or chunk.get("object") == "error":
        raise _error(data, source)
    try:
        failed = [choice for choice in chunk.get("choices") or [] if choice.get("error")]
        pieces = parse_chunk(chunk)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
        raise _no_completion(data, source) from None
    if failed:
        raise _error(json.dumps(failed[0]).encode(), source)
    return pieces


def _error(data: bytes, source: str) -> CaretError:
    own = wire.parse_error(data) if source == _OWN else None
    return own or EngineError(f"{source} failed: {wire.error_text(data)}")


def _no_completion(data: bytes, source: str) -> EngineError:
    said = repr(wire.beginning(data)) if data.strip() else "nothing"
    return EngineError(f"{source} sent {said}, which is no completion. Check the endpoint.")


def parse_chunk(chunk: JSON) -> list[Piece]:
    """The pieces in one chunk of a stream, from our engine or from any OpenAI-compatible server.

    A chunk of usage alone, as OpenAI ends a stream, becomes one piece without text.

    Raises:
        ValueError, LookupError, TypeError, AttributeError, OverflowError: It is no such chunk.
    """
    usage = _parse_usage(chunk)
    choices = chunk.get("choices") or []
    pieces = [
        Piece(
            text=_text(choice),
            index=_index(choice.get("index", 0)),
            logprob=_score(choice.get("logprob")),
            token_scores=tuple(
                (_index(end, None), _score(score) or 0.0)
                for end, score in choice.get("token_scores") or ()
            ),
            finish_reason=_finish(choice.get("finish_reason")),
            usage=usage if number == len(choices) else None,
        )
        for number, choice in enumerate(choices, start=1)
    ]
    return pieces or ([Piece(usage=usage)] if usage else [])


def _text(choice: JSON) -> str:
    """Return the text of a choice, in which JSON can spell half a surrogate pair."""
    said = choice.get("delta") or choice.get("message")
    text = said.get("content") if said else choice.get("text")
    if text is None:
        return ""
    if isinstance(text, list):  # of parts, as Mistral's models have them that reason
        text = "".join(part["text"] for part in text if part.get("type") == "text")
    if not isinstance(text, str):
        raise TypeError
    return text


def _index(value: object, below: int | None = wire.MAX_CHOICES) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    if value < 0 or (below is not None and value >= below):
        raise ValueError
    return value


def _score(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError
    return float(value)


def _finish(reason: object) -> FinishReason | None:
    """Return the finish reason; those unknown here, such as "eos_token", count as "stop"."""
    if reason is not None and not isinstance(reason, str):
        raise TypeError
    known: dict[str | None, FinishReason] = {name: name for name in get_args(FinishReason)}
    return known.get(reason, "stop") if reason else None


def _parse_usage(chunk: JSON) -> Usage | None:
    """Return the reported usage. Values that are no numbers count as 0, so no answer is lost."""
    counted = _object(chunk, "usage")
    if not counted:
        return None
    details = _object(counted, "prompt_tokens_details")
    written = _object(counted, "completion_tokens_details")
    timings = _object(chunk, "timings")
    accepted = _count(written, "accepted_prediction_tokens")
    return Usage(
        prompt_tokens=_count(counted, "prompt_tokens"),
        cached_tokens=_count(details, "cached_tokens"),
        completion_tokens=_count(counted, "completion_tokens"),
        passes=_count(written, "passes"),
        drafted_tokens=accepted + _count(written, "rejected_prediction_tokens"),
        accepted_tokens=accepted,
        prefill_ms=_number(timings, "prefill_ms"),
        decode_ms=_number(timings, "decode_ms"),
    )


def _object(body: JSON, name: str) -> JSON:
    found = body.get(name)
    return found if isinstance(found, dict) else {}


def _number(body: JSON, name: str) -> float:
    found = body.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        return 0.0
    return float(found) if 0 <= found < 2**53 else 0.0  # neither infinite nor NaN


def _count(body: JSON, name: str) -> int:
    return int(_number(body, name))
