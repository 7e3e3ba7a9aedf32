"""The extension in a real VS Code, with the real server and Qwen2.5-Coder-0.5B."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from engine import launch
from engine.paths import packed_dir
from tests.command import CARET
from tests.editors import code_server
from tests.editors.code_server import NEWEST, OLDEST, CodeServer

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent / "vscode"
SCENARIOS = {
    NEWEST: sorted(path.stem for path in (HERE / "scenarios").glob("*.mjs")),
    OLDEST: ["ghost_text", "parts"],
}
CASES = [
    pytest.param(version, name, id=f"{version.version}-{name}")
    for version, names in SCENARIOS.items()
    for name in names
]
ARTEFACTS = code_server.ROOT / "artefacts" / "vscode"
LIMIT_S = 500
"""For all scenarios of a version; each wait in them has a limit of its own."""

Results = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def ran(
    qwen_small_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[CodeServer, Results]]:
    """What became of the scenarios, by version; empty until one is asked for."""
    home = tmp_path_factory.mktemp("home")
    (home / "models").symlink_to(qwen_small_path.parent)
    packed_dir().mkdir(parents=True, exist_ok=True)
    (home / "packed").symlink_to(packed_dir())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARET_HOME", str(home))
        yield {}
        asyncio.run(launch.stop())


def _run(version: CodeServer, place: Path) -> Results:
    """Run a version's scenarios in `place`, which has the extension installed."""
    shots = ARTEFACTS / version.version
    shots.mkdir(parents=True, exist_ok=True)
    options = {
        "program": version.program,
        "playwright": str(NEWEST.folder),
        "chromium": code_server.chromium(),
        "place": str(place),
        "home": os.environ["CARET_HOME"],
        "shots": str(shots),
        "scenarios": SCENARIOS[version],
        "settings": {
            "caret.vscode.serverPath": CARET,
            "caret.fim.model": "qwen2.5-coder-0.5b",
            "caret.instruct.model": "qwen2.5-coder-0.5b",
            "caret.completion.confidence": 0,  # odd texts make a small model unsure
        },
    }
    file = place / "options.json"
    file.write_text(json.dumps(options))
    command = ["node", str(HERE / "run.mjs"), str(file)]
    lines = [json.loads(line) for line in _output(command).splitlines()]
    return {line["name"]: line for line in lines}


def _output(command: list[str]) -> str:
    """What a program writes until it ends or its time does; nothing that it started outlives it."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        return process.communicate(timeout=LIMIT_S)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()[0]
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.timeout(LIMIT_S + 300)
@pytest.mark.parametrize(("version", "scenario"), CASES)
def test_scenario(
    version: CodeServer,
    scenario: str,
    ran: dict[CodeServer, Results],
    vsix: Path,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if version not in ran:
        place = tmp_path_factory.mktemp("vscode")
        code_server.fetch(version)
        code_server.install(version, vsix, place)
        ran[version] = _run(version, place)
    result = ran[version].get(scenario) or ran[version].get("start")
    assert result, "The scenarios before it took all the time."
    assert result["ok"], result["error"]
    if "told" in result:
        with capsys.disabled():
            print(f"\nVS Code {version.version}: {result['told']}")  # noqa: T201
