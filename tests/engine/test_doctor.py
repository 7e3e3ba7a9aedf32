"""The facts about this machine and the choice that follows from them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import torch

from engine import doctor, machine
from engine.doctor import choose
from engine.models import MODELS, find

if TYPE_CHECKING:
    from pathlib import Path


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
    choice = choose(8 * 10**9)
    assert choice.model == "qwen2.5-coder-1.5b"
    assert "8.0 GB" in choice.reason


def test_small_model_where_memory_is_short() -> None:
    choice = choose(3 * 10**9)
    assert choice.model == "qwen2.5-coder-0.5b"
    assert "only 3.0 GB" in choice.reason


def test_choices_are_in_the_registry() -> None:
    assert {choose(size).model for size in (10**9, 10**11)} <= MODELS.keys()


def test_plan_of_a_model_on_disk(smollm2_path: Path) -> None:
    made, refusal = doctor._planned(MODELS["smollm2-135m"])
    assert smollm2_path.exists()
    assert refusal is None
    assert made is not None
    assert made.weights < 2e8


def test_no_plan_for_a_model_that_is_not_there() -> None:
    assert doctor._planned(find("codellama/CodeLlama-7b-hf:none.gguf")) == (
        None,
        "codellama/CodeLlama-7b-hf:none.gguf is not on this machine",
    )


def test_report_is_one_json_object() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "engine.doctor"], capture_output=True, text=True, check=True
    )
    report = json.loads(done.stdout)
    assert {"processor", "memory", "disk", "kernels", "versions", "choice", "plan"} <= report.keys()
    assert report["disk"]["free"] > 0
