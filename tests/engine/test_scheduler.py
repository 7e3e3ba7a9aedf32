from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

import pytest

from engine.api import Piece
from engine.errors import CaretError, EngineError, OutOfMemory, RequestError, Superseded
from engine.scheduler import Job, Rank, Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Item = Piece | CaretError


class Work:
    """An answer whose steps the test lets happen one by one."""

    def __init__(self, name: str = "", steps: int = 1000) -> None:
        self.name, self.steps = name, steps
        self.permits: queue.Queue[bool] = queue.Queue()
        self.started, self.closed = threading.Event(), threading.Event()
        self.taken = 0
        self.items: queue.Queue[Item] = queue.Queue()

    def __iter__(self) -> Iterator[Piece | None]:
        try:
            for _ in range(self.steps):
                self.started.set()
                self.permits.get(timeout=60)
                self.taken += 1
                yield Piece(self.name)
            yield Piece(finish_reason="stop")
        finally:
            self.closed.set()

    def submit(
        self,
        scheduler: Scheduler,
        *,
        rank: Rank = Rank.COMPLETION,
        document: str | None = None,
    ) -> Callable[[], None]:
        job = scheduler.submit(iter(self), self.items.put, rank=rank, document=document)
        return job.cancel

    def permit(self, steps: int = 1) -> None:
        for _ in range(steps):
            self.permits.put(True)

    def next(self) -> Item:
        return self.items.get(timeout=60)


def test_pieces_come_in_order_and_the_end_last(scheduler: Scheduler) -> None:
    work = Work("a", steps=2)
    work.permit(2)
    work.submit(scheduler)
    assert [work.next() for _ in range(3)] == [Piece("a"), Piece("a"), Piece(finish_reason="stop")]
    assert work.closed.wait(60)


def test_cancelling_stops_within_one_step(scheduler: Scheduler) -> None:
    work = Work()
    cancel = work.submit(scheduler)
    work.permit(1)
    work.next()
    assert work.started.wait(60)
    cancel()
    work.permit(1)
    assert work.closed.wait(60)
    assert work.taken <= 2
    assert work.items.empty()


def test_a_newer_request_of_a_document_supersedes_the_older(scheduler: Scheduler) -> None:
    old, new = Work("old"), Work("new", steps=1)
    old.submit(scheduler, document="a.py")
    assert old.started.wait(60)
    new.submit(scheduler, document="a.py")
    assert isinstance(old.next(), Superseded)
    old.permit(1)
    new.permit(1)
    assert new.next() == Piece("new")
    assert old.closed.wait(60)
    assert old.items.empty()


def test_other_documents_and_commands_are_not_superseded(scheduler: Scheduler) -> None:
    works = [Work(steps=1) for _ in range(4)]
    works[0].submit(scheduler, document="a.py")
    works[1].submit(scheduler, document="b.py")
    works[2].submit(scheduler, document="a.py", rank=Rank.CHAT)
    works[3].submit(scheduler)
    for work in works:
        work.permit(1)
    for work in works:
        assert work.next() == Piece("")
        assert work.next() == Piece(finish_reason="stop")


def test_a_completion_preempts_a_long_answer_which_then_resumes(scheduler: Scheduler) -> None:
    answer, completion = Work("answer", steps=3), Work("completion", steps=2)
    answer.submit(scheduler, rank=Rank.CHAT)
    answer.permit(1)
    assert answer.next() == Piece("answer")
    completion.submit(scheduler)
    completion.permit(2)
    answer.permit(1)  # the step that had begun
    assert completion.next() == Piece("completion")
    assert answer.taken <= 2
    completion.next()
    assert completion.next() == Piece(finish_reason="stop")
    answer.permit(1)
    assert [answer.next() for _ in range(3)][-1] == Piece(finish_reason="stop")


def _interruptible(scheduler: Scheduler, work: Work) -> tuple[Job, threading.Event]:
    """An answer in the middle of a step, and what tells that it was interrupted."""
    interrupted = threading.Event()
    job = scheduler.submit(
        iter(work), work.items.put, rank=Rank.CHAT, document=None, interrupt=interrupted.set
    )
    assert work.started.wait(60)
    return job, interrupted


def test_a_step_is_interrupted_for_what_goes_first_only(scheduler: Scheduler) -> None:
    answer = Work("answer", steps=1)
    _, interrupted = _interruptible(scheduler, answer)
    Work(steps=0).submit(scheduler, rank=Rank.CHAT)
    assert not interrupted.is_set()
    completion = Work("completion", steps=0)
    completion.submit(scheduler)
    assert interrupted.is_set()
    answer.permit(1)
    assert completion.next() == Piece(finish_reason="stop")
    assert answer.next() == Piece("answer")


def test_a_step_of_what_is_cancelled_is_interrupted(scheduler: Scheduler) -> None:
    answer = Work("answer")
    job, interrupted = _interruptible(scheduler, answer)
    job.cancel()
    assert interrupted.is_set()
    answer.permit(1)
    assert answer.closed.wait(60)


@pytest.mark.parametrize("rank", list(Rank))
def test_anything_ends_idle_work_within_one_step(scheduler: Scheduler, rank: Rank) -> None:
    idle, work = Work(), Work("work", steps=1)
    idle.submit(scheduler, rank=Rank.IDLE, document="a.py")
    assert idle.started.wait(60)
    work.submit(scheduler, rank=rank, document="b.py")
    assert isinstance(idle.next(), Superseded)
    idle.permit(1)  # the step that had begun
    work.permit(1)
    assert work.next() == Piece("work")
    assert idle.closed.wait(60)
    assert idle.taken == 1


def test_idle_work_waits_for_everything_else(scheduler: Scheduler) -> None:
    answer, idle = Work("answer", steps=2), Work("idle", steps=1)
    answer.submit(scheduler, rank=Rank.CHAT)
    assert answer.started.wait(60)
    idle.submit(scheduler, rank=Rank.IDLE)
    idle.permit(1)
    answer.permit(2)
    assert [answer.next() for _ in range(3)][-1] == Piece(finish_reason="stop")
    assert idle.next() == Piece("idle")


@pytest.mark.parametrize(
    ("raised", "delivered"),
    [
        (RequestError("The prompt is too long."), RequestError),
        (MemoryError(), OutOfMemory),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), OutOfMemory),
        (ValueError("odd"), EngineError),
        (BaseException("a panic"), EngineError),
    ],
)
def test_an_error_is_delivered_and_the_thread_lives_on(
    scheduler: Scheduler, raised: BaseException, delivered: type[CaretError]
) -> None:
    def failing() -> Iterator[Piece]:
        yield Piece("a")
        raise raised

    items: queue.Queue[Item] = queue.Queue()
    scheduler.submit(failing(), items.put, rank=Rank.COMPLETION, document=None)
    assert items.get(timeout=60) == Piece("a")
    assert isinstance(items.get(timeout=60), delivered)
    after = Work(steps=0)
    after.submit(scheduler)
    assert after.next() == Piece(finish_reason="stop")


def test_who_runs_does_not_change_while_a_newer_job_looks(scheduler: Scheduler) -> None:
    work = Work("a", steps=1)
    work.submit(scheduler)
    assert work.started.wait(60)
    with scheduler._changed:
        work.permit()
        for _ in range(50):
            assert scheduler._running is not None
            time.sleep(0.002)
    assert work.next() == Piece("a")
    assert work.next() == Piece(finish_reason="stop")
