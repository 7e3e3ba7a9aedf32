"""A key in the middle of an answer: it has the compute thread at once, and the answer is the same.

The step under way is interrupted, and done anew when there is time.

Real weights and the real scheduler; each `next()` of a job's work is one step.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from engine.api import ChatMessage, ChatRequest, CompletionRequest, Piece, Sampling
from engine.scheduler import Rank, Scheduler
from engine.speculation import MOST_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.errors import CaretError
    from engine.runtime import Runtime

QUESTION = ChatMessage("user", "Explain what a hash table is, with a short example in Python.")
CHAT = ChatRequest("", (ChatMessage("system", "You explain code."), QUESTION), max_tokens=60)
KEYS = 4
LONG = (1 + KEYS + 1 + 1) * (MOST_ROWS + 1)
"""Tokens of an answer that is not over at the last key. A pass writes at most one token more than
it drafts; a piece is taken before each key and before the first one, and one is computed ahead."""
PLACES = [f"def area_{n}(width, height):\n    ret" for n in range(12)]


class Traced:
    """Work that notes each of its steps in a list that all share.

    With `ahead`, it computes at most that many pieces more than were taken: however slow the
    test's own thread is, the work is not over before the test has taken its pieces.
    """

    def __init__(
        self,
        name: str,
        work: Iterator[Piece | None],
        steps: list[str],
        ahead: int | None = None,
    ) -> None:
        self.name, self.work, self.steps = name, work, steps
        self.items: queue.Queue[Piece | CaretError] = queue.Queue()
        self.allowed = None if ahead is None else threading.Semaphore(ahead)
        self.done = False

    def __iter__(self) -> Iterator[Piece | None]:
        for piece in self.work:
            self.steps.append(self.name)
            yield piece
            while piece and self.allowed and not self.allowed.acquire(timeout=0.001):
                yield None  # the scheduler looks for other work between two steps

    def next(self) -> Piece:
        item = self.items.get(timeout=60)
        if self.allowed:
            self.allowed.release()
        assert isinstance(item, Piece), item
        self.done = item.finish_reason is not None
        return item

    def text(self) -> str:
        text = ""
        while not self.done:
            text += self.next().text
        return text


def _completion(place: str) -> CompletionRequest:
    return CompletionRequest("", place, "\n", max_tokens=12, stop=("\n",))


def _text(pieces: Iterator[Piece | None]) -> str:
    return "".join(piece.text for piece in pieces if piece)


@pytest.mark.parametrize("same", [True, False], ids=["one model", "two models"])
def test_a_key_goes_first_and_the_answer_is_the_same(
    qwen_runtime: Runtime, smollm_runtime: Runtime, scheduler: Scheduler, same: bool
) -> None:
    talker, steps = qwen_runtime if same else smollm_runtime, list[str]()
    # Without drafts, a piece is a token.
    chat = replace(CHAT, sampling=Sampling(speculate=same), max_tokens=LONG if same else 60)
    alone = _text(talker.chat(chat))
    expected = [_text(qwen_runtime.complete(_completion(place))) for place in PLACES[:KEYS]]
    answer = Traced("answer", talker.chat(chat), steps, ahead=1)
    scheduler.submit(
        iter(answer),
        answer.items.put,
        rank=Rank.CHAT,
        document=None,
        interrupt=talker.interrupt,
    )
    said = answer.next().text
    for place, text in zip(PLACES, expected, strict=False):
        said += answer.next().text
        key = Traced("key", qwen_runtime.complete(_completion(place)), steps)
        scheduler.submit(iter(key), key.items.put, rank=Rank.COMPLETION, document="a.py")
        begun = len(steps)
        assert key.text() == text
        ended = len(steps) - steps[::-1].index("key")
        assert steps[begun:ended].count("answer") <= 1  # the step that was under way
    assert said + answer.text() == alone
    first, last = steps.index("key"), len(steps) - 1 - steps[::-1].index("key")
    assert "answer" in steps[first:last]  # it went on in between
    assert alone


def test_a_second_question_costs_its_own_tokens_though_many_places_were_typed_at(
    qwen_runtime: Runtime,
) -> None:
    first = [piece for piece in qwen_runtime.chat(CHAT) if piece]
    answer = ChatMessage("assistant", "".join(piece.text for piece in first))
    for place in PLACES:
        _text(qwen_runtime.complete(_completion(place)))
    more = ChatMessage("user", "Why is it fast?")
    again = ChatRequest("", (*CHAT.messages, answer, more), max_tokens=1)
    usage = [piece.usage for piece in qwen_runtime.chat(again) if piece and piece.usage][-1]
    # The question itself, the marks around both turns, and an answer's token that was never read.
    assert usage.prompt_tokens - usage.cached_tokens <= 20
