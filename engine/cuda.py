"""Passes in static shapes over a decoder's own blocks, which CUDA replays as graphs.

Decoding a token launches hundreds of kernels, and on a GPU the launches take longer than the
kernels. A CUDA graph launches them at once, but holds their shapes and addresses fixed. So keys
and values stay where they are, positions are a tensor, and attention sees all the room of the
cache through a mask. The room doubles with the sequence, and takes the graphs with it.

The same passes run without graphs on a processor, where they are tested; there they are slower than
`Decoder.forward`, since attention sees room that is not used yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, cast

import torch

from engine.decoder import Norm, Step
from engine.kvcache import KvCache

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from torch import Tensor

    from engine.config import DecoderConfig
    from engine.decoder import Decoder
    from engine.kvcache import Cache
    from quant.source import TensorSource

GRAPH_ROWS = 16
"""A pass of so many tokens or fewer is replayed: decoding, and checking a draft."""
_WARM_UPS = 2
"""Passes before one is captured: kernels and memory are chosen in them."""


class OnDevice:
    """Tensors of another source, loaded to a device, where formats then pack them."""

    def __init__(self, source: TensorSource, device: str) -> None:
        self._source, self._device = source, device

    @property
    def nbytes(self) -> int:
        """See `TensorSource.nbytes`."""
        return self._source.nbytes

    def names(self) -> Collection[str]:
        """See `TensorSource.names`."""
        return self._source.names()

    def shape(self, name: str) -> tuple[int, ...]:
        """See `TensorSource.shape`."""
        return self._source.shape(name)

    def load(self, name: str) -> Tensor:
        """See `TensorSource.load`."""
        return self._source.load(name).to(self._device)

    def stored(self, name: str) -> None:
        """None: what formats keep of a file's blocks is multiplied by processors."""


class StaticCache(KvCache):
    """A KvCache whose tensors keep their addresses until there is more room."""

    def __init__(
        self, config: DecoderConfig, capacity: int, dtype: torch.dtype, device: torch.device
    ) -> None:
        super().__init__(config, capacity, dtype)
        self.keys, self.values = self.keys.to(device), self.values.to(device)
        self.positions = torch.empty(0, dtype=torch.long, device=device)
        """Of the rows that the pass under way writes."""
        self.graphs: dict[int, Graph] = {}
        """By rows; valid for the room there is."""

    @property
    def room(self) -> int:
        """Positions that there is memory for."""
        return self.keys.shape[2]

    def reserve(self, rows: int) -> None:
        """As `KvCache.reserve`; what is masked is zero, since 0 · NaN is NaN."""
        room = self.room
        super().reserve(rows)
        if self.room != room:
            self.keys[:, :, self.length :].zero_()
            self.values[:, :, self.length :].zero_()
            self.graphs = {}

    def fork(self, length: int) -> Self:
        """As `KvCache.fork`; a graph writes where it was captured, so the copy begins with none."""
        copied = super().fork(length)
        copied.graphs = {}
        return copied

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Store one layer's rows [kv_heads, n, head_dim] at `positions`; returns all the room."""
        self.keys[layer].index_copy_(1, self.positions, keys)
        self.values[layer].index_copy_(1, self.positions, values)
        return self.keys[layer], self.values[layer]


class _StaticStep(Step):
    """What `Step` is, with positions that are read when the pass runs, not when it is made."""

    def __init__(self, model: StaticDecoder, cache: StaticCache) -> None:
        self.cache = cache
        angles = torch.outer(cache.positions / model.rope_scale, model.frequency)[:, None]
        self.cos, self.sin = angles.cos() * model.rope_gain, angles.sin() * model.rope_gain
        seen = torch.arange(cache.room, device=model.device) <= cache.positions[:, None]
        self.mask = seen.repeat(model.groups, 1)


class StaticDecoder:
    """A decoder on `device`; see `engine.kvcache.CausalLM`. Its weights must lie there already."""

    def __init__(self, decoder: Decoder, device: str, *, graphs: bool) -> None:
        """Compute in bfloat16 on CUDA, in float32 elsewhere.

        `graphs`: on CUDA, for formats whose shapes do not depend on values; LLM.int8's do.
        """
        self._decoder, self._graphs = decoder, graphs
        self.device = torch.device(device)
        self.dtype = torch.bfloat16 if self.device.type == "cuda" else torch.float32
        self.vocab_size, self.context_length = decoder.vocab_size, decoder.context_length
        self.groups = decoder.groups
        self.rope_scale, self.rope_gain = decoder.rotary.scale, decoder.rotary.gain
        self.frequency = decoder.rotary.frequency.to(self.device)
        for module in decoder.modules():
            if isinstance(module, Norm):
                module.weight = module.weight.to(self.dtype)
                module.bias = None if module.bias is None else module.bias.to(self.dtype)

    def new_cache(self, capacity: int) -> StaticCache:
        """An empty cache with room for `capacity` positions."""
        capacity = min(capacity, self.context_length)
        return StaticCache(self._decoder.config, capacity, self.dtype, self.device)

    def interrupt(self) -> None:
        """Passes on a GPU are over in milliseconds."""

    @torch.inference_mode()
    def forward(
        self, tokens: Tensor, cache: Cache, last: int = 1, *, yields: bool = False
    ) -> Tensor:
        """See `engine.kvcache.CausalLM`; the logits are in main memory, where sampling happens."""
        del yields
        cache = cast("StaticCache", cache)
        rows = len(tokens)
        cache.reserve(rows)
        tokens = tokens.to(self.device)
        positions = torch.arange(cache.length, cache.length + rows, device=self.device)
        if self._graphs and rows <= GRAPH_ROWS:
            logits = self._replayed(tokens, positions, cache)[-last:]
        else:
            logits = self.eager(tokens, positions, cache, last)
        cache.length += rows
        return logits.float().cpu()

    def eager(self, tokens: Tensor, positions: Tensor, cache: StaticCache, last: int) -> Tensor:
        """One pass, launched kernel by kernel; logits [last, vocab]. Reads no tensor's value."""
        cache.positions = positions
        step = _StaticStep(self, cache)
        x = self._decoder.embedding(tokens).to(self.dtype)
        for layer, block in enumerate(self._decoder.blocks):
            x = block(x, layer, step)
        logits: Tensor = self._decoder.head(self._decoder.norm(x[-last:]))
        return logits

    def _replayed(self, tokens: Tensor, positions: Tensor, cache: StaticCache) -> Tensor:
        rows = len(tokens)
        if rows not in cache.graphs:

            def run(tokens: Tensor, positions: Tensor) -> Tensor:
                return self.eager(tokens, positions, cache, rows)

            cache.graphs[rows] = Graph(run, tokens, positions)
        return cache.graphs[rows].replay(tokens, positions)


class Graph:
    """One pass for a number of rows over one cache, captured; replaying it is one launch."""

    def __init__(
        self, run: Callable[[Tensor, Tensor], Tensor], tokens: Tensor, positions: Tensor
    ) -> None:
        """Capture `run`; it may run several times, as writing the same positions again may."""
        self._tokens, self._positions = tokens.clone(), positions.clone()
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch's own
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(_WARM_UPS):
                run(self._tokens, self._positions)
        torch.cuda.current_stream().wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._logits = run(self._tokens, self._positions)

    def replay(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """Logits [rows, vocab] of other tokens at other positions, overwritten by the next."""
        self._tokens.copy_(tokens)
        self._positions.copy_(positions)
        self._graph.replay()
        return self._logits
