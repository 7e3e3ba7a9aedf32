from __future__ import annotations

import gc
import shutil
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from engine import host as hosts
from engine import room
from engine.api import CompletionRequest, ModelStatus
from engine.errors import (
    DiskFull,
    EngineUnavailable,
    ModelError,
    ModelMissing,
    OutOfMemory,
    UnknownModel,
)
from engine.fetch import Progress
from engine.host import Host
from engine.models import DEFAULT_FIM, find

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.api import Ability
    from engine.host import Model
    from engine.models import ModelEntry
    from tests.engine.web.conftest import Loader, ScriptedModel

DEADLINE_S = 60.0
MODEL = "smollm2-135m"


def _reached(host: Host, *phases: str) -> list[ModelStatus]:
    """The statuses, once they are in these phases."""
    end = time.monotonic() + DEADLINE_S
    while [status.phase for status in host.statuses()] != list(phases):
        assert time.monotonic() < end, host.statuses()
        time.sleep(0.005)
    return host.statuses()


def test_model_is_loaded_once(host: Host, loader: Loader, model: ScriptedModel) -> None:
    assert host.statuses() == []
    assert host.ensure(MODEL).phase in ("downloading", "loading", "ready")
    assert host.loaded(MODEL).result(DEADLINE_S) is model
    assert host.ensure(MODEL) == ModelStatus(MODEL, "ready")
    assert host.runtime(MODEL) is model
    assert loader.loads == [MODEL]
    assert not host.busy()


def test_asking_for_a_model_starts_loading_it(host: Host, loader: Loader) -> None:
    loader.gate.clear()
    with pytest.raises(EngineUnavailable, match="smollm2-135m is still"):
        host.runtime(MODEL)
    _reached(host, "loading")
    assert host.busy()
    loader.gate.set()
    assert host.loaded(MODEL).result(DEADLINE_S)


def test_progress_of_loading(host: Host, loader: Loader) -> None:
    loader.gate.clear()
    host.ensure(MODEL)
    end = time.monotonic() + DEADLINE_S
    while host.statuses() != [ModelStatus(MODEL, "loading", 1, 4)]:
        assert time.monotonic() < end
        time.sleep(0.005)
    with pytest.raises(EngineUnavailable, match=r"still loading \(25%\)"):
        host.runtime(MODEL)
    loader.gate.set()


def test_a_model_is_there_before_it_is_told_to_be_ready(host: Host, loader: Loader) -> None:
    loader.gate.clear()
    host.ensure(MODEL)
    phases: list[str] = []
    host.loaded(MODEL).add_done_callback(lambda _: phases.append(host.statuses()[0].phase))
    loader.gate.set()
    _reached(host, "ready")
    assert phases == ["loading"]
    assert host.runtime(MODEL)


@pytest.mark.usefixtures("home")
def test_progress_of_a_download(loader: Loader) -> None:
    def pull(entry: ModelEntry, report: Callable[[Progress], None]) -> Path:
        report(Progress(3, None, "a hub"))
        assert loader.gate.wait(DEADLINE_S)
        return entry.path

    loader.gate.clear()
    host = Host(loader.load, pull)
    host.ensure(MODEL)
    end = time.monotonic() + DEADLINE_S
    while host.statuses() != [ModelStatus(MODEL, "downloading", 3, 0)]:
        assert time.monotonic() < end
        time.sleep(0.005)
    loader.gate.set()
    assert host.loaded(MODEL).result(DEADLINE_S)


@pytest.mark.parametrize("name", ["", "default", DEFAULT_FIM, DEFAULT_FIM.upper()])
def test_names_of_the_default_model(host: Host, name: str) -> None:
    assert host.ensure(name).name == DEFAULT_FIM


def test_two_spellings_of_a_path_are_one_model(host: Host, loader: Loader, home: Path) -> None:
    (home / "m.gguf").touch()
    (home / "inner").mkdir()
    (home / "link").symlink_to(home)
    spellings = [home / "m.gguf", f"{home}/inner/../m.gguf", f"{home}/link/m.gguf"]
    assert all(host.loaded(str(path)).result(DEADLINE_S) for path in spellings)
    assert len(host.statuses()) == len(loader.loads) == 1


def test_unknown_models_leave_no_trace(host: Host, home: Path) -> None:
    with pytest.raises(UnknownModel, match=r"qwen2\.5-coder-1\.5b"):
        host.ensure("qwen-coder-1.5b")
    with pytest.raises(ModelMissing):
        host.loaded(str(home / "absent.gguf"))
    assert host.statuses() == []


def test_failure_stays_until_asked_to_try_again(
    host: Host, loader: Loader, model: ScriptedModel
) -> None:
    loader.failure = DiskFull("There is no room. Make some.")
    host.ensure(MODEL)
    (status,) = _reached(host, "failed")
    assert (status.error, status.error_code) == ("There is no room. Make some.", "disk_full")
    for _ in range(2):
        with pytest.raises(DiskFull):
            host.runtime(MODEL)
    assert loader.loads == [MODEL]
    loader.failure = None
    host.ensure(MODEL)
    assert host.loaded(MODEL).result(DEADLINE_S) is model


@pytest.mark.parametrize(
    ("failure", "kind", "words"),
    [
        (MemoryError(), OutOfMemory, "smaller model"),
        (ZeroDivisionError("secret"), ModelError, "fault in Caret"),
    ],
)
def test_other_failures_become_errors_for_people(
    host: Host, loader: Loader, failure: Exception, kind: type[Exception], words: str
) -> None:
    loader.failure = failure
    with pytest.raises(kind, match=words) as caught:
        host.loaded(MODEL).result(DEADLINE_S)
    assert "secret" not in str(caught.value)


def test_the_first_wish_for_a_format_counts(host: Host, loader: Loader) -> None:
    host.ensure(MODEL, "nf4")
    assert host.loaded(MODEL).result(DEADLINE_S)
    host.ensure(MODEL, "int8")
    assert host.loaded(DEFAULT_FIM).result(DEADLINE_S)
    assert loader.formats == ["nf4", ""]


def test_one_model_is_loaded_at_a_time(host: Host, loader: Loader) -> None:
    loader.gate.clear()
    both = [host.loaded(MODEL), host.loaded(DEFAULT_FIM)]
    _reached(host, "loading", "loading")
    assert len(loader.loads) <= 1
    loader.gate.set()
    assert [future.result(DEADLINE_S) for future in both] == [loader.model, loader.model]


class Heavy:
    """A model whose weights take memory."""

    note = ""

    def __init__(self, model: ScriptedModel) -> None:
        self.weights = b"w" * 300_000_000
        self.complete, self.chat, self.interrupt = model.complete, model.chat, model.interrupt
        self.itself = self
        """A cycle, as the parts of a real one are."""


@pytest.fixture
def small(home: Path, loader: Loader) -> Host:  # noqa: ARG001 - set for it
    """A host whose models take a byte for each parameter, in 2 GB."""
    process, load = psutil.Process(), loader.load
    limit = process.memory_info().rss + 2_000_000_000
    loader.make = Heavy

    def planned(
        entry: ModelEntry,
        path: Path,
        report: Callable[[int, int], None],
        fmt: str,
        ability: Ability,
    ) -> Model:
        missing = (entry.parameters or 0) - (limit - process.memory_info().rss)
        if missing > 0:
            raise OutOfMemory("It does not fit.", missing)
        return load(entry, path, report, fmt, ability)

    return Host(planned, loader.pull)


def test_a_question_does_not_push_out_the_model_that_completes(
    small: Host, loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "qwen2.5-coder-0.5b"
    for name in (MODEL, other):
        assert small.loaded(name).result(DEADLINE_S)
    with pytest.raises(OutOfMemory, match=r"endpoint") as caught:
        small.loaded(DEFAULT_FIM, "instruct").result(DEADLINE_S)
    assert "leave caret.instruct.model empty, so that" in str(caught.value)
    assert [status.phase for status in small.statuses()] == ["ready", "ready", "failed"]
    monkeypatch.setattr(room, "IN_USE_S", 0.0)  # as after a long while
    small.ensure(DEFAULT_FIM, ability="instruct")
    assert small.loaded(DEFAULT_FIM, "instruct").result(DEADLINE_S)
    assert [status.phase for status in small.statuses()] == ["ready", "ready"]
    assert loader.loads == [MODEL, other, DEFAULT_FIM]


def test_what_completes_pushes_out_what_answers(small: Host) -> None:
    other = "qwen2.5-coder-0.5b"
    assert small.loaded(MODEL, "instruct").result(DEADLINE_S)
    assert small.loaded(other, "instruct").result(DEADLINE_S)
    assert small.loaded(DEFAULT_FIM).result(DEADLINE_S)
    assert [status.name for status in small.statuses()] == [other, DEFAULT_FIM]


def test_the_model_wanted_least_recently_makes_room(small: Host, loader: Loader) -> None:
    host, other = small, "qwen2.5-coder-0.5b"
    for name in (MODEL, other, MODEL):
        assert host.loaded(name).result(DEADLINE_S)
    assert [status.name for status in host.statuses()] == [MODEL, other]
    assert host.loaded(DEFAULT_FIM).result(DEADLINE_S)  # needs 1.54 GB
    assert [status.name for status in host.statuses()] == [MODEL, DEFAULT_FIM]
    assert host.loaded(MODEL).done()
    assert loader.loads == [MODEL, other, DEFAULT_FIM]
    with pytest.raises(OutOfMemory):
        host.loaded("codellama-7b").result(DEADLINE_S)
    assert [status.name for status in host.statuses()][:2] == [MODEL, DEFAULT_FIM]


def test_a_refusal_for_a_reason_that_nobody_knows_lets_no_model_go(
    host: Host, loader: Loader
) -> None:
    assert host.loaded(MODEL).result(DEADLINE_S)
    loader.failure = OutOfMemory("It does not fit.")
    with pytest.raises(OutOfMemory):
        host.loaded(DEFAULT_FIM).result(DEADLINE_S)
    assert host.loaded(MODEL).done()
    assert loader.loads == [MODEL, DEFAULT_FIM]


def test_a_model_that_the_plan_refuses_gets_room(home: Path, smollm2_path: Path) -> None:
    """Real weights: the first is let go of for the second, under a limit for one of them."""
    twin = home / "twin.gguf"
    shutil.copyfile(smollm2_path, twin)
    load = hosts.loader("int8", "cpu", None)
    assert load(find(str(twin)), twin, lambda *_: None, "", "infill")  # packs, warms up
    gc.collect()
    limit = psutil.Process().memory_info().rss + (330 << 20)
    host = Host(hosts.loader("int8", "cpu", limit), lambda entry, _: entry.path)
    assert host.loaded(str(twin)).result(DEADLINE_S)
    assert host.loaded(str(smollm2_path)).result(3 * DEADLINE_S)
    assert [status.phase for status in host.statuses()] == ["ready"]


def test_a_model_on_its_way_keeps_no_other_one_from_work(host: Host, loader: Loader) -> None:
    assert host.loaded(DEFAULT_FIM).result(DEADLINE_S)
    loader.gate.clear()
    host.ensure(MODEL, ability="instruct")
    _reached(host, "ready", "loading")
    completing = host.runtime(DEFAULT_FIM)
    assert [piece.text for piece in completing.complete(CompletionRequest("", "x")) if piece]
    assert _reached(host, "ready", "loading")[1].done == 1
    loader.gate.set()
    assert host.loaded(MODEL, "instruct").result(DEADLINE_S)
