"""The vocabulary that the language server and the engine share. Plain data; imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

FinishReason = Literal["stop", "length", "cancelled"]
Ability = Literal["infill", "instruct"]
Role = Literal["system", "user", "assistant"]
LoadPhase = Literal["absent", "downloading", "loading", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen; the default is greedy."""

    temperature: float = 0.0
    top_k: int = 0
    """Keep the k most likely tokens; 0 keeps all."""
    top_p: float = 1.0
    seed: int | None = None
    speculate: bool = True
    """When greedy, check several guessed tokens in a pass: the same text, sooner."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """Text of another file that may help; rendered in the model's own repository format."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """What goes between `prompt` and `suffix`; with no suffix (None), what follows `prompt`."""

    model: str
    prompt: str
    suffix: str | None = None
    max_tokens: int = 64
    min_tokens: int = 0
    """The model may not end its text before so many, of which none only completes the prompt."""
    stop: tuple[str, ...] = ()
    """Generation ends before the first of these strings."""
    one_line: bool = False
    """And before the first line end that follows anything but white space."""
    sampling: Sampling = field(default_factory=Sampling)
    n: int = 1
    """Number of choices; above 1 the first is greedy and the others are sampled."""
    document: str | None = None
    """A newer request with the same document supersedes this one."""
    path: str = ""
    """Path of the file being completed, as its repository would write it."""
    context: tuple[Snippet, ...] = ()
    hint: str = ""
    """Whole lines that tell of what stands at the caret. The model reads them right before the
    caret's line, behind all that keeps its place in the cache."""
    window: int = 0
    """Tokens of prompt, at most and but for context and hint, as far as there is room; 0 leaves it
    to the engine."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A conversation that the assistant is to continue."""

    model: str
    messages: tuple[ChatMessage, ...]
    max_tokens: int = 1024
    stop: tuple[str, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What one answer cost."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    """Prompt tokens found in the KV cache, so not evaluated."""
    completion_tokens: int = 0
    prefill_ms: float = 0.0
    decode_ms: float = 0.0
    passes: int = 0
    """Forward passes that gave these tokens: the prompt's last one and those after it."""
    drafted_tokens: int = 0
    """Tokens that were guessed, to be checked in one of these passes."""
    accepted_tokens: int = 0
    """Guessed ones that are part of the completion."""

    def then(self, more: Usage) -> Usage:
        """With another choice for the same prompt, which counts once."""
        first = self if self.prompt_tokens else more
        return Usage(
            first.prompt_tokens,
            first.cached_tokens,
            self.completion_tokens + more.completion_tokens,
            self.prefill_ms + more.prefill_ms,
            self.decode_ms + more.decode_ms,
            self.passes + more.passes,
            self.drafted_tokens + more.drafted_tokens,
            self.accepted_tokens + more.accepted_tokens,
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer as it streams: text first, then one piece with a finish reason."""

    text: str = ""
    index: int = 0
    """Which of the n choices."""
    logprob: float | None = None
    """Sum of the log-probabilities of the piece's tokens; None where the server does not say."""
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    """Of all choices so far; None where the server does not say. An answer that is closed early
    has cost what its last piece says."""
    token_scores: tuple[tuple[int, float], ...] = ()
    """Of each token where its text ends in `text`, and its log-probability; empty where the server
    does not say."""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """Where one model stands on its way into memory."""

    name: str
    phase: LoadPhase
    done: int = 0
    """Bytes (downloading) or tensors (loading) so far."""
    total: int = 0
    error: str = ""
    """Set when `phase` is failed: what to tell the user."""
    error_code: str = ""
    note: str = ""
    """Message for the user about a model that is ready but slow, with the reason."""
