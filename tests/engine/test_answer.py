"""Answers of a model that recites a text: where they end, and what they cost, drafted or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from engine.answer import Prompt, Writer
from engine.api import Piece, Sampling, Usage
from engine.slots import Slot
from engine.speculation import PassTimes

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from engine.kvcache import Cache
    from engine.tokenizers import Tokenizer

TEXT = "def area(w, h):\n    return w * h\n\ndef wide(w, h):\n    return w * h\n\n"
PROMPT = TEXT[: TEXT.index("wide")]


class Positions:
    """A cache that only counts."""

    position_bytes = nbytes = 0

    def __init__(self, length: int = 0) -> None:
        self.length, self.capacity = length, 1000

    def truncate(self, length: int) -> None:
        self.length = length

    def fork(self, length: int) -> Positions:
        return Positions(length)


class Reciter:
    """Whatever it reads, it chooses the token that `text` has at the next position."""

    context_length = 1000

    def __init__(self, tokenizer: Tokenizer, text: str) -> None:
        self._text = tokenizer.encode(text)
        self.vocab_size = tokenizer.vocab_size
        self.passes = 0

    def new_cache(self, capacity: int) -> Cache:
        del capacity
        return Positions()

    def interrupt(self) -> None:
        pass

    def forward(
        self, tokens: Tensor, cache: Cache, last: int = 1, *, yields: bool = False
    ) -> Tensor:
        del yields
        assert isinstance(cache, Positions)
        cache.length += len(tokens)
        self.passes += 1
        logits = torch.zeros(last, self.vocab_size)
        for row, position in enumerate(range(cache.length - last, cache.length)):
            logits[row, self._text[(position + 1) % len(self._text)]] = 9.0
        return logits


@pytest.fixture(scope="module")
def tokenizer(with_controls: Callable[..., Tokenizer]) -> Tokenizer:
    return with_controls()


def _answer(writer: Writer, prompt: Prompt, slot: Slot, *, speculate: bool) -> tuple[str, Usage]:
    written = writer.write(prompt, slot, Sampling(speculate=speculate))
    pieces = [piece for piece in written if piece]
    usage = pieces[-1].usage
    assert usage is not None
    return "".join(piece.text for piece in pieces), usage


def _write(tokenizer: Tokenizer, *, speculate: bool, **end: object) -> tuple[str, Usage, int]:
    """The second answer to a prompt, its usage and its passes."""
    model = Reciter(tokenizer, TEXT)
    writer, slot = Writer(model, tokenizer), Slot(model.new_cache(0))
    limits = {"max_tokens": 60, "stop_ids": frozenset[int](), **end}
    prompt = Prompt(tokenizer.encode(PROMPT), **limits)  # type: ignore[arg-type]  # the tests' own
    _answer(writer, prompt, slot, speculate=speculate)
    before = model.passes
    text, usage = _answer(writer, prompt, slot, speculate=speculate)
    assert slot.cache.length == len(slot.tokens)
    return text, usage, model.passes - before


@pytest.mark.parametrize(
    ("end", "text"),
    [
        ({"max_tokens": 7}, "wide(w,"),
        ({"max_tokens": 1}, "w"),
        ({"stop": ("\n",)}, "wide(w, h):"),
        ({"stop": (" * h", "x")}, "wide(w, h):\n    return w"),
        ({"one_line": True}, "wide(w, h):"),
        ({"stop_ids": frozenset([ord("(") - 0x21])}, "wide"),
        ({"heal": b"wi", "stop": ("\n",)}, "de(w, h):"),
    ],
)
def test_an_answer_ends_at_the_same_place(
    tokenizer: Tokenizer, end: dict[str, object], text: str
) -> None:
    plain, cost, plain_passes = _write(tokenizer, speculate=False, **end)
    drafted, usage, passes = _write(tokenizer, speculate=True, **end)
    assert plain == drafted == text
    assert usage.completion_tokens == cost.completion_tokens == plain_passes == cost.passes
    assert (cost.drafted_tokens, cost.accepted_tokens) == (0, 0)
    assert usage.passes == passes <= plain_passes
    assert usage.accepted_tokens <= usage.drafted_tokens
    assert usage.completion_tokens - usage.accepted_tokens in (passes - 1, passes)


def test_a_known_answer_takes_fewer_passes(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where rows cost nothing beside the pass; what they cost here depends on who else is busy."""
    note = PassTimes.note
    monkeypatch.setattr(PassTimes, "note", lambda times, rows, _: note(times, rows, 1.0))
    _, usage, passes = _write(tokenizer, speculate=True, max_tokens=30)
    assert usage.completion_tokens == 30
    assert passes < 30


def test_a_prompt_alone_is_evaluated_without_a_draft(tokenizer: Tokenizer) -> None:
    text, usage, passes = _write(tokenizer, speculate=True, max_tokens=0)
    assert (text, usage.completion_tokens, usage.drafted_tokens, passes) == ("", 0, 0, 1)


def test_pieces_of_a_pass_come_together(tokenizer: Tokenizer) -> None:
    model = Reciter(tokenizer, TEXT)
    writer, slot = Writer(model, tokenizer), Slot(model.new_cache(0))
    prompt = Prompt(tokenizer.encode(PROMPT), 30, frozenset())
    for _ in range(2):
        shown = [piece for piece in writer.write(prompt, slot, Sampling()) if piece]
    assert isinstance(shown[-1], Piece)
    assert shown[-1].usage
    assert len(shown) == shown[-1].usage.passes


@pytest.mark.parametrize("text", ["🎉🎉🎉 ", "日本語のコメント", 'name = "é"e\u0301', "a\ufffdb "])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7])
def test_an_answer_that_is_cut_in_a_character_ends_before_it(
    tokenizer: Tokenizer, text: str, count: int
) -> None:
    """Each byte is a token here."""
    model = Reciter(tokenizer, text)
    start = len("🎉".encode()) if text[0] == "🎉" else 1
    first = tokenizer.encode(text)[:start]
    prompt = Prompt(first, count, frozenset())
    pieces = Writer(model, tokenizer).write(prompt, Slot(model.new_cache(0)), Sampling())
    texts = [piece.text for piece in pieces if piece]
    expected = (text * 9).encode()[start : start + count].decode(errors="ignore")
    assert "".join(texts) == expected
    assert all("\ufffd" not in part or "\ufffd" in text for part in texts)
