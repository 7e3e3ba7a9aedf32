"""What the editor is told about the model: the `caret/status` notification and load progress."""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from engine.api import ModelStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pygls.progress import Progress

METHOD = "caret/status"
_MANY_FILES = 500
"""To index at once; from there on a progress bar is shown."""

_log = logging.getLogger(__name__)

State = Literal["loading", "ready", "busy", "error", "off"]


@dataclass(frozen=True, slots=True)
class Status:
    """The parameters of `caret/status`."""

    state: State
    """loading: the model is on its way; ready; busy: it writes; error: it cannot; off: the user
    switched completion off."""
    message: str = ""
    """For a person: what is going on, or what went wrong and what to do."""
    model: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    """loading: `phase`, `done` and `total` (bytes or tensors); error: `code`."""


class StatusLine:
    """Keeps the status and tells the editor of every change."""

    def __init__(self, notify: Callable[[str, object], None]) -> None:
        self._notify = notify
        self.current = Status("loading")
        self._workers = 0

    def show(self, status: Status) -> None:
        """Set it."""
        if status != self.current:
            self.current = status
            self._notify(METHOD, asdict(status))

    @contextmanager
    def working(self) -> Iterator[None]:
        """Busy in between. An error stays, until the model is ready anew or work ends well."""
        self._workers += 1
        if self.current.state == "ready":
            self._switch("busy")
        try:
            yield
        finally:
            self._workers -= 1
            if not self._workers and self.current.state == "busy":
                self._switch("ready")

    def recovered(self) -> None:
        """Work has ended well, so an error told before is over."""
        if self.current.state == "error":
            self.show(Status("busy", "", self.current.model))

    def _switch(self, state: State) -> None:
        self.show(replace(self.current, state=state, message=""))


def status_of(model: ModelStatus) -> Status:
    """A model's way into memory as a status."""
    if model.phase == "ready":
        return Status("ready", model.note, model.name)
    if model.phase == "failed":
        return Status("error", model.error, model.name, {"code": model.error_code})
    detail = {"phase": model.phase, "done": model.done, "total": model.total}
    return Status("loading", f"{model.name}: {describe(model)}", model.name, detail)


def index_status(done: int, total: int) -> ModelStatus:
    """The way of the workspace's files into the index, which goes quickly where they are few."""
    ready = done == total or total < _MANY_FILES
    return ModelStatus("workspace", "ready" if ready else "loading", done, total)


class LoadProgress:
    """A progress bar while a model downloads and loads, for editors that show them."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._news: asyncio.Queue[ModelStatus] | None = None
        self._task: asyncio.Task[None] | None = None

    def feed(self, model: ModelStatus) -> None:
        """Take the next status; the bar comes with the first of a load, and goes with the last."""
        if self._news is None and model.phase not in ("downloading", "loading"):
            return
        if self._news is None:
            self._news = asyncio.Queue()
            self._task = asyncio.create_task(self._show(self._news, model))
        self._news.put_nowait(model)
        if model.phase in ("ready", "failed"):
            self._news = None

    async def _show(self, news: asyncio.Queue[ModelStatus], first: ModelStatus) -> None:
        token = str(uuid.uuid4())
        try:
            await self._progress.create_async(token)
        except JsonRpcException as error:
            _log.warning("The editor wants no progress bar: %s", error)
            return
        title = f"Caret: {first.name}"
        self._progress.begin(token, types.WorkDoneProgressBegin(title=title, percentage=0))
        while (model := await news.get()).phase not in ("ready", "failed"):
            report = types.WorkDoneProgressReport(
                message=describe(model), percentage=_percent(model)
            )
            self._progress.report(token, report)
        self._progress.end(
            token, types.WorkDoneProgressEnd(message=model.error or model.note or "ready")
        )


def _percent(model: ModelStatus) -> int:
    return min(100, 100 * model.done // model.total) if model.total else 0


def describe(model: ModelStatus) -> str:
    """For example "downloading 120 of 1065 MiB"."""
    if model.phase == "absent":
        return "starting the engine"
    if model.phase == "downloading" and model.total:
        return f"downloading {model.done >> 20} of {model.total >> 20} MiB"
    return f"{model.phase} {_percent(model)} %" if model.total else model.phase
