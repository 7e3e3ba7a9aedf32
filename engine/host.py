"""The models in memory: each fetched and loaded once, however many clients ask for it.

Downloading and loading happen on threads of their own, loading one model at a time; every method
may be called from any thread and returns at once. Where a model finds no room, `engine.room` says
which other one is let go, and so on; who asks for that later waits for it anew.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

import psutil

from engine import limits, models
from engine.api import ModelStatus
from engine.errors import CaretError, EngineUnavailable, ModelError, OutOfMemory
from engine.fetch import pull
from engine.room import Wanted, advice, first_to_go

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.api import Ability, ChatRequest, CompletionRequest, Piece
    from engine.fetch import Progress
    from engine.models import ModelEntry

    Load = Callable[[ModelEntry, Path, Callable[[int, int], None], str, Ability], "Model"]
    Pull = Callable[[ModelEntry, Callable[[Progress], None]], Path]

_log = logging.getLogger(__name__)

_CACHE_SHARE = 8
"""One part in so many of the memory is for the cached sequences of a model."""
_MOST_CACHE = 2 << 30
"""Bytes; more is no use to one typist."""


class Model(Protocol):
    """One model in memory; `engine.runtime.Runtime` is the real one."""

    note: str
    """Message for the user about the model; empty for none."""

    def complete(self, request: CompletionRequest) -> Iterator[Piece | None]:
        """Work on a completion, a step at each `next`."""

    def chat(self, request: ChatRequest) -> Iterator[Piece | None]:
        """Work on the next turn of a conversation, a step at each `next`."""

    def interrupt(self) -> None:
        """Let the step of a conversation that is under way end early; from any thread."""


def loader(fmt: str, device: Literal["auto", "cpu", "cuda"], memory_limit: int | None) -> Load:
    """What loads a model in the wished format, else in `fmt`, as far as the limit allows."""
    memory = memory_limit or limits.memory().total
    cache_bytes = min(memory // _CACHE_SHARE, _MOST_CACHE)

    def load(
        entry: ModelEntry,
        path: Path,
        report: Callable[[int, int], None],
        wished: str,
        ability: Ability,
    ) -> Model:
        # They import torch, which takes a second or more.
        from engine.planner import Machine, Wish
        from engine.runtime import Runtime

        wish, machine = Wish(wished or fmt, device, ability), Machine.here(memory_limit)
        return Runtime.load(entry, path, report, cache_bytes, wish, machine)

    return load


@dataclass(slots=True)
class _Slot:
    """One model on its way into memory, there, or failed."""

    entry: ModelEntry
    status: ModelStatus
    loaded: Future[Model]
    format: str
    """That it was first asked for in; empty: whichever suits."""
    wanted: Wanted


class Host:
    """Finds, fetches, loads and keeps models by name; "" and "default" name the default one."""

    def __init__(self, load: Load, pull: Pull = pull) -> None:
        self._load, self._pull = load, pull
        self._slots: dict[Path, _Slot] = {}
        self._slots_lock = threading.Lock()
        self._one_at_a_time = threading.Lock()

    def ensure(self, name: str, fmt: str = "", ability: Ability = "infill") -> ModelStatus:
        """Have a model brought into memory, unless it is there or on its way; returns at once.

        A model that failed before is tried again. `fmt` is how to hold it if it is not there yet.

        Raises:
            ModelError: There is no such model.
        """
        return self._slot(name, ability, retry=True, fmt=fmt).status

    def loaded(self, name: str, ability: Ability = "infill") -> Future[Model]:
        """Resolves to the model or to the CaretError that kept it away.

        Starts bringing it in if nobody did so far; a failure stays until the next `ensure`.

        Raises:
            ModelError: There is no such model.
        """
        return self._slot(name, ability, retry=False).loaded

    def runtime(self, name: str, ability: Ability = "infill") -> Model:
        """The model if it is in memory; else starts bringing it in.

        Raises:
            EngineUnavailable: It is not ready yet.
            CaretError: It could not be loaded, or there is no such model.
        """
        slot = self._slot(name, ability, retry=False)
        if slot.loaded.done():
            return slot.loaded.result()
        raise EngineUnavailable(f"{slot.entry.name} is still {_progress(slot.status)}; wait a bit.")

    def statuses(self) -> list[ModelStatus]:
        """Every model that was asked for since the engine started."""
        with self._slots_lock:
            return [slot.status for slot in self._slots.values()]

    def busy(self) -> bool:
        """Whether a model is on its way into memory."""
        return any(status.phase in ("downloading", "loading") for status in self.statuses())

    def _slot(self, name: str, ability: Ability, *, retry: bool, fmt: str = "") -> _Slot:
        entry = models.find(models.DEFAULT_FIM if name in ("", "default") else name)
        with self._slots_lock:
            slot = self._slots.get(entry.path)
            if slot is None or (retry and slot.status.phase == "failed"):
                slot = self._slots[entry.path] = _new_slot(entry, fmt)
                title, work = f"load {entry.name}", [slot, ability]
                # Daemon: leaving must not wait for gigabytes on their way.
                threading.Thread(target=self._bring, args=work, name=title, daemon=True).start()
            slot.wanted.at[ability] = time.monotonic()
            return slot

    def _bring(self, slot: _Slot, ability: Ability) -> None:
        """Fetch and load, on a thread of its own."""
        name = slot.entry.name
        try:
            model = self._fetch_and_load(slot, ability)
        except CaretError as error:
            _log.warning("%s failed: %s", name, error)
            _fail(slot, error)
        except MemoryError:
            _fail(slot, OutOfMemory(f"{name} does not fit into memory. Use a smaller model."))
        except BaseException:  # a panic of a library in Rust is no Exception
            _log.exception("%s failed", name)
            fault = "could not be loaded: a fault in Caret, see engine.log in the log folder."
            _fail(slot, ModelError(f"{name} {fault}"))
        else:
            _log.info("%s is ready", name)
            slot.loaded.set_result(model)  # first: who is told that it is ready may ask it
            slot.status = ModelStatus(name, "ready", note=model.note)

    def _fetch_and_load(self, slot: _Slot, ability: Ability) -> Model:
        name = slot.entry.name

        def downloading(progress: Progress) -> None:
            slot.status = ModelStatus(name, "downloading", progress.done, progress.total or 0)

        def loading(done: int, total: int) -> None:
            slot.status = ModelStatus(name, "loading", done, total)

        path = self._pull(slot.entry, downloading)
        loading(0, 0)
        with self._one_at_a_time:
            while True:
                try:
                    return self._load(slot.entry, path, loading, slot.format, ability)
                except OutOfMemory as refusal:
                    if not self._makes_room(refusal.missing, ability):
                        kept = [wanted.entry for wanted in self._in_memory()]
                        raise OutOfMemory(f"{refusal}{advice(ability, kept)}") from refusal

    def _makes_room(self, missing: int, ability: Ability) -> bool:
        """Whether a model was let go for one that lacks so many bytes.

        None is where even all of them would not do: they cannot hold more than the process does.
        """
        return 0 < missing <= psutil.Process().memory_info().rss and self._let_go(ability)

    def _in_memory(self) -> list[Wanted]:
        with self._slots_lock:
            return [slot.wanted for slot in self._slots.values() if slot.status.phase == "ready"]

    def _let_go(self, ability: Ability) -> bool:
        """Forget a model that may make room for an ability; False if there is none.

        An answer that it is writing comes to its end, and its memory is free after that.
        """
        going = first_to_go(self._in_memory(), ability, time.monotonic())
        if going is None:
            return False
        with self._slots_lock:
            self._slots.pop(going.entry.path, None)
        _log.info("%s makes room for another model", going.entry.name)
        gc.collect()  # a model's parts refer to each other
        return True


def _new_slot(entry: ModelEntry, fmt: str) -> _Slot:
    loaded: Future[Model] = Future()
    loaded.set_running_or_notify_cancel()  # so that a waiter who is cancelled cancels it for none
    on_disk = entry.path.exists()
    status = ModelStatus(entry.name, "loading" if on_disk else "downloading")
    return _Slot(entry, status, loaded, fmt, Wanted(entry))


def _fail(slot: _Slot, error: CaretError) -> None:
    slot.loaded.set_exception(error)
    slot.status = replace(slot.status, phase="failed", error=str(error), error_code=error.code)


def _progress(status: ModelStatus) -> str:
    return f"{status.phase} ({status.done / status.total:.0%})" if status.total else status.phase
