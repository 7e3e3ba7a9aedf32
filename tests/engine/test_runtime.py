"""A model in memory answers requests: real weights, the engine's own format."""

from __future__ import annotations

import fnmatch
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.api import ChatMessage, ChatRequest, CompletionRequest, Piece, Sampling, Usage
from engine.checkpoint import open_checkpoint
from engine.errors import NotCapable, OutOfMemory, RequestError
from engine.generate import BRIEF_CHUNK
from engine.load import size_of
from engine.models import find
from engine.planner import Machine, Wish, plan
from engine.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Iterable

HEAD = '''def area(width: float, height: float) -> float:
    """The area of a rectangle."""
    ret'''
CACHE = 1 << 30
TAIL = "\n\n\nprint(area(2, 3))\n"


def _request(**changes: object) -> CompletionRequest:
    request = CompletionRequest("", HEAD, TAIL, max_tokens=24, stop=("\n",))
    return replace(request, **changes)  # type: ignore[arg-type]  # the tests' own fields


def _text(pieces: Iterable[Piece | None], index: int = 0) -> str:
    return "".join(piece.text for piece in pieces if piece and piece.index == index)


def test_fills_in_a_word_cut_by_the_caret(qwen_runtime: Runtime) -> None:
    pieces = list(qwen_runtime.complete(_request()))
    assert _text(pieces) == "urn width * height"
    assert pieces[-1] is not None
    assert pieces[-1].finish_reason == "stop"


def test_one_more_key_costs_only_new_tokens_and_changes_nothing(qwen_runtime: Runtime) -> None:
    list(qwen_runtime.complete(_request()))
    typed = list(qwen_runtime.complete(_request(prompt=HEAD + "urn ")))
    assert _text(typed) == "width * height"
    usage = typed[-1].usage if typed[-1] else None
    assert usage is not None
    assert usage.prompt_tokens - usage.cached_tokens <= 2


def test_cached_equals_fresh(qwen_runtime: Runtime, qwen_small_path: Path) -> None:
    fresh = Runtime.load(find("qwen2.5-coder-0.5b"), qwen_small_path, lambda *_: None, CACHE)
    request = _request(prompt=HEAD + "urn w", stop=(), max_tokens=30)
    list(qwen_runtime.complete(_request()))
    assert _text(qwen_runtime.complete(request)) == _text(fresh.complete(request))


def test_several_choices_share_one_prefill(qwen_runtime: Runtime) -> None:
    pieces = list(qwen_runtime.complete(_request(n=3)))
    assert _text(pieces) == _text(qwen_runtime.complete(_request()))
    assert {piece.index for piece in pieces if piece} == {0, 1, 2}
    usage = [piece.usage for piece in pieces if piece and piece.usage][-1]
    assert usage.prompt_tokens - usage.cached_tokens <= 1  # the test before has read the prompt


def _usage(pieces: Iterable[Piece | None]) -> Usage:
    """The last one: each says what was spent so far."""
    *_, usage = [piece.usage for piece in pieces if piece and piece.usage]
    return usage


def _new(pieces: Iterable[Piece | None]) -> int:
    """Prompt tokens that were evaluated."""
    usage = _usage(pieces)
    return usage.prompt_tokens - usage.cached_tokens


def test_what_was_read_ahead_costs_one_token(qwen_runtime: Runtime) -> None:
    place = _request(prompt="class Ahead:\n    x", max_tokens=0, n=2)
    pieces = list(qwen_runtime.complete(place))
    assert _text(pieces) == ""
    assert [piece.finish_reason for piece in pieces if piece] == ["length", "length"]
    assert _new(qwen_runtime.complete(replace(place, max_tokens=1))) == 1


def test_reading_ahead_loses_nothing_when_it_is_let_go(qwen_runtime: Runtime) -> None:
    here, there = _request(prompt=HEAD + "urn w"), _request(prompt="y = 1\n" * 100, max_tokens=0)
    expected = _text(qwen_runtime.complete(here))
    reading = qwen_runtime.complete(there)
    assert [next(reading), next(reading)] == [None, None]
    reading.close()  # type: ignore[attr-defined]  # a generator, which the scheduler closes
    assert _new(list(qwen_runtime.complete(here))) == 1
    assert _text(qwen_runtime.complete(here)) == expected
    assert _usage(qwen_runtime.complete(there)).cached_tokens >= 2 * BRIEF_CHUNK


def test_a_new_line_does_not_read_what_follows_again(qwen_runtime: Runtime) -> None:
    request = _request(prompt=HEAD + "urn width * height", suffix=TAIL * 20, max_tokens=1)
    list(qwen_runtime.complete(request))
    typed = replace(request, prompt=request.prompt + "\n\n\ndef f():\n    x")
    assert _new(list(qwen_runtime.complete(typed))) <= 8


def test_drafts_change_no_answer(qwen_runtime: Runtime) -> None:
    source, drafted, saved = Path(fnmatch.__file__).read_text(), 0, 0
    for caret in range(1500, 3000, 375):
        request = _request(prompt=source[:caret], suffix=source[caret + 40 : caret + 1500])
        request = replace(request, stop=("def ", "\n\n"), one_line=caret % 750 > 0)
        plain = list(qwen_runtime.complete(replace(request, sampling=Sampling(speculate=False))))
        for _ in range(2):  # the second time after the same answer
            pieces = list(qwen_runtime.complete(request))
            assert _text(pieces) == _text(plain)
            assert _usage(pieces).completion_tokens == _usage(plain).completion_tokens
            drafted += _usage(pieces).drafted_tokens
            saved += _usage(plain).passes - _usage(pieces).passes
        assert _usage(plain).drafted_tokens == 0
        assert _usage(plain).passes == _usage(plain).completion_tokens
    assert drafted > saved > 0


def test_one_line_costs_no_pass_behind_its_end(qwen_runtime: Runtime) -> None:
    request = _request(prompt=HEAD + "urn", stop=(), sampling=Sampling(speculate=False))
    pieces = list(qwen_runtime.complete(replace(request, one_line=True)))
    assert _text(pieces) == " width * height"
    passes = _usage(pieces).passes
    assert "\n" in _text(qwen_runtime.complete(replace(request, max_tokens=passes)))
    assert "\n" not in _text(qwen_runtime.complete(replace(request, max_tokens=passes - 1)))


def test_a_text_that_would_end_at_once_begins(qwen_runtime: Runtime) -> None:
    request = _request(prompt=HEAD + "urn ", suffix=f"width * height{TAIL}", stop=())
    assert _text(qwen_runtime.complete(request)) == ""
    least = replace(request, min_tokens=1)
    assert _usage(qwen_runtime.complete(least)).completion_tokens > 1
    plain = replace(least, sampling=Sampling(speculate=False))
    assert _text(qwen_runtime.complete(least)) == _text(qwen_runtime.complete(plain)) != ""


@pytest.mark.parametrize("window", [128, 512])
def test_the_request_sets_the_size_of_the_prompt(qwen_runtime: Runtime, window: int) -> None:
    request = _request(prompt="x = 1\n" * 2000, window=window, max_tokens=0)
    pieces = list(qwen_runtime.complete(request))
    usage = pieces[-1].usage if pieces[-1] else None
    assert usage
    assert window / 2 < usage.prompt_tokens <= window


def test_continues_text_without_a_suffix(smollm_runtime: Runtime) -> None:
    request = CompletionRequest("", "The capital of France is", None, max_tokens=3)
    assert "Paris" in _text(smollm_runtime.complete(request))


def test_chat_answers_and_remembers(smollm_runtime: Runtime) -> None:
    first = ChatMessage("user", "Name the capital of France.")
    pieces = list(smollm_runtime.chat(ChatRequest("", (first,), max_tokens=20)))
    answer = _text(pieces)
    assert "Paris" in answer
    turns = (first, ChatMessage("assistant", answer), ChatMessage("user", "And of Italy?"))
    second = list(smollm_runtime.chat(ChatRequest("", turns, max_tokens=4)))
    usage = second[-1].usage if second[-1] else None
    assert usage is not None
    assert usage.cached_tokens >= len(pieces)


def test_sampling_differs_by_seed_and_repeats_with_it(smollm_runtime: Runtime) -> None:
    def write(seed: int) -> str:
        sampling = Sampling(temperature=1.0, seed=seed)
        request = CompletionRequest("", "Once upon a time", None, 12, sampling=sampling)
        return _text(smollm_runtime.complete(request))

    write(0)  # the prompt is cached from here on: reading it anew rounds a little differently
    assert write(1) == write(1)
    assert len({write(seed) for seed in range(4)}) > 1


def test_a_model_that_cannot_infill_says_which_can(smollm_runtime: Runtime) -> None:
    with pytest.raises(NotCapable, match=r"qwen2\.5-coder"):
        next(smollm_runtime.complete(_request()))


def test_a_prompt_that_is_too_long_is_refused(smollm_runtime: Runtime) -> None:
    with pytest.raises(RequestError, match="takes 1 to 8191"):
        next(smollm_runtime.complete(CompletionRequest("", "word " * 9000, None)))


def test_a_wish_for_a_format_is_granted(
    smollm2_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entry = find("smollm2-135m")
    with caplog.at_level("INFO", "engine"):
        runtime = Runtime.load(entry, smollm2_path, lambda *_: None, CACHE, Wish("bfloat16"))
    assert "smollm2-135m is held as bfloat16 on cpu: it was asked for" in caplog.text
    request = CompletionRequest("", "The capital of France is", None, max_tokens=3)
    assert "Paris" in _text(runtime.complete(request))


def test_a_model_without_room_is_refused_before_it_is_read(smollm2_path: Path) -> None:
    cramped, unread = Machine(1 << 27, limited=True), lambda *_: pytest.fail("read")
    with pytest.raises(OutOfMemory, match=r"smollm2-135m needs 0\.\d GB .* raise caret\.engine"):
        Runtime.load(find("smollm2-135m"), smollm2_path, unread, CACHE, None, cramped)


def test_cached_sequences_have_what_the_plan_leaves(smollm2_path: Path) -> None:
    checkpoint = open_checkpoint(smollm2_path)
    made = plan(size_of("smollm2-135m", checkpoint), Machine(1 << 30))
    machine = Machine(made.weights + 6000 * made.position)

    def longest(cache_bytes: int) -> str:
        entry, prompt = find("smollm2-135m"), CompletionRequest("", "word " * 9000, None)
        runtime = Runtime.load(entry, smollm2_path, lambda *_: None, cache_bytes, None, machine)
        with pytest.raises(RequestError) as refusal:
            next(runtime.complete(prompt))
        return str(refusal.value)

    assert "takes 1 to 5999" in longest(CACHE)
    assert "takes 1 to 2999" in longest(3000 * made.position)
