"""What the double of test_bench_peer.py stands for: the real llama-server."""

from __future__ import annotations

from pathlib import Path

from bench.llama_server import flags, llama_server
from bench.llama_vim import LlamaVimDocument
from bench.peer import find_peer
from bench.random_model import Shape, write_random_model
from bench.sites import Site


async def test_llama_vim_asks_the_real_server(qwen_small_path: Path) -> None:
    peer = find_peer(None)
    assert peer.version()
    place = Site(Path("a.py"), 1, "def add(a, b):\n    ", "return a + b", "\n\nprint(add(1, 2))\n")
    async with llama_server(peer, qwen_small_path) as server:
        document = LlamaVimDocument(server, place)
        at = len(place.before)
        suggestion = await document.suggestion(at)
        assert suggestion.startswith("return")
        assert "\n" not in suggestion
        cost = await document.cost()
        assert cost.calls == 1
        assert cost.evaluated is not None
        assert 10 < cost.evaluated < 100
        await document.insert(at, suggestion[0])
        assert await document.suggestion(at + 1) == suggestion[1:]
        assert (await document.cost()).calls == 0


async def test_real_server_writes_to_the_full_length(smollm2_path: Path) -> None:
    async with llama_server(find_peer(None), smollm2_path) as server:
        answer = await server.write("The capital of France is", 5)
        assert answer.tokens == 5
        assert answer.prompt_tokens == await server.count_tokens("The capital of France is")
        assert answer.prompt_ms > 0
        assert answer.decode_ms > 0


async def test_real_server_runs_random_weights(tmp_path: Path) -> None:
    path = tmp_path / "random.gguf"
    shape = Shape(layers=1, hidden=256, heads=2, inner=512, vocabulary=600)
    write_random_model(path, shape, lambda _: None)
    async with llama_server(find_peer(None), path, flags(512)) as server:
        assert (await server.write("f(x)", 3)).tokens == 3
        assert await server.count_tokens("f(x)") == len("▁f(x)".encode())
