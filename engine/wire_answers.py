"""Pieces of an answer as OpenAI's choices and chunks, and back.

Beside OpenAI's fields: `choices[].logprob`, the sum over the piece's tokens, `token_scores`, what
it is the sum of, and `timings` in milliseconds beside `usage`. Unlike OpenAI's, a chunk with the
last finish reason has the usage.
"""

from __future__ import annotations

import json
import time
import uuid
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from engine import sse, wire
from engine.api import FinishReason, Piece, Usage
from engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Iterable

    from engine.wire import JSON


@dataclass(frozen=True, slots=True)
class Envelope:
    """What all chunks of one answer have in common."""

    model: str
    chat: bool
    id: str = field(default_factory=lambda: f"caret-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))
    """Seconds since 1970."""

    def chunk(self, piece: Piece) -> JSON:
        """One event of a stream."""
        kind = "chat.completion.chunk" if self.chat else "text_completion"
        text = {"delta": _message(piece.text)} if self.chat else {"text": piece.text}
        return self._body(kind, [_choice(piece, text)], piece.usage)

    def whole(self, pieces: Iterable[Piece]) -> JSON:
        """The answer in one body, for who did not ask for a stream."""
        choices: dict[int, Piece] = {}
        usage = None
        for piece in pieces:
            choices[piece.index] = _joined(choices.get(piece.index), piece)
            usage = piece.usage or usage
        kind = "chat.completion" if self.chat else "text_completion"
        shown = [
            _choice(
                choice, {"message": _message(choice.text)} if self.chat else {"text": choice.text}
            )
            for _, choice in sorted(choices.items())
        ]
        return self._body(kind, shown, usage)

    def _body(self, kind: str, choices: list[JSON], usage: Usage | None) -> JSON:
        body = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        return body | {"choices": choices} | _usage(usage)


def _message(text: str) -> JSON:
    return {"role": "assistant", "content": text}


def _choice(piece: Piece, text: JSON) -> JSON:
    return {
        "index": piece.index,
        **text,
        "logprob": piece.logprob,
        "finish_reason": piece.finish_reason,
    } | ({"token_scores": piece.token_scores} if piece.token_scores else {})


def _joined(first: Piece | None, then: Piece) -> Piece:
    if first is None:
        return then
    known = [p.logprob for p in (first, then) if p.logprob is not None]
    return Piece(
        text=first.text + then.text,
        index=then.index,
        logprob=sum(known) if known else None,
        finish_reason=then.finish_reason,
    )


def _usage(usage: Usage | None) -> JSON:
    if usage is None:
        return {}
    return {
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
            "completion_tokens_details": {
                "accepted_prediction_tokens": usage.accepted_tokens,
                "rejected_prediction_tokens": usage.drafted_tokens - usage.accepted_tokens,
                "passes": usage.passes,
            },
        },
        "timings": {"prefill_ms": usage.prefill_ms, "decode_ms": usage.decode_ms},
    }


async def parse_stream(chunks: AsyncIterable[bytes]) -> AsyncGenerator[Piece, None]:
    """The pieces in a stream of events, as its bytes arrive.

    Raises:
        CaretError: What an event says in an answer's place, or that an event makes no sense.
    """
    async with aclosing(sse.events(chunks)) as events:
        async for event in events:
            try:
                chunk = json.loads(event)
                if chunk.get("error"):
                    raise wire.parse_error(event) or EngineError(wire.error_text(event))
                pieces = parse_chunk(chunk)
            except (ValueError, LookupError, TypeError, AttributeError):
                raise EngineError(
                    f"The server sent what is no completion: {event[:80]!r}"
                ) from None
            for piece in pieces:
                yield piece


def parse_chunk(chunk: JSON) -> list[Piece]:
    """The pieces in one chunk of a stream, from our engine or from any OpenAI-compatible server.

    A chunk of usage alone, as OpenAI ends a stream, becomes one piece without text.

    Raises:
        LookupError, TypeError, AttributeError: It is no such chunk.
    """
    usage = _parse_usage(chunk)
    choices = chunk.get("choices") or []
    pieces = [
        Piece(
            text=_text(choice),
            index=choice.get("index", 0),
            logprob=choice.get("logprob"),
            token_scores=tuple((end, score) for end, score in choice.get("token_scores") or ()),
            finish_reason=_finish(choice.get("finish_reason")),
            usage=usage if number == len(choices) else None,
        )
        for number, choice in enumerate(choices, start=1)
    ]
    return pieces or ([Piece(usage=usage)] if usage else [])


def _text(choice: JSON) -> str:
    said = choice.get("delta") or choice.get("message")
    text: str | None = said.get("content") if said else choice.get("text")
    return text or ""


def _finish(reason: str | None) -> FinishReason | None:
    """Servers have more reasons than OpenAI ("eos_token", "tool_calls"): all of them stops."""
    known: dict[str | None, FinishReason] = {name: name for name in get_args(FinishReason)}
    return known.get(reason, "stop") if reason else None


def _parse_usage(chunk: JSON) -> Usage | None:
    counted: dict[str, Any] | None = chunk.get("usage")
    if not counted:
        return None
    details = counted.get("prompt_tokens_details") or {}
    written = counted.get("completion_tokens_details") or {}
    accepted = written.get("accepted_prediction_tokens") or 0
    timings = chunk.get("timings") or {}
    return Usage(
        prompt_tokens=counted.get("prompt_tokens") or 0,
        cached_tokens=details.get("cached_tokens") or 0,
        completion_tokens=counted.get("completion_tokens") or 0,
        passes=written.get("passes") or 0,
        drafted_tokens=accepted + (written.get("rejected_prediction_tokens") or 0),
        accepted_tokens=accepted,
        prefill_ms=timings.get("prefill_ms") or 0.0,
        decode_ms=timings.get("decode_ms") or 0.0,
    )
