"""What a stranger runs first, with the default model: `caret demo`, then `caret doctor`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from engine.fetch import pull
from engine.models import DEFAULT_FIM, find
from tests.command import caret
from tests.home import own_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where the default model was pulled and nothing else was done: it has yet to be packed."""
    model = pull(find(DEFAULT_FIM), lambda _: None)
    with own_home(tmp_path_factory.mktemp("home"), model.parent, packed=False):
        yield


def test_demo_completes_seven_languages(tmp_path: Path) -> None:
    done = caret("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("⟦") == done.stdout.count("⟧") == 7
    assert done.stdout.count(" tokens/s") == 7
    assert "merged[-1]" in done.stdout.split("⟦")[1].split("⟧")[0]
    assert "Next: Caret in your editor" in done.stdout


def test_doctor_completes_a_line(tmp_path: Path) -> None:
    done = caret("doctor", "--json", cwd=tmp_path)
    report = json.loads(done.stdout)
    assert report["models"][DEFAULT_FIM] == find(DEFAULT_FIM).size
    if report["choice"]["model"] == DEFAULT_FIM:
        assert done.returncode == 0, report["completion"]
        assert report["completion"]["text"].strip() == "a + b"


def test_demo_with_a_model_that_cannot_infill(tmp_path: Path) -> None:
    done = caret("demo", "--model", "smollm2-135m", cwd=tmp_path)
    assert done.returncode == 1
    assert "caret: smollm2-135m cannot fill in the middle of code" in done.stderr
