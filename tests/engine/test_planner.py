"""What is planned for machines that are not here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench.weights import held
from engine.checkpoint import open_checkpoint
from engine.errors import OutOfMemory, RequestError
from engine.load import build_decoder
from engine.models import MODELS
from engine.planner import MIXED, Machine, Size, Wish, plan
from quant.formats import FORMATS
from tests.tiny import CONFIG

if TYPE_CHECKING:
    from pathlib import Path

GB = 1 << 30
QWEN = replace(  # Qwen2.5-Coder 1.5B
    CONFIG,
    vocab_size=151936,
    hidden_size=1536,
    intermediate_size=8960,
    layers=28,
    heads=12,
    kv_heads=2,
    head_dim=128,
)
CODE_LLAMA = replace(
    CONFIG,
    vocab_size=32016,
    hidden_size=4096,
    intermediate_size=11008,
    layers=32,
    heads=32,
    kv_heads=32,
    head_dim=128,
    tied_embeddings=False,
)


SMALL = Size.of("qwen2.5-coder-1.5b", QWEN, 1_117_000_000)
LARGE = Size.of("codellama-7b", CODE_LLAMA, 13_500_000_000)
CPU = Machine(16 * GB)
BARE = replace(CPU, kernels=False)
T4 = replace(CPU, gpu=15 * GB)

CASES = [
    # model, machine, wish, expected device and format
    (SMALL, CPU, Wish(), "cpu", MIXED),
    (SMALL, replace(CPU, bf16=True), Wish(), "cpu", MIXED),
    (SMALL, BARE, Wish(), "cpu", "int8"),
    (SMALL, T4, Wish(), "cuda", "nf4"),
    (SMALL, T4, Wish(device="cpu"), "cpu", MIXED),
    (SMALL, T4, Wish("llm-int8"), "cuda", "llm-int8"),
    (SMALL, T4, Wish("bfloat16"), "cuda", "bfloat16"),
    (SMALL, T4, Wish("int8"), "cpu", "int8"),
    (SMALL, T4, Wish("bfloat16", "cpu"), "cpu", "bfloat16"),
    (SMALL, replace(T4, gpu=GB), Wish(), "cpu", MIXED),
    (SMALL, CPU, Wish("nf4"), "cpu", "nf4"),
    (LARGE, CPU, Wish(), "cpu", MIXED),
    (LARGE, replace(CPU, free=6 * GB), Wish(), "cpu", "int4"),
    (LARGE, replace(BARE, free=6 * GB, bf16=True), Wish(), "cpu", "nf4"),
    (LARGE, T4, Wish(), "cuda", "nf4"),
    (LARGE, replace(T4, gpu=4 * GB), Wish(), "cpu", MIXED),
]


@pytest.mark.parametrize(("size", "machine", "wish", "device", "name"), CASES)
def test_plan(size: Size, machine: Machine, wish: Wish, device: str, name: str) -> None:
    made = plan(size, machine, wish)
    assert (made.device, made.format) == (device, name)
    assert made.reason
    assert made.weights + made.caches == machine.room(made.device)


REFUSALS = [
    (LARGE, replace(CPU, free=3 * GB), Wish(), OutOfMemory, r"codellama-7b needs 4\.9 GB as int4"),
    (
        LARGE,
        replace(CPU, free=3 * GB),
        Wish(),
        OutOfMemory,
        r"3\.0 GB are free\. Use [\w.-]+ or cl",
    ),
    (SMALL, replace(CPU, free=GB), Wish(), OutOfMemory, r"Use qwen2\.5-coder-0\.5b or close"),
    (SMALL, replace(CPU, free=GB // 9), Wish(), OutOfMemory, r"are free\. Please close"),
    (SMALL, replace(CPU, free=GB, limited=True), Wish(), OutOfMemory, r"raise caret\.engine\.mem"),
    (SMALL, replace(CPU, free=2 * GB), Wish("float32"), OutOfMemory, "needs 5.9 GB as float32"),
    (LARGE, replace(T4, gpu=GB), Wish(device="cuda"), OutOfMemory, "--device cpu"),
    (SMALL, CPU, Wish("llm-int8"), RequestError, "llm-int8 runs on cuda; this machine has cpu"),
    (SMALL, T4, Wish("int8", "cuda"), RequestError, "and cuda was asked for"),
    (SMALL, CPU, Wish(device="cuda"), RequestError, "no CUDA device"),
    (SMALL, CPU, Wish("int3"), RequestError, "no format int3. Use one of float32"),
]


@pytest.mark.parametrize(("size", "machine", "wish", "kind", "words"), REFUSALS)
def test_refusal(
    size: Size, machine: Machine, wish: Wish, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        plan(size, machine, wish)


def test_a_model_that_is_proposed_instead_would_fit() -> None:
    machine = replace(CPU, free=3 * GB)
    with pytest.raises(OutOfMemory) as refusal:
        plan(LARGE, machine)
    proposed = str(refusal.value).split("Use ")[1].split(" or ")[0]
    assert "infill" in MODELS[proposed].abilities
    assert (MODELS[proposed].parameters or 0) * 5 / 8 < machine.free


def test_sizes_are_those_of_the_models() -> None:
    assert LARGE.matrices + LARGE.table == pytest.approx(MODELS[LARGE.name].parameters, rel=0.01)
    assert LARGE.stored_bits == pytest.approx(16, rel=0.01)
    assert LARGE.position * 2 == 512 * 1024  # half a megabyte a token in half precision


@pytest.mark.parametrize("name", ["int8", "int4", "nf4", "bfloat16", MIXED])
def test_planned_bytes_are_those_taken(name: str, smollm2_path: Path) -> None:
    checkpoint = open_checkpoint(smollm2_path)
    assert checkpoint.config is not None
    planned = Size.of("", checkpoint.config, checkpoint.source.nbytes).packed(name)
    model = build_decoder(checkpoint.config, checkpoint.source, FORMATS[name], lambda *_: None)
    assert planned == pytest.approx(held(model), rel=0.15)


@pytest.mark.parametrize("name", ["int8", "nf4", MIXED])
def test_planned_positions_take_what_a_cache_takes(name: str, smollm2_path: Path) -> None:
    checkpoint = open_checkpoint(smollm2_path)
    assert checkpoint.config is not None
    made = plan(Size.of("", checkpoint.config, 10**8), Machine.here(), Wish(name, "cpu"))
    model = build_decoder(checkpoint.config, checkpoint.source, FORMATS[name], lambda *_: None)
    assert made.position == model.new_cache(1).position_bytes


def test_what_is_packed_already_takes_what_it_takes_on_disk() -> None:
    tight = replace(CPU, free=int(1.9 * GB))
    assert plan(SMALL, tight).format == "int4"  # no room to pack the head
    size = replace(SMALL, kept={MIXED: SMALL.packed(MIXED) + 5})
    made = plan(size, tight)
    assert (made.format, made.weights) == (MIXED, SMALL.packed(MIXED) + 5)


def test_a_refusal_says_how_many_bytes_are_missing() -> None:
    machine = replace(CPU, free=GB)
    with pytest.raises(OutOfMemory) as refusal:
        plan(SMALL, machine)
    missing = refusal.value.missing
    assert plan(SMALL, replace(machine, free=GB + missing)).format == "int4"
    with pytest.raises(OutOfMemory):
        plan(SMALL, replace(machine, free=GB + missing - 1))
