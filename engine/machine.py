"""Facts about this machine that decide which model runs here and how fast. Imports torch."""

from __future__ import annotations

import importlib.metadata
import time
from dataclasses import dataclass

import psutil
import torch

from engine import limits

_FEATURES = {
    "AVX2": "avx2",
    "AVX-512": "avx512_f",
    "AVX-512 VNNI": "avx512_vnni",
    "AVX-512 BF16": "avx512_bf16",
    "AVX-VNNI": "avx_vnni",
    "AMX int8": "amx_int8",
    "AMX bf16": "amx_bf16",
}
_PACKAGES = (
    "caret-lsp",
    "torch",
    "transformers",
    "tokenizers",
    "sentencepiece",
    "bitsandbytes",
    "pygls",
)
_PROBE_BYTES = 128 << 20
"""Far more than a cache holds, so that reading it is reading memory."""
_PROBE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Processor:
    """The CPU, as torch sees it."""

    name: str
    cores: int
    threads: int
    """Number of threads that the engine computes with by default."""
    usable: int
    """Processors that this process may use: a container's quota, or fewer than there are."""
    features: dict[str, bool]
    """Instruction sets that a kernel may want; empty where torch cannot tell."""
    kernels: str
    """Instruction set that torch's own kernels were chosen for, such as "AVX2"."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of RAM, and how fast they are read."""

    total: int
    available: int
    limited: bool
    """True if a container has less memory than the machine."""
    read_gbps: float | None
    """10^9 bytes a second; None where there was no room to measure."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One CUDA device."""

    name: str
    memory: int
    """Bytes."""


def processor() -> Processor:
    """The CPU and its instruction sets."""
    capabilities = torch.cpu.get_capabilities()
    features = {
        label: bool(capabilities[key]) for label, key in _FEATURES.items() if key in capabilities
    }
    return Processor(
        name=str(capabilities.get("cpu_name", "unknown")),
        cores=psutil.cpu_count(logical=False) or psutil.cpu_count() or 1,
        usable=limits.processors(),
        threads=min(torch.get_num_threads(), limits.processors()),
        features=features,
        kernels=torch.backends.cpu.get_cpu_capability(),
    )


def memory() -> Memory:
    """How much there is, and how fast a large tensor is read: what bounds a decoded token."""
    facts = limits.memory()
    speed = _read_speed(facts.available)
    return Memory(facts.total, facts.available, facts.limited, speed)


def _read_speed(available: int) -> float | None:
    if available < 4 * _PROBE_BYTES:
        return None
    probe = torch.ones(_PROBE_BYTES // 4)
    best = float("inf")
    deadline = time.perf_counter() + _PROBE_SECONDS
    while time.perf_counter() < deadline:
        start = time.perf_counter()
        probe.sum()
        best = min(best, time.perf_counter() - start)
    return round(_PROBE_BYTES / best / 1e9, 1)


def gpus() -> tuple[Gpu, ...]:
    """CUDA devices; none on a CPU build of torch."""
    if not torch.cuda.is_available():
        return ()
    properties = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    return tuple(Gpu(device.name, device.total_memory) for device in properties)


def kernels() -> dict[str, bool]:
    """Fast matrix kernels by name, and whether they run here."""
    engines = torch.backends.quantized.supported_engines
    return {
        "int8 linear (x86)": "x86" in engines,
        "int8 linear (oneDNN)": "onednn" in engines,
        "int8 packed (aten)": hasattr(torch, "_weight_int8pack_mm"),
        "int4 packed (aten)": hasattr(torch.ops.aten, "_weight_int4pack_mm_for_cpu"),
        "bf16 matmul (oneDNN)": torch.ops.mkldnn._is_mkldnn_bf16_supported(),
    }


def versions() -> dict[str, str | None]:
    """Installed versions of what matters in a bug report; None for what is not installed."""
    return {name: _version(name) for name in _PACKAGES}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
