"""What decoding one token has to read: the least time it can take on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from gguf import GGUFReader
from torch import ScriptObject, Tensor, ops

from engine.checkpoint import open_checkpoint
from engine.load import build_decoder, size_of
from engine.machine import memory
from engine.planner import Machine, plan
from quant.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import nn

EMBEDDING = "token_embd.weight"
"""Of which a token reads one row; without a head of its own, the model reads it all as its head."""
HEAD = "output.weight"


@dataclass(frozen=True, slots=True)
class Reading:
    """Bytes that one token reads, and how fast this machine reads them."""

    ours: int
    """Packed weights, as Caret holds them; keys and values not counted."""
    file: int
    """The same of the file, as llama.cpp maps it."""
    gigabytes_per_second: float | None
    """Of a plain sum over memory far larger than the caches; None where there is no room."""

    def share(self, weights: int, ms: float | None) -> float | None:
        """Percent of the machine's read speed that a token of so many milliseconds reaches."""
        if ms is None or self.gigabytes_per_second is None:
            return None
        return 100 * (weights / 1e6 / ms) / self.gigabytes_per_second


def reading(model: Path, report: Callable[[int, int], None]) -> Reading:
    """Load the model as the engine does, count, and let go of it again."""
    checkpoint = open_checkpoint(model)
    assert checkpoint.config is not None
    made = plan(size_of(model.stem, checkpoint), Machine.here())
    decoder = build_decoder(checkpoint.config, checkpoint.source, FORMATS[made.format], report)
    # A token reads one row of the embedding, which may be the head in another role.
    ours = held(decoder.blocks, decoder.norm, decoder.head)
    del decoder
    return Reading(ours, file_bytes(model), memory().read_gbps)


def held(*modules: nn.Module) -> int:
    """Bytes of all tensors in some modules, buffers or not: formats keep them as they like."""
    parts = [part for module in modules for part in module.modules()]
    kept = chain.from_iterable(
        (*vars(part).values(), *part.buffers(), *part.parameters()) for part in parts
    )
    found: dict[int, int] = {}
    for value in kept:
        if isinstance(value, ScriptObject):  # torch's own packed weights
            found[id(value)] = ops.quantized.linear_unpack(value)[0].nbytes
        elif isinstance(value, Tensor):
            found[value.data_ptr()] = value.nbytes
    return sum(found.values())


def file_bytes(model: Path) -> int:
    """Bytes of a GGUF file's weights that one token reads."""
    sizes = {tensor.name: int(tensor.n_bytes) for tensor in GGUFReader(model).tensors}
    return sum(sizes.values()) - (sizes.get(EMBEDDING, 0) if HEAD in sizes else 0)
