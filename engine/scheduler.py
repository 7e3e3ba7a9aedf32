"""The one compute thread: advances one generator a step at a time, completions first.

Work is an iterator whose every `next()` costs at most one forward pass, so a keystroke gets
the thread within one step of a long answer, and a cancelled request stops within one step. Of an
answer's step it need not even wait for the end: it interrupts it.
What nobody waits for runs when there is nothing else, and ends as soon as there is.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from engine.errors import CaretError, EngineError, OutOfMemory, Superseded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.api import Piece

log = logging.getLogger(__name__)


class Rank(IntEnum):
    """Who goes first: the lower number."""

    COMPLETION = 0
    CHAT = 1
    IDLE = 2
    """Nobody waits for it."""


@dataclass(eq=False, slots=True)
class Job:
    """One answer in the making."""

    scheduler: Scheduler
    work: Iterator[Piece | None]
    deliver: Callable[[Piece | CaretError], None]
    rank: Rank
    document: str | None
    interrupt: Callable[[], None]
    """Ends its step early, if that may be; called on any thread."""

    def cancel(self) -> None:
        """Stop before the next step; nothing more is delivered."""
        self.scheduler.drop(self)

    def supersedes(self, older: Job) -> bool:
        """Whether this one makes an older one pointless.

        A document's completions replace each other, and so do its answers.
        """
        if older.rank is Rank.IDLE:
            return True
        return self.document is not None and (self.document, self.rank) == (
            older.document,
            older.rank,
        )


class Scheduler:
    """Runs jobs on one thread: by their rank, then in the order they came."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        self._running: Job | None = None
        self._dropped: list[Job] = []
        """Jobs whose generators the compute thread has yet to close."""
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="compute", daemon=True)
        self._thread.start()

    @property
    def depth(self) -> int:
        """Jobs waiting or running."""
        with self._changed:
            return len(self._jobs)

    def submit(
        self,
        work: Iterator[Piece | None],
        deliver: Callable[[Piece | CaretError], None],
        *,
        rank: Rank,
        document: str | None,
        interrupt: Callable[[], None] = lambda: None,
    ) -> Job:
        """Queue `work`; `deliver` is called with each piece, mostly on the compute thread.

        `interrupt` is called while a step of it keeps a job of a better rank waiting, and when it
        is dropped in the middle of one.

        A job of the same document and rank that is still running gets `Superseded`, and so does
        every idle one.
        """
        job = Job(self, work, deliver, rank, document, interrupt)
        with self._changed:
            for older in [other for other in self._jobs if job.supersedes(other)]:
                error = Superseded("A newer request took its place.")
                self._deliver(older, error)
                self.drop(older)
            self._jobs.append(job)
            if self._running and job.rank < self._running.rank:
                self._running.interrupt()
            self._changed.notify()
        return job

    def drop(self, job: Job) -> None:
        """Forget a job; its generator is closed on the compute thread."""
        with self._changed:
            if job in self._jobs:
                self._jobs.remove(job)
                self._dropped.append(job)
                if job is self._running:
                    job.interrupt()
                self._changed.notify()

    def close(self) -> None:
        """Forget every job and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while self._wait():
            self._close_dropped()
            job = self._pick()
            if job is not None and not self._advance(job):
                self.drop(job)

    def _wait(self) -> bool:
        """Sleep until there is something to do; False once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._dropped or self._closed)
            return not self._closed

    def _close_dropped(self) -> None:
        with self._changed:
            dropped, self._dropped = self._dropped, []
        for job in dropped:
            if isinstance(job.work, Generator):
                job.work.close()

    def _pick(self) -> Job | None:
        with self._changed:
            self._running = min(self._jobs, key=lambda job: job.rank, default=None)
            return self._running

    def _advance(self, job: Job) -> bool:
        """One step; False when there is nothing left to do."""
        try:
            piece = next(job.work)
        except StopIteration:
            return False
        except CaretError as error:
            return self._deliver(job, error)
        # A panic of the tokenizers' library is no Exception, and must not end this thread either.
        except BaseException as error:
            log.exception("a request failed")
            return self._deliver(job, _explain(error))
        finally:
            with self._changed:  # `submit` looks at it twice
                self._running = None
        return piece is None or self._deliver(job, piece)

    def _deliver(self, job: Job, item: Piece | CaretError) -> bool:
        """Hand over unless the job was dropped meanwhile; False after an error."""
        with self._changed:
            if job in self._jobs:
                job.deliver(item)
        return not isinstance(item, CaretError)


def _explain(error: BaseException) -> EngineError:
    if isinstance(error, MemoryError) or "allocate memory" in str(error):
        return OutOfMemory("The engine ran out of memory. Choose a smaller model or close others.")
    # the error's own words may quote the prompt
    kind = type(error).__name__
    return EngineError(f"The engine failed at this request ({kind}); its log may say more.")
