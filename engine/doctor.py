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
from engine.models import DEFAULT_FIM, MODELS
from engine.paths import log_dir, models_dir
from quant.formats import DEFAULT_FORMAT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.machine import Gpu, Memory, Processor

_SMALL_MODEL = "qwen2.5-coder-0.5b"
_ROOMY = 4 * 10**9
"""Bytes available from which the default model leaves room for an editor and a browser."""
_CAPABLE_GPU = 8 * 10**9
"""Bytes of a GPU that hold Code Llama 7B in NF4 and its KV cache."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The model for completion that suits this machine, and why."""

    model: str
    format: str
    device: str
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
    logs: str
    """Folder of engine.log and lsp.log."""
    models: dict[str, int]
    """Registry models on disk: name to bytes."""


def examine() -> Report:
    """Look at everything; takes about as long as importing torch does."""
    memory, gpus = machine.memory(), machine.gpus()
    return Report(
        processor=machine.processor(),
        memory=memory,
        gpus=gpus,
        disk=Disk(str(models_dir()), psutil.disk_usage(str(models_dir())).free),
        kernels=machine.kernels(),
        versions=machine.versions(),
        choice=choose(memory.available, gpus),
        logs=str(log_dir()),
        models={
            entry.name: entry.path.stat().st_size
            for entry in MODELS.values()
            if entry.path.is_file()
        },
    )


def choose(available: int, gpus: Sequence[Gpu]) -> Choice:
    """The model and format for a machine with `available` bytes of RAM and these GPUs."""
    room = f"{available / 1e9:.1f} GB of memory are available"
    if available < _ROOMY:
        reason = f"only {room}, too little for {DEFAULT_FIM} beside your other programs"
        return Choice(_SMALL_MODEL, DEFAULT_FORMAT, "cpu", reason)
    reason = f"{room}, and of the models that type along on a CPU it writes the best code"
    capable = [gpu for gpu in gpus if gpu.memory >= _CAPABLE_GPU]
    if capable:
        reason += f"; {capable[0].name} could hold codellama-7b, but Caret does not use GPUs yet"
    return Choice(DEFAULT_FIM, DEFAULT_FORMAT, "cpu", reason)


def main() -> None:
    """Write the report to standard output as JSON."""
    json.dump(asdict(examine()), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
