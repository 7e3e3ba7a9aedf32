"""What the editor is told, and when."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from engine.api import ModelStatus
from lsp_server.status import LoadProgress, Status, StatusLine, status_of

if TYPE_CHECKING:
    from lsprotocol import types

DOWNLOADING = ModelStatus("m", "downloading", 50 << 20, 200 << 20)
LOADING, READY = ModelStatus("m", "loading", 3, 4), ModelStatus("m", "ready")
FAILED = ModelStatus("m", "failed", error="Broken.", error_code="model_damaged")


def test_statuses_of_a_model() -> None:
    detail = {"phase": "downloading", "done": 50 << 20, "total": 200 << 20}
    message = "m: downloading 50 of 200 MiB"
    assert status_of(DOWNLOADING) == Status("loading", message, "m", detail)
    assert status_of(LOADING).message == "m: loading 75 %"
    assert status_of(ModelStatus("m", "absent")).message == "m: starting the engine"
    assert status_of(READY) == Status("ready", "", "m")
    slow = ModelStatus("m", "ready", note="It is slow.")
    assert status_of(slow) == Status("ready", "It is slow.", "m")
    assert status_of(FAILED) == Status("error", "Broken.", "m", {"code": "model_damaged"})


def test_only_changes_are_told() -> None:
    told: list[Any] = []
    line = StatusLine(lambda _, params: told.append(params["state"]))  # type: ignore[index]  # a dict
    line.show(status_of(READY))
    line.show(status_of(READY))
    with line.working(), line.working():
        pass
    assert told == ["ready", "busy", "ready"]


def test_an_error_stays_until_work_ends_well() -> None:
    line = StatusLine(lambda *_: None)
    line.show(status_of(FAILED))
    with line.working():
        pass
    assert line.current.state == "error"
    with line.working():
        line.recovered()
    assert line.current == Status("ready", "", "m")


class Bar:
    """pygls's Progress, as far as it is used."""

    def __init__(self) -> None:
        self.seen: list[tuple[object, Any]] = []

    async def create_async(self, token: str) -> None:
        await asyncio.sleep(0)
        self.seen.append((token, "create"))

    def begin(self, token: str, value: types.WorkDoneProgressBegin) -> None:
        self.seen.append((token, value.title))

    def report(self, token: str, value: types.WorkDoneProgressReport) -> None:
        self.seen.append((token, (value.message, value.percentage)))

    def end(self, token: str, value: types.WorkDoneProgressEnd) -> None:
        self.seen.append((token, value.message))


async def shown(*statuses: ModelStatus) -> list[tuple[object, Any]]:
    bar = Bar()
    progress = LoadProgress(bar)  # type: ignore[arg-type]  # it has what is used
    for status in statuses:
        progress.feed(status)
    while asyncio.all_tasks() != {asyncio.current_task()}:
        await asyncio.sleep(0)
    return bar.seen


async def test_a_bar_from_the_first_to_the_last() -> None:
    seen = await shown(ModelStatus("m", "absent"), DOWNLOADING, LOADING, READY)
    assert [what for _, what in seen] == [
        "create",
        "Caret: m",
        ("downloading 50 of 200 MiB", 25),
        ("loading 75 %", 75),
        "ready",
    ]
    assert len({token for token, _ in seen}) == 1


async def test_no_bar_for_what_is_there_already() -> None:
    assert await shown(ModelStatus("m", "absent"), READY, FAILED) == []


async def test_each_load_has_its_own_bar() -> None:
    seen = await shown(LOADING, FAILED, LOADING, READY)
    assert [what for _, what in seen if isinstance(what, str)].count("create") == 2
    assert len({token for token, _ in seen}) == 2
    assert {"Broken.", "ready"} <= {what for _, what in seen if isinstance(what, str)}
