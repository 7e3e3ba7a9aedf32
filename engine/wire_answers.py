"""Pieces of an answer as OpenAI's choices and chunks; `engine.wire_stream` reads them back.

Beside OpenAI's fields: `choices[].logprob`, the sum over the piece's tokens, `token_scores`, what
it is the sum of, and `timings` in milliseconds beside `usage`. Unlike OpenAI's, a chunk with the
last finish reason has the usage.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.api import Piece, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable

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
