"""The extension in a real VS Code, with the real server and Qwen2.5-Coder-0.5B."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engine import launch
from engine.paths import packed_dir
from tests.command import CARET
from tests.editors import code_server
from tests.editors.code_server import NEWEST, CodeServer

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent / "vscode"
SCENARIOS = sorted(path.stem for path in (HERE / "scenarios").glob("*.mjs"))
ARTEFACTS = code_server.ROOT / "artefacts" / "vscode"
LIMIT_S = 600

Results = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def vsix() -> Path:
    return code_server.vsix()


@pytest.fixture(scope="module", params=[NEWEST], ids=lambda server: server.version)
def results(
    request: pytest.FixtureRequest,
    vsix: Path,
    qwen_small_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Results]:
    """What became of each scenario, all in one window of this version."""
    server, place = request.param, tmp_path_factory.mktemp("vscode")
    code_server.fetch(server)
    code_server.install(server, vsix, place)
    home = place / "home"
    home.mkdir()
    (home / "models").symlink_to(qwen_small_path.parent)
    (home / "packed").symlink_to(packed_dir())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARET_HOME", str(home))
        yield _run(server, place)
        asyncio.run(launch.stop())


def _run(server: CodeServer, place: Path) -> Results:
    shots = ARTEFACTS / server.version
    shots.mkdir(parents=True, exist_ok=True)
    options = {
        "program": server.program,
        "playwright": str(NEWEST.folder),
        "chromium": code_server.chromium(),
        "place": str(place),
        "shots": str(shots),
        "scenarios": SCENARIOS,
        "settings": {
            "caret.vscode.serverPath": CARET,
            "caret.fim.model": "qwen2.5-coder-0.5b",
            "caret.instruct.model": "qwen2.5-coder-0.5b",
            "security.workspace.trust.enabled": False,
        },
    }
    (place / "options.json").write_text(json.dumps(options))
    done = subprocess.run(
        ["node", str(HERE / "run.mjs"), str(place / "options.json")],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        env=os.environ,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines, done.stderr
    return {line["name"]: line for line in lines}


@pytest.mark.timeout(LIMIT_S + 300)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(scenario: str, results: Results) -> None:
    result = results.get(scenario) or results["start"]
    assert result["ok"], result["error"]
