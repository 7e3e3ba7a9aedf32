"""What a stranger runs first, with the default model: `caret demo`, then `caret doctor`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.fetch import pull
from engine.models import DEFAULT_FIM, find
from engine.paths import models_dir

if TYPE_CHECKING:
    from collections.abc import Iterator

CARET = str(Path(sys.executable).with_name("caret"))


def caret(
    *arguments: str, environment: dict[str, str], cwd: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CARET, *arguments], env=environment, cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The default model, and an engine of our own that ends with the tests."""
    pull(find(DEFAULT_FIM), lambda _: None)
    home = tmp_path_factory.mktemp("home")
    (home / "models").symlink_to(models_dir())
    found = os.environ | {"CARET_HOME": str(home)}
    yield found
    assert caret("engine", "--stop", environment=found, cwd=home).returncode == 0


def test_demo_completes_seven_languages(environment: dict[str, str], tmp_path: Path) -> None:
    done = caret("demo", environment=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("⟦") == done.stdout.count("⟧") == 7
    assert done.stdout.count(" tokens/s") == 7
    assert "merged[-1]" in done.stdout.split("⟦")[1].split("⟧")[0]
    assert "Next: Caret in your editor" in done.stdout


def test_doctor_completes_a_line(environment: dict[str, str], tmp_path: Path) -> None:
    done = caret("doctor", "--json", environment=environment, cwd=tmp_path)
    report = json.loads(done.stdout)
    assert report["models"][DEFAULT_FIM] == find(DEFAULT_FIM).size
    if report["choice"]["model"] == DEFAULT_FIM:
        assert done.returncode == 0, report["completion"]
        assert report["completion"]["text"].strip() == "a + b"


def test_demo_with_a_model_that_cannot_infill(environment: dict[str, str], tmp_path: Path) -> None:
    done = caret("demo", "--model", "smollm2-135m", environment=environment, cwd=tmp_path)
    assert done.returncode == 1
    assert "caret: smollm2-135m cannot fill in the middle of code" in done.stderr
