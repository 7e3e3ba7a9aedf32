"""The models in memory: each fetched and loaded once, however many clients ask for it.

Downloading and loading happen on threads of their own, loading one model at a time; every method
may be called from any thread and returns at once.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import psutil

from engine import models
from engine.api import ModelStatus
from engine.errors import CaretError, EngineUnavailable, ModelError, OutOfMemory
from engine.fetch import pull

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.api import ChatRequest, CompletionRequest, Piece
    from engine.fetch import Progress
    from engine.models import ModelEntry

    Load = Callable[[ModelEntry, Path, Callable[[int, int], None]], "Model"]
    Pull = Callable[[ModelEntry, Callable[[Progress], None]], Path]

_log = logging.getLogger(__name__)


class Model(Protocol):
    """One model in memory; `engine.runtime.Runtime` is the real one."""

    def complete(self, request: CompletionRequest) -> Iterator[Piece | None]:
        """Work on a completion, a step at each `next`."""

    def chat(self, request: ChatRequest) -> Iterator[Piece | None]:
        """Work on the next turn of a conversation, a step at each `next`."""


def _load(entry: ModelEntry, path: Path, report: Callable[[int, int], None]) -> Model:
    """`Runtime.load`; imported here because torch takes a second or more."""
    from engine.runtime import Runtime

    return Runtime.load(entry, path, report)


def _need(entry: ModelEntry) -> int:
    """Bytes that its weights take in memory; see `_load`."""
    from engine.load import memory_needed
    from quant.formats import DEFAULT_FORMAT

    return memory_needed(entry, DEFAULT_FORMAT)


@dataclass(slots=True)
class _Slot:
    """One model on its way into memory, there, or failed."""

    entry: ModelEntry
    status: ModelStatus
    loaded: Future[Model]


class Host:
    """Finds, fetches, loads and keeps models by name; "" and "default" name the default one."""

    def __init__(
        self, load: Load = _load, pull: Pull = pull, memory_limit: int | None = None
    ) -> None:
        self._load, self._pull = load, pull
        self._memory_limit = memory_limit
        """Bytes that this process may use; None leaves it to the machine."""
        self._slots: dict[Path, _Slot] = {}
        self._slots_lock = threading.Lock()
        self._one_at_a_time = threading.Lock()

    def ensure(self, name: str) -> ModelStatus:
        """Have a model brought into memory, unless it is there or on its way; returns at once.

        A model that failed before is tried again.

        Raises:
            ModelError: There is no such model.
        """
        return self._slot(name, retry=True).status

    def loaded(self, name: str) -> Future[Model]:
        """Resolves to the model or to the CaretError that kept it away.

        Starts bringing it in if nobody did so far; a failure stays until the next `ensure`.

        Raises:
            ModelError: There is no such model.
        """
        return self._slot(name, retry=False).loaded

    def runtime(self, name: str) -> Model:
        """The model if it is in memory; else starts bringing it in.

        Raises:
            EngineUnavailable: It is not ready yet.
            CaretError: It could not be loaded, or there is no such model.
        """
        slot = self._slot(name, retry=False)
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

    def _slot(self, name: str, *, retry: bool) -> _Slot:
        entry = models.find(models.DEFAULT_FIM if name in ("", "default") else name)
        with self._slots_lock:
            slot = self._slots.get(entry.path)
            if slot is None or (retry and slot.status.phase == "failed"):
                slot = self._slots[entry.path] = _new_slot(entry)
                title = f"load {entry.name}"
                # Daemon: leaving must not wait for gigabytes on their way.
                threading.Thread(target=self._bring, args=[slot], name=title, daemon=True).start()
            return slot

    def _bring(self, slot: _Slot) -> None:
        """Fetch and load, on a thread of its own."""
        name = slot.entry.name
        try:
            model = self._fetch_and_load(slot)
        except CaretError as error:
            _log.warning("%s failed: %s", name, error)
            _fail(slot, error)
        except MemoryError:
            _fail(slot, OutOfMemory(f"{name} does not fit into memory. Use a smaller model."))
        except Exception:
            _log.exception("%s failed", name)
            fault = "could not be loaded: a fault in Caret, see engine.log in the log folder."
            _fail(slot, ModelError(f"{name} {fault}"))
        else:
            _log.info("%s is ready", name)
            slot.status = ModelStatus(name, "ready")
            slot.loaded.set_result(model)

    def _fetch_and_load(self, slot: _Slot) -> Model:
        name = slot.entry.name

        def downloading(progress: Progress) -> None:
            slot.status = ModelStatus(name, "downloading", progress.done, progress.total or 0)

        def loading(done: int, total: int) -> None:
            slot.status = ModelStatus(name, "loading", done, total)

        path = self._pull(slot.entry, downloading)
        loading(0, 0)
        with self._one_at_a_time:
            self._check_room(slot.entry)
            return self._load(slot.entry, path, loading)

    def _check_room(self, entry: ModelEntry) -> None:
        """Refuse what the limit has no room for."""
        if self._memory_limit is None:
            return
        need = _need(entry)
        room = self._memory_limit - psutil.Process().memory_info().rss
        if need > room:
            raise OutOfMemory(
                f"{entry.name} needs about {need / 2**30:.1f} GB and the engine has "
                f"{max(room, 0) / 2**30:.1f} GB left. Raise caret.engine.memory or use a smaller "
                "model."
            )


def _new_slot(entry: ModelEntry) -> _Slot:
    loaded: Future[Model] = Future()
    loaded.set_running_or_notify_cancel()  # so that a waiter who is cancelled cancels it for none
    on_disk = entry.path.exists()
    return _Slot(entry, ModelStatus(entry.name, "loading" if on_disk else "downloading"), loaded)


def _fail(slot: _Slot, error: CaretError) -> None:
    slot.status = replace(slot.status, phase="failed", error=str(error), error_code=error.code)
    slot.loaded.set_exception(error)


def _progress(status: ModelStatus) -> str:
    return f"{status.phase} ({status.done / status.total:.0%})" if status.total else status.phase
