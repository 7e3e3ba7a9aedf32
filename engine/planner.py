"""Which device and format a model is held in, and what fits beside it, decided before it is read.

`plan` is a pure function; `Machine.here` and `Size.of` look at the real things.

On a processor one packed form serves decode and prefill alike: our integer kernels unpack a tile
of weights once for all rows, so another form for many rows would double the memory and save
nothing. On CUDA bitsandbytes' kernel reads NF4 for few rows and for many.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Literal

import psutil
import torch

from engine import limits
from engine.errors import OutOfMemory, RequestError
from engine.models import MODELS
from quant.bnb import has_cpu_kernel
from quant.formats import FORMATS
from quant.forward import BLOCK, cache_shapes
from quant.packed import KERNELS
from quant.torch_int8 import TorchInt8Embedding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from engine.api import Ability
    from engine.config import DecoderConfig

Device = Literal["cpu", "cuda"]

MIXED = "native"
"""The format in which a matrix has about as many bits as in its file."""
RESERVE = 1 << 30
"""Bytes left to the editor and everything else when the user sets no limit."""
WINDOW = 2048
"""Positions without whose keys and values a model is of no use: one completion's."""
_FLOAT, _HALF = 4, 2
"""Bytes of a number."""
_MIXED_OVERHEAD = 1.12
"""What a mixed format takes of what the file does: 5 bits for Q4_0's 4.5."""


@dataclass(frozen=True, slots=True)
class Size:
    """What of a model takes memory; counts of numbers."""

    name: str
    matrices: int
    """In all matrices that are multiplied by, the head included."""
    table: int
    """In the embedding."""
    tied: bool
    """The embedding is the head."""
    largest: int
    """In the largest matrix, which is there as float32 while it is packed."""
    position: int
    """Keys and values of one position, in all layers."""
    stored_bits: float
    """Bits a weight in the file."""
    kept: Mapping[str, int] = field(default_factory=dict)
    """Bytes of the packed weights that are on disk, by format."""

    @classmethod
    def of(cls, name: str, config: DecoderConfig, nbytes: int) -> Size:
        """The size of a model whose tensors take `nbytes` on disk."""
        hidden, inner = config.hidden_size, config.intermediate_size
        wide = config.heads * config.head_dim
        qkv = hidden * (wide + 2 * config.kv_heads * config.head_dim)
        up = hidden * inner * (2 if config.activation == "swiglu" else 1)
        table = config.vocab_size * hidden
        matrices = config.layers * (qkv + wide * hidden + up + inner * hidden) + table
        stored = matrices + (0 if config.tied_embeddings else table)
        block = cache_shapes(config.layers, config.kv_heads, 1, config.head_dim)
        return cls(
            name,
            matrices,
            table,
            config.tied_embeddings,
            max(qkv, up, table),
            sum(map(prod, block)) // BLOCK,
            8 * nbytes / stored,
        )

    def packed(self, name: str) -> int:
        """Bytes that the weights take in a format; an estimate within a seventh if not `kept`."""
        if name in self.kept:
            return self.kept[name]
        chosen = FORMATS[name]
        bits = chosen.bits_per_weight
        if name == MIXED:
            bits = min(bits, self.stored_bits * _MIXED_OVERHEAD)
        table = 0 if self.tied else bits  # rows of the head
        if chosen.embedding is TorchInt8Embedding:
            table = 8
        return int(self.matrices * bits + self.table * table) // 8


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to hold a model with."""

    free: int
    """Bytes of memory that the engine may still take."""
    limited: bool = False
    """They are what the user's limit leaves, not what the machine does."""
    kernels: bool = True
    """Our integer kernels were compiled."""
    bf16: bool = False
    """bitsandbytes' kernel for NF4 runs on the processor."""
    gpu: int = 0
    """Bytes free on the GPU; 0: there is none."""

    @classmethod
    def here(cls, limit: int | None = None) -> Machine:
        """This machine now; `limit`: bytes that the engine may use in all."""
        memory = limits.memory()
        free = memory.available - RESERVE
        if limit is not None:
            free = limit - psutil.Process().memory_info().rss
            free = min(free, memory.available) if memory.limited else free
        gpu = torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else 0
        return cls(max(free, 0), limit is not None, bool(KERNELS), has_cpu_kernel(), gpu)

    def room(self, device: Device) -> int:
        """Bytes for weights and caches on a device."""
        return self.gpu if device == "cuda" else self.free


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user has settled."""

    format: str = ""
    """A name in `quant.formats.FORMATS`; empty: whatever suits."""
    device: Device | Literal["auto"] = "auto"
    ability: Ability = "infill"
    """What the model is wanted for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is held."""

    device: Device
    format: str
    weights: int
    """Bytes."""
    position: int
    """Bytes of keys and values for a position."""
    caches: int
    """Bytes beside the weights, for cached sequences."""
    reason: str

    @property
    def positions(self) -> int:
        """Positions of cached sequences that fit beside the weights."""
        return self.caches // self.position


def plan(size: Size, machine: Machine, wish: Wish | None = None) -> Plan:
    """The best way to hold a model that fits.

    Raises:
        RequestError: The wish is for a format or a device that is not to be had here.
        OutOfMemory: Nothing fits; the message says what would.
    """
    wish = wish or Wish()
    made = [_plan(size, machine, *way) for way in _ways(machine, wish)]
    missing = [_needed(size, each) - machine.room(each.device) for each in made]
    for candidate, lacks in zip(made, missing, strict=True):
        if lacks <= 0:
            return candidate
    least = min(missing)
    closest = made[missing.index(least)]
    raise OutOfMemory(_refusal(size, machine, closest, wish.ability), least)


def _plan(size: Size, machine: Machine, device: Device, name: str, reason: str) -> Plan:
    weights = size.packed(name)
    caches = max(machine.room(device) - weights, 0)
    # torch's passes on a processor are in float32; those on CUDA and in our C keep halves.
    halves = device == "cuda" or (machine.kernels and FORMATS[name].storable)
    position = size.position * (_HALF if halves else _FLOAT)
    return Plan(device, name, weights, position, caches, reason)


def _needed(size: Size, made: Plan) -> int:
    """Bytes at the worst moment: while the last matrix is packed, or with one window cached."""
    packs = made.format not in size.kept and FORMATS[made.format].bits_per_weight < 32
    packing = size.largest * _FLOAT if packs else 0
    return made.weights + max(packing, WINDOW * made.position)


def _ways(machine: Machine, wish: Wish) -> list[tuple[Device, str, str]]:
    """Devices and formats to try, the best first, each with its reason."""
    if wish.format:
        return _wished(machine, wish)
    ways = list(_suitable(machine))
    if wish.device == "cuda" and not machine.gpu:
        raise RequestError("torch finds no CUDA device here. Use --device cpu.")
    return [way for way in ways if wish.device in ("auto", way[0])]


def _suitable(machine: Machine) -> Iterator[tuple[Device, str, str]]:
    if machine.gpu:
        yield "cuda", "nf4", "a token costs reading the weights, and these are the fewest bytes"
    if machine.kernels:
        yield "cpu", MIXED, "every matrix keeps about the bits that its file has"
        yield "cpu", "int4", "memory is short, so every matrix has 4 bits"
        return
    yield "cpu", "int8", "Caret's kernels are not compiled here, and torch's are for 8 bits"
    if machine.bf16:
        yield "cpu", "nf4", "memory is short and bitsandbytes has a kernel for this processor"


def _wished(machine: Machine, wish: Wish) -> list[tuple[Device, str, str]]:
    chosen = FORMATS.get(wish.format)
    if chosen is None:
        raise RequestError(f"There is no format {wish.format}. Use one of {', '.join(FORMATS)}.")
    here: list[Device] = ["cuda", "cpu"] if machine.gpu else ["cpu"]
    devices = [each for each in here if each in chosen.devices and wish.device in ("auto", each)]
    if not devices:
        where = " or ".join(chosen.devices)
        there = f"this machine has {' and '.join(here)}"
        asked = "" if wish.device == "auto" else f" and {wish.device} was asked for"
        raise RequestError(f"{wish.format} runs on {where}; {there}{asked}. Use another format.")
    return [(device, wish.format, "it was asked for") for device in devices]


def _refusal(size: Size, machine: Machine, closest: Plan, ability: Ability) -> str:
    room, device = machine.room(closest.device), closest.device
    free = f"{_gb(room)} are {'left of its limit' if machine.limited else 'free'}"
    needs = f"{size.name} needs {_gb(_needed(size, closest))} as {closest.format}, and {free}"
    bits = FORMATS[closest.format].bits_per_weight
    other = _that_fits(size, room, bits, ability)
    more = "raise caret.engine.memory" if machine.limited else "close other programs"
    if device == "cuda":
        more = "use --device cpu"
    return f"{needs}. Use {other} or {more}." if other else f"{needs}. Please {more}."


def _that_fits(size: Size, room: int, bits: float, ability: Ability) -> str | None:
    """The largest model of the registry for an ability that would fit, with a tenth to spare."""
    sizes = {e.name: e.parameters or 0 for e in MODELS.values() if ability in e.abilities}
    smaller = {n: count for n, count in sizes.items() if n != size.name and count < size.matrices}
    fitting = {n: c for n, c in smaller.items() if 1.1 * c * bits / 8 + RESERVE / 4 <= room}
    return max(fitting, key=lambda name: fitting[name], default=None)


def _gb(size: int) -> str:
    return f"{size / 2**30:.1f} GB"
