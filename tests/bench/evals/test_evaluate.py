"""`caret eval` as a person runs it: a real model, and llama-server's way of asking."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bench.evals.answers import filler
from bench.evals.cross_file import SAMPLES
from lsp_server.settings import Settings
from tests.command import caret
from tests.home import own_home

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
SOURCES = str(Path(__file__).with_name("sources"))
MODEL = "qwen2.5-coder-0.5b"
ROWS = [
    {
        "task_id": f"Own/{number}",
        "entry_point": "add",
        "prompt": "def add(first: int, second: int) -> int:\n"
        '    """The sum of first and second."""\n',
        "canonical_solution": "    return first + second\n",
        "suffix": "\n\ndef main() -> None:\n    print(add(1, 2))\n",
        "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
    }
    for number in range(3)
]


def evaluate(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return caret("eval", *arguments, cwd=folder)


@pytest.fixture(scope="module")
def _home(qwen_small_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An engine for all tests of this file, ended with the last."""
    with own_home(tmp_path_factory.mktemp("home"), qwen_small_path.parent):
        yield


@pytest.mark.usefixtures("_home")
def test_a_line_is_filled_in_tested_recorded_and_not_asked_for_again(
    tmp_path: Path,
) -> None:
    rows = "".join(json.dumps(row) + "\n" for row in ROWS)
    (tmp_path / "HumanEval-SingleLineInfilling.jsonl").write_text(rows)
    arguments = ["infill-single", "--data", ".", "--model", MODEL, "--record", "r.jsonl"]
    done = evaluate(tmp_path, *arguments, "--limit", "2", "--json", "s.json")
    assert done.returncode == 0, done.stderr
    assert "Generated code runs in:" in done.stdout
    assert "Generated code runs in:" in done.stderr
    asked, first, second = (tmp_path / "r.jsonl").read_text().splitlines()
    assert json.loads(asked)["asked"]["through"] == "caret"
    entry = json.loads(first)
    assert (entry["text"], entry["passed"]) == ("    return first + second", True)
    assert entry["logprob"] < 0 < entry["tokens"]
    summary = json.loads((tmp_path / "s.json").read_text())
    assert (summary["samples"], summary["measures"][0]["value"]) == (2, 1.0)

    assert evaluate(tmp_path, *arguments).returncode == 0
    lines = (tmp_path / "r.jsonl").read_text().splitlines()
    assert lines[:3] == [asked, first, second]
    assert [json.loads(line)["id"] for line in lines[1:]] == ["Own/0", "Own/1", "Own/2"]

    refused = evaluate(tmp_path, *arguments, "--through", "raw")
    assert refused.returncode == 1
    assert refused.stderr.startswith("caret: r.jsonl records an evaluation with another through.")


@pytest.mark.usefixtures("_home")
def test_in_a_long_string_something_is_suggested_by_hand_alone(tmp_path: Path) -> None:
    said = "the first of the two numbers is larger than the second one, so that there is"
    head = f'def add(first: int, second: int) -> int:\n    raise ValueError("{said}'
    tail = '")\n'
    row = ROWS[0] | {"prompt": head, "suffix": tail, "canonical_solution": ""}
    (tmp_path / "HumanEval-RandomSpanInfillingLight.jsonl").write_text(json.dumps(row) + "\n")
    arguments = ["infill-random", "--data", ".", "--model", MODEL, "--json", "s.json", "--through"]
    for through, nothing in (("typing", 1.0), ("caret", 0.0)):
        done = evaluate(tmp_path, *arguments, through)
        assert done.returncode == 0, done.stderr
        measures = json.loads((tmp_path / "s.json").read_text())["measures"]
        found = {measure["name"]: measure["value"] for measure in measures}
        assert found["nothing suggested"] == nothing


@pytest.mark.usefixtures("_home")
def test_context_makes_the_difference(tmp_path: Path) -> None:
    done = evaluate(tmp_path, "cross-file", "--model", MODEL, "--limit", "3", "--record", "r.jsonl")
    assert done.returncode == 0, done.stderr
    entries = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()[1:]]
    assert len(entries) == 6
    right = {kind: sum(e["right"] for e in entries if e["context"] == kind) for kind in (1, 0)}
    assert right[1] >= 2
    assert right[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["infill-single", "--data", "."], "There is no HumanEval-SingleLineInfilling.jsonl"),
        (["holes", ".", "--language", "java"], "No file of java lies in"),
        (["humaneval", "--data", ".", "--tries", "2"], "Several tries need a --temperature"),
        (["holes", SOURCES, "--server", "http://127.0.0.1:1"], "No llama-server is ready at"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = evaluate(tmp_path, *arguments)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_help_says_where_data_is_had(tmp_path: Path) -> None:
    for task in ("infill-random", "humaneval", "mbpp", "fix"):
        assert "github.com/openai/human-eval-infilling" in evaluate(tmp_path, task, "-h").stdout


class Infill(BaseHTTPRequestHandler):
    """Answers as llama-server does, and keeps what it was asked."""

    asked: list[tuple[str, dict[str, Any]]]

    def do_GET(self) -> None:
        self._send({"status": "ok"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, body))
        timings = {"prompt_n": 9, "prompt_ms": 5.0, "predicted_n": 3, "predicted_ms": 4.0}
        self._send({"content": "x", "timings": timings})

    def _send(self, answer: dict[str, Any]) -> None:
        said = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    asked: list[tuple[str, dict[str, Any]]] = []
    kind = type("Asked", (Infill,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
        thread.join()


async def test_llama_server_is_asked_as_llama_vim_does(
    server: tuple[str, list[tuple[str, dict[str, Any]]]],
) -> None:
    url, asked = server
    place = SAMPLES[0].hole().place((), "")
    async with filler("caret", Settings(), url) as writer:
        assert (await writer.fill(place)).text == "x"
    async with filler("raw", Settings(), url) as writer:
        await writer.fill(place)
    (infill, first), (completion, second) = asked
    assert (infill, completion) == ("/infill", "/completion")
    assert first["input_prefix"] + first["prompt"] == place.prefix
    assert first["input_prefix"].endswith("\n")
    assert first["input_suffix"] == place.suffix
    assert first["stop"] == []
    assert second["prompt"] == (
        f"<|fim_prefix|>{place.prefix}<|fim_suffix|>{place.suffix}<|fim_middle|>"
    )
