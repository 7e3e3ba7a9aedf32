"""llama-server, run and asked as llama.vim does."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import psutil

from engine import spawn
from engine.errors import CaretError

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from bench.peer import Peer

CONTEXT = 8192
"""Tokens: as many as Caret's engine has room for."""
_START_S = 180.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Timed:
    """An answer with the server's own clock."""

    text: str
    prompt_tokens: int
    """Evaluated; those in its cache do not count."""
    prompt_ms: float
    tokens: int
    """Generated."""
    decode_ms: float
    """For all but the first of them, which comes out of the prompt."""


class LlamaServer:
    """A running llama-server."""

    def __init__(self, http: httpx.AsyncClient, process: psutil.Process, ready_s: float) -> None:
        self._http, self.process = http, process
        self.ready_s = ready_s
        """From its start until it was ready."""

    async def infill(
        self, prefix: str, head: str, suffix: str, max_tokens: int, *, one_line: bool = True
    ) -> Timed:
        """What goes between the lines `prefix` + `head` and `suffix`, greedy, with its cache."""
        return await self._ask(
            "/infill",
            {
                "input_prefix": prefix,
                "prompt": head,
                "input_suffix": suffix,
                "stop": ["\n"] if one_line else [],
                "cache_prompt": True,
                "n_predict": max_tokens,
            },
        )

    async def follow(self, prompt: str, max_tokens: int, *, one_line: bool) -> Timed:
        """What the model writes after a prompt that may hold control tokens, greedy."""
        body = {"prompt": prompt, "cache_prompt": True, "n_predict": max_tokens}
        return await self._ask("/completion", body | {"stop": ["\n"] if one_line else []})

    async def write(self, prompt: str, max_tokens: int) -> Timed:
        """Continue `prompt`, greedy, without its cache, to the full length."""
        body = {"prompt": prompt, "cache_prompt": False, "n_predict": max_tokens}
        return await self._ask("/completion", body | {"ignore_eos": True})

    async def count_tokens(self, text: str) -> int:
        """Tokens of a text, by the server's own tokenizer."""
        told = await self._http.post("/tokenize", json={"content": text})
        return len(told.raise_for_status().json()["tokens"])

    async def _ask(self, path: str, body: Mapping[str, Any]) -> Timed:
        greedy = {"temperature": 0.0, "top_k": 1, "samplers": ["top_k"], "id_slot": 0}
        answer = await self._http.post(path, json={**body, **greedy, "stream": False})
        if answer.is_error:
            raise CaretError(f"llama-server refused a request: {answer.text.strip()[:200]}")
        told = answer.json()
        timings = told["timings"]
        return Timed(
            text=told["content"],
            prompt_tokens=timings["prompt_n"],
            prompt_ms=timings["prompt_ms"],
            tokens=timings["predicted_n"],
            decode_ms=timings["predicted_ms"],
        )


def flags(context: int = CONTEXT) -> list[str]:
    """As llama.vim recommends for completion, with as many threads as there are cores."""
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    sizes = ["-c", str(context), "-b", "1024", "-ub", "1024", "--cache-reuse", "256"]
    return [*sizes, "-t", str(cores), "-np", "1"]


@asynccontextmanager
async def llama_server(
    peer: Peer, model: Path, arguments: Sequence[str] | None = None
) -> AsyncIterator[LlamaServer]:
    """A server of the model, ready and ended afterwards.

    Raises:
        CaretError: it does not start.
    """
    port = _free_port()
    command = [str(peer.server), "-m", str(model.resolve()), *(arguments or flags())]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    # No proxy between us and loopback; one connection that stays, as a plugin's would.
    http = httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=False, timeout=600.0
    )
    with peer.environment() as environment, tempfile.TemporaryFile() as log:
        start = time.perf_counter()
        process = spawn.start(command, stdout=log, stderr=log, env=environment)
        try:
            async with http:
                await _until_ready(http, process, log.fileno())
                ready_s = time.perf_counter() - start
                yield LlamaServer(http, psutil.Process(process.pid), ready_s)
        finally:
            process.kill()
            process.wait()


@asynccontextmanager
async def attached(url: str) -> AsyncIterator[LlamaServer]:
    """A server that somebody else runs.

    Raises:
        CaretError: it does not answer.
    """
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=600.0) as http:
        try:
            (await http.get("/health")).raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CaretError(
                f"No llama-server is ready at {url} ({error}). Start one: llama-server -m FILE."
            ) from None
        yield LlamaServer(http, psutil.Process(), 0.0)


async def _until_ready(http: httpx.AsyncClient, process: subprocess.Popen[bytes], log: int) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise CaretError(f"llama-server does not start: {_last_words(log)}")
        try:
            if (await http.get("/health")).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(_POLL_S)
    raise CaretError(f"llama-server was not ready within {_START_S:.0f} s: {_last_words(log)}")


def _last_words(log: int) -> str:
    os.lseek(log, 0, os.SEEK_SET)
    said = os.read(log, 1 << 20).decode(errors="replace").strip().splitlines()
    errors = [line for line in said if "error" in line.lower()]
    return (errors or said or ["it said nothing"])[-1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
