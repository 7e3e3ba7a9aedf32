"""What this machine is, and which model Caret would run on it: `python -m engine.doctor`.

Prints one JSON object. A process of its own, so that whoever asks need not import torch.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import psutil

from engine import machine
from engine.checkpoint import open_checkpoint
from engine.errors import CaretError
from engine.load import size_of
from engine.models import DEFAULT_FIM, MODELS
from engine.network import Network, network
from engine.paths import log_dir, models_dir
from engine.planner import Machine, Plan, plan

if TYPE_CHECKING:
    from engine.machine import Gpu, Memory, Processor
    from engine.models import ModelEntry

_SMALL_MODEL = "qwen2.5-coder-0.5b"
_ROOMY = 4 * 10**9
"""Bytes available from which the default model leaves room for an editor and a browser."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The model for completion that suits this machine, and why."""

    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Disk:
    """Where models are kept."""

    folder: str
    free: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that `caret doctor` shows."""

    processor: Processor
    memory: Memory
    gpus: tuple[Gpu, ...]
    disk: Disk
    kernels: dict[str, bool]
    versions: dict[str, str | None]
    choice: Choice
    plan: Plan | None
    """How the engine would hold that model now; None where it is not on disk or does not fit."""
    refusal: str | None
    """Why there is no plan."""
    network: Network
    """Environment variables that decide how other servers are reached, and their faults."""
    logs: str
    """Folder of engine.log and lsp.log."""
    models: dict[str, int]
    """Registry models on disk: name to bytes."""


def examine() -> Report:
    """Look at everything; takes about as long as importing torch does."""
    memory, gpus = machine.memory(), machine.gpus()
    choice = choose(memory.available)
    planned, refusal = _planned(MODELS[choice.model])
    return Report(
        processor=machine.processor(),
        memory=memory,
        gpus=gpus,
        disk=Disk(str(models_dir()), psutil.disk_usage(str(models_dir())).free),
        kernels=machine.kernels(),
        versions=machine.versions(),
        choice=choice,
        plan=planned,
        refusal=refusal,
        network=network(),
        logs=str(log_dir()),
        models={
            entry.name: entry.path.stat().st_size
            for entry in MODELS.values()
            if entry.path.is_file()
        },
    )


def choose(available: int) -> Choice:
    """The model for a machine with `available` bytes of RAM."""
    room = f"{available / 1e9:.1f} GB of memory are available"
    if available < _ROOMY:
        reason = f"only {room}, too little for {DEFAULT_FIM} beside your other programs"
        return Choice(_SMALL_MODEL, reason)
    return Choice(
        DEFAULT_FIM, f"{room}, and of the models that type along on a CPU it writes the best code"
    )


def _planned(entry: ModelEntry) -> tuple[Plan | None, str | None]:
    """The plan for a model, or why there is none."""
    if not entry.path.exists():
        return None, f"{entry.name} is not on this machine"
    try:
        checkpoint = open_checkpoint(entry.path)
        if checkpoint.config is None:
            return None, f"{entry.name} runs through transformers"
        return plan(size_of(entry.name, checkpoint), Machine.here()), None
    except CaretError as error:
        return None, str(error)


def main() -> None:
    """Write the report to standard output as JSON."""
    json.dump(asdict(examine()), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
