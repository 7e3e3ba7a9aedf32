"""The facts about this machine and the choice that follows from them."""

from __future__ import annotations

import json
import subprocess
import sys

import torch

from engine import machine
from engine.doctor import choose
from engine.machine import Gpu
from engine.models import MODELS
from quant.formats import DEFAULT_FORMAT


def test_processor_agrees_with_torch() -> None:
    processor = machine.processor()
    assert processor.kernels == torch.backends.cpu.get_cpu_capability()
    assert processor.threads == torch.get_num_threads()
    assert processor.cores >= 1


def test_memory_is_measured() -> None:
    memory = machine.memory()
    assert 0 < memory.available <= memory.total
    assert memory.read_gbps is None or memory.read_gbps > 0


def test_gpus_are_those_of_torch() -> None:
    assert len(machine.gpus()) == torch.cuda.device_count()


def test_kernels_that_every_build_has() -> None:
    assert machine.kernels()["int8 packed (aten)"]


def test_versions_name_what_is_missing() -> None:
    assert machine.versions()["torch"] == torch.__version__


def test_default_model_where_there_is_room() -> None:
    choice = choose(8 * 10**9, [])
    assert (choice.model, choice.format, choice.device) == (
        "qwen2.5-coder-1.5b",
        DEFAULT_FORMAT,
        "cpu",
    )
    assert "8.0 GB" in choice.reason


def test_small_model_where_memory_is_short() -> None:
    choice = choose(3 * 10**9, [])
    assert choice.model == "qwen2.5-coder-0.5b"
    assert "only 3.0 GB" in choice.reason


def test_gpu_is_named_but_not_promised() -> None:
    choice = choose(32 * 10**9, [Gpu("NVIDIA T4", 16 * 10**9)])
    assert choice.device == "cpu"
    assert "NVIDIA T4 could hold codellama-7b" in choice.reason
    assert "T4" not in choose(32 * 10**9, [Gpu("NVIDIA T4", 4 * 10**9)]).reason


def test_choices_are_in_the_registry() -> None:
    assert {choose(size, []).model for size in (10**9, 10**11)} <= MODELS.keys()


def test_report_is_one_json_object() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "engine.doctor"], capture_output=True, text=True, check=True
    )
    report = json.loads(done.stdout)
    assert {"processor", "memory", "disk", "kernels", "versions", "choice"} <= report.keys()
    assert report["disk"]["free"] > 0
