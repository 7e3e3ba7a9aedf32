"""The slow path: models whose architecture Caret's decoder lacks, run by transformers' classes.

Weights stay float32 and the cache is copied at every step, so it is several times slower and
larger than the decoder. transformers is imported when a model is loaded: that takes seconds.
"""

from __future__ import annotations

import inspect
import logging
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import torch

from engine.errors import ModelDamaged, UnsupportedModel

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from engine.kvcache import Cache

log = logging.getLogger(__name__)

_DEFAULT_CONTEXT = 2048
"""Positions, for models without a limit of their own, such as those with ALiBi."""


class TransformersCache:
    """Keys and values as transformers holds them; see `engine.kvcache.Cache`."""

    def __init__(
        self,
        capacity: int,
        states: Any,  # noqa: ANN401 - a DynamicCache
        position_bytes: int,
    ) -> None:
        self.capacity = capacity
        self.length = 0
        self.states = states
        self._position_bytes = position_bytes

    @property
    def position_bytes(self) -> int:
        """Bytes of one position's keys and values in all layers."""
        return self._position_bytes

    @property
    def nbytes(self) -> int:
        """Bytes of all positions; there are none for later ones."""
        return self.length * self.position_bytes

    def fork(self, length: int) -> TransformersCache:
        """A copy of the first `length` positions."""
        copied = TransformersCache(self.capacity, deepcopy(self.states), self._position_bytes)
        copied.length = self.length
        copied.truncate(length)
        return copied

    def truncate(self, length: int) -> None:
        """Keep the first `length` positions."""
        if not 0 <= length <= self.length:
            raise ValueError(f"a cache holds {self.length} positions, not {length}")
        if length < self.length:
            self.states.crop(length - self.length)
            self.length = length


class TransformersModel:
    """A causal language model of another architecture; see `engine.kvcache.CausalLM`.

    Nothing is downloaded, and neither code nor pickles of the folder are run.

    Args:
        folder: Holds config.json and safetensors; the weights become float32.

    Raises:
        UnsupportedModel: transformers cannot load it either, or its state cannot be rewound.
        ModelDamaged: The weights are not all there.
    """

    def __init__(self, folder: Path) -> None:
        self._model = model = _load(folder)
        kind = type(model).__name__
        if not _rewinds(model):
            raise UnsupportedModel(
                f"{kind} keeps a recurrent state, which cannot go back to an earlier position as "
                "completion needs. Choose a model with attention only."
            )
        config = model.config.get_text_config()
        self.vocab_size: int = config.vocab_size
        longest = getattr(config, "max_position_embeddings", None)
        self.context_length: int = longest or _DEFAULT_CONTEXT
        takes = inspect.signature(model.forward).parameters
        # Most classes can leave out the logits of all positions but the last ones.
        self._keeps_last = "logits_to_keep" in takes
        # transformers 5.24 renamed it, and warns of the name before.
        self._cache = "cache" if "cache" in takes else "past_key_values"
        self._position_bytes = _position_bytes(config)
        log.warning("%s runs through transformers as %s: slower, in float32", folder.name, kind)

    def new_cache(self, capacity: int) -> TransformersCache:
        """An empty cache with room for `capacity` positions.

        Without a config, DynamicCache keeps every position also where a layer attends to a window
        only, and leaves the window to the mask: so it can be cut back, unlike a full window.
        """
        from transformers import DynamicCache

        return TransformersCache(
            min(capacity, self.context_length), DynamicCache(), self._position_bytes
        )

    def interrupt(self) -> None:
        """Passes of transformers come to their end."""

    @torch.inference_mode()
    def forward(
        self, tokens: Tensor, cache: Cache, last: int = 1, *, yields: bool = False
    ) -> Tensor:
        """See `engine.kvcache.CausalLM`."""
        del yields
        assert isinstance(cache, TransformersCache)
        if cache.length + len(tokens) > cache.capacity:
            raise ValueError(f"a cache for {cache.capacity} positions has no room for {tokens}")
        only = {"logits_to_keep": last} if self._keeps_last else {}
        states = {self._cache: cache.states}
        output = self._model(tokens[None], use_cache=True, **states, **only)
        cache.length += len(tokens)
        logits: Tensor = output.logits[0, -last:]
        return logits


def _load(folder: Path) -> Any:  # noqa: ANN401 - a PreTrainedModel
    from transformers import AutoConfig, AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    local = {"local_files_only": True, "trust_remote_code": False}
    try:
        config = AutoConfig.from_pretrained(folder, **local)
        # A config.json may name kernels on the Hub, which are code: use transformers' own.
        config._attn_implementation = config._experts_implementation = None
        model, report = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            output_loading_info=True,
            **local,
        )
    except Exception as error:  # what a foreign folder makes transformers raise has no common type
        reason = str(error).strip().partition("\n")[0].rstrip(" .")
        raise UnsupportedModel(
            f"{folder} holds a model that neither Caret nor transformers can load: {reason}. "
            "Choose another model."
        ) from error
    if missing := sorted(report["missing_keys"]):
        raise ModelDamaged(
            f"{folder} lacks {len(missing)} tensors, such as {missing[0]}. "
            "Download the model again."
        )
    return model


def _position_bytes(config: Any) -> int:  # noqa: ANN401 - a PreTrainedConfig
    """Of float32 keys and values in every layer, for the usual names of the sizes."""
    heads: int = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size: int = (
        getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    )
    layers: int = config.num_hidden_layers
    return 2 * layers * heads * size * 4


def _rewinds(model: Any) -> bool:  # noqa: ANN401 - a PreTrainedModel
    """Whether all that the model remembers are keys and values of positions."""
    from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

    layers = DynamicCache(config=model.config).layers
    kinds = {type(layer) for layer in layers}
    return not model._is_stateful and kinds <= {DynamicLayer, DynamicSlidingWindowLayer}
