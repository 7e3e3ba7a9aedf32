"""Generation on a tiny random decoder: cached = fresh, drafted = plain, stopped anywhere."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
import torch

from engine.generate import PREFILL_CHUNK, generate
from engine.load import build_decoder
from engine.sample import greedy
from engine.slots import Slot
from engine.speculation import Experience, NoDrafts, Speculation
from quant.formats import FORMATS
from tests.greedy import Free, our_tokens
from tests.tiny import CONFIG, RandomSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from engine.decoder import Decoder

PROMPT = [(i * 7 + i // 5) % 50 for i in range(300)]


class Spell:
    """One token after the other, then anything."""

    def __init__(self, rest: list[int]) -> None:
        self.rest = rest

    def limited(self, logits: Tensor) -> Tensor:
        if not self.rest:
            return logits
        only = torch.full_like(logits, -torch.inf)
        only[self.rest[0]] = 0
        return logits + only

    def allows(self, token: int) -> bool:
        return token in self.rest[:1] or not self.rest

    def advance(self, token: int) -> None:
        assert not self.rest or token == self.rest[0]
        del self.rest[:1]


class Oracle:
    """Drafts `size` tokens of a given continuation, of which every `wrong`-th is another one."""

    def __init__(self, continuation: list[int], size: int, wrong: int) -> None:
        self._right = continuation
        self._drafts = [t + (i % wrong == wrong - 1) for i, t in enumerate(continuation)]
        self._size, self._at = size, 0
        self.accepted: list[int] = []

    def draft(self, pending: int, room: int, allows: Callable[[int], bool]) -> list[int]:
        del pending, allows
        return self._drafts[self._at : self._at + min(self._size, room)]

    def learn(self, rows: int, seconds: float, drafted: int, chosen: Sequence[int]) -> None:
        del rows, seconds, drafted
        self.accepted.append(len(chosen) - 1)
        self._at += len(chosen)


class Steady(Speculation):
    """As where a pass of any size takes a second: by the clock it would depend on the machine."""

    def learn(self, rows: int, seconds: float, drafted: int, chosen: Sequence[int]) -> None:
        super().learn(rows, 1.0, drafted, chosen)


@pytest.fixture(scope="module")
def model() -> Decoder:
    return build_decoder(CONFIG, RandomSource(), FORMATS["float32"], lambda *_: None)


@pytest.mark.parametrize(
    ("seconds", "chunks"),
    [(1.0, [32] * 9 + [12]), (0.0, [32, 128, 128, 12])],
    ids=["slow", "quick"],
)
def test_a_brief_prefill_gives_the_same_in_small_passes(
    model: Decoder, monkeypatch: pytest.MonkeyPatch, seconds: float, chunks: list[int]
) -> None:
    clock = itertools.count(0.0, seconds)
    monkeypatch.setattr("engine.generate.time.perf_counter", lambda: next(clock))
    slot, held, chosen = _slot(model), [0], []
    steps = generate(model, slot, PROMPT, greedy, Free(), NoDrafts(), brief=True)
    for step in itertools.islice(steps, len(chunks) + 19):
        held.append(slot.cache.length)
        chosen += [choice.token for choice in step.choices] if step else []
    assert [b - a for a, b in itertools.pairwise(held)] == chunks + [1] * 19
    assert chosen == our_tokens(model, _slot(model), PROMPT, 20)


def _slot(model: Decoder, capacity: int = 400) -> Slot:
    return Slot(model.new_cache(capacity))


def test_greedy_equals_evaluating_everything_anew(model: Decoder) -> None:
    expected: list[int] = []
    for _ in range(20):
        logits = model(torch.tensor(PROMPT + expected), model.new_cache(400))
        expected.append(int(logits.argmax()))
    assert our_tokens(model, _slot(model), PROMPT, 20) == expected


def test_a_cached_prefix_gives_the_same_tokens(model: Decoder) -> None:
    slot, other = _slot(model), [*PROMPT[:200], *PROMPT[10:60]]
    our_tokens(model, slot, PROMPT, 20)
    assert slot.rewind(other) == 200
    assert our_tokens(model, slot, other, 20) == our_tokens(model, _slot(model), other, 20)


def test_what_a_dropped_generator_evaluated_stays(model: Decoder) -> None:
    slot = _slot(model)
    steps = generate(model, slot, PROMPT, greedy, Free(), NoDrafts())
    assert next(steps) is None
    steps.close()
    assert slot.tokens == PROMPT[:PREFILL_CHUNK]
    assert slot.rewind(PROMPT) == PREFILL_CHUNK
    assert our_tokens(model, slot, PROMPT, 20) == our_tokens(model, _slot(model), PROMPT, 20)


def test_each_step_is_one_chunk_or_one_token(model: Decoder) -> None:
    slot, held = _slot(model), [0]
    for _ in itertools.islice(generate(model, slot, PROMPT, greedy, Free(), NoDrafts()), 12):
        held.append(slot.cache.length)
    grown = [after - before for before, after in itertools.pairwise(held)]
    assert grown == [128, 128, 44] + [1] * 9
    assert slot.cache.length == len(slot.tokens)


def test_ends_when_the_cache_is_full(model: Decoder) -> None:
    slot = _slot(model, capacity=310)
    assert len(our_tokens(model, slot, PROMPT, 1000)) == 11
    assert slot.cache.length == 310


@pytest.mark.parametrize("size", [1, 3, 8])
@pytest.mark.parametrize("wrong", [1, 2, 3, 5, 1000])
def test_drafts_change_the_passes_and_not_the_tokens(model: Decoder, size: int, wrong: int) -> None:
    plain = our_tokens(model, _slot(model), PROMPT, 60)
    slot, drafter = _slot(model), Oracle(plain, size, wrong)
    assert our_tokens(model, slot, PROMPT, 50, drafter) == plain[:50]
    assert slot.cache.length == len(slot.tokens)
    assert slot.tokens == (PROMPT + plain)[: len(slot.tokens)]
    assert max(drafter.accepted) == min(size, wrong - 1)
    passes = len(drafter.accepted)
    assert passes == 50 if wrong == 1 else passes < 50


def test_a_cache_with_drafts_is_continued_like_a_fresh_one(model: Decoder) -> None:
    plain = our_tokens(model, _slot(model), PROMPT, 60)
    slot = _slot(model)
    our_tokens(model, slot, PROMPT, 23, Oracle(plain, 4, wrong=3))
    other = [*PROMPT, *plain[:10], *PROMPT[:5]]
    assert slot.rewind(other) == len(PROMPT) + 10
    assert our_tokens(model, slot, other, 20) == our_tokens(model, _slot(model), other, 20)


def test_drafts_leave_the_end_of_the_cache_where_it_is(model: Decoder) -> None:
    plain = our_tokens(model, _slot(model, capacity=310), PROMPT, 1000)
    slot = _slot(model, capacity=310)
    assert our_tokens(model, slot, PROMPT, 1000, Oracle(plain + plain, 8, wrong=1000)) == plain
    assert slot.cache.length == 310


def test_a_step_is_one_pass_also_with_drafts(model: Decoder) -> None:
    plain = our_tokens(model, _slot(model), PROMPT, 60)
    drafter = Oracle(plain, 4, wrong=1000)
    slot, held = _slot(model), [0]
    for _ in itertools.islice(generate(model, slot, PROMPT, greedy, Free(), drafter), 5):
        held.append(slot.cache.length)
    assert [after - before for before, after in itertools.pairwise(held)] == [128, 128, 48, 5, 5]


def test_what_was_written_before_is_a_draft(model: Decoder) -> None:
    experience, slot = Experience(), _slot(model)
    written, lengths = [], []
    for _ in range(3):
        slot.rewind(PROMPT)
        drafter = Steady(experience, PROMPT, max_tokens=40)
        steps = generate(model, slot, PROMPT, greedy, Free(), drafter)
        passes = list(itertools.islice((len(step.choices) for step in steps if step), 8))
        written.append(slot.tokens[len(PROMPT) :])
        lengths.append(sum(passes))
    assert written[0] == written[2][: len(written[0])]
    assert lengths[0] < lengths[2]


def test_a_constraint_limits_the_tokens_until_it_lets_go(model: Decoder) -> None:
    for drafts in ([], [7], [7, 8, 3], [8], [7, 9]):
        drafter = Oracle(drafts + [0] * 300, 3, wrong=1000)
        steps = generate(model, _slot(model), PROMPT, greedy, Spell([7, 8]), drafter)
        chosen = (choice.token for step in steps if step for choice in step.choices)
        tokens = list(itertools.islice(chosen, 12))
        assert tokens[:2] == [7, 8]
        assert tokens[2:] == our_tokens(model, _slot(model), [*PROMPT, 7, 8], 10)
