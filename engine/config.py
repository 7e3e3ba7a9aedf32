"""What a decoder must know about a model, read from a config.json or from GGUF metadata."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from engine.errors import ModelDamaged, UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Mapping

Architecture = Literal["llama", "qwen2", "starcoder2"]


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """The shape of a decoder. Sizes count elements, lengths count positions."""

    architecture: Architecture
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    context_length: int
    """Usable positions: at most an attention window, since the decoder implements none."""
    rope_base: float
    norm: Literal["rms", "layer"]
    norm_eps: float
    activation: Literal["swiglu", "gelu_tanh"]
    qkv_bias: bool
    out_bias: bool
    mlp_bias: bool
    tied_embeddings: bool
    """The head is the embedding matrix."""
    rope_scale: float = 1.0
    """Positions are divided by it: linear scaling, arXiv 2306.15595."""

    def __post_init__(self) -> None:
        if self.heads % self.kv_heads or self.head_dim % 2 or self.head_dim < 2:
            raise ModelDamaged(
                f"The model's configuration contradicts itself: {self.heads} heads of size "
                f"{self.head_dim} on {self.kv_heads} key-value heads. Download the model again."
            )

    @classmethod
    def from_hf(cls, config: Mapping[str, Any]) -> DecoderConfig | None:
        """From the object in a config.json; None if only transformers can run such a model.

        Raises:
            ModelDamaged: A value is missing or makes no sense.
        """
        architecture = _hf_architecture(config)
        rope = _hf_rope(config) if architecture else None
        if architecture is None or rope is None:
            return None
        family = _FAMILIES[architecture]
        heads, hidden = _whole(config, "num_attention_heads"), _whole(config, "hidden_size")
        qkv_bias, out_bias, mlp_bias = _hf_biases(config, architecture)
        return cls(
            architecture=architecture,
            vocab_size=_whole(config, "vocab_size"),
            hidden_size=hidden,
            intermediate_size=_whole(config, "intermediate_size"),
            layers=_whole(config, "num_hidden_layers"),
            heads=heads,
            kv_heads=_whole(config, "num_key_value_heads", heads),
            head_dim=_whole(config, "head_dim", hidden // heads),
            context_length=_hf_context(config, architecture),
            rope_base=rope[0],
            rope_scale=rope[1],
            norm=family.norm,
            norm_eps=_real(config, family.hf_norm_eps),
            activation=family.activation,
            qkv_bias=qkv_bias,
            out_bias=out_bias,
            mlp_bias=mlp_bias,
            tied_embeddings=bool(config.get("tie_word_embeddings", family.hf_tied)),
        )

    @classmethod
    def from_gguf(
        cls, metadata: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]
    ) -> DecoderConfig:
        """From a GGUF file's metadata and the shapes of its tensors, which tell of biases.

        Raises:
            UnsupportedModel: Our decoder lacks something that the model needs.
            ModelDamaged: A value is missing or makes no sense.
        """
        architecture = _gguf_architecture(metadata)
        prefix = f"{architecture}."
        values = {k.removeprefix(prefix): v for k, v in metadata.items() if k.startswith(prefix)}
        family = _FAMILIES[architecture]
        heads, hidden = _whole(values, "attention.head_count"), _whole(values, "embedding_length")
        head_dim = _whole(values, "attention.key_length", hidden // heads)
        _refuse_gguf_extras(values, shapes, head_dim)
        return cls(
            architecture=architecture,
            vocab_size=shapes.get("token_embd.weight", (0,))[0],
            hidden_size=hidden,
            intermediate_size=_whole(values, "feed_forward_length"),
            layers=_whole(values, "block_count"),
            heads=heads,
            kv_heads=_whole(values, "attention.head_count_kv", heads),
            head_dim=head_dim,
            context_length=_gguf_context(values, architecture),
            rope_base=_real(values, "rope.freq_base", 10000.0),
            rope_scale=_gguf_rope_scale(values),
            norm=family.norm,
            norm_eps=_real(values, family.gguf_norm_eps),
            activation=family.activation,
            qkv_bias="blk.0.attn_q.bias" in shapes,
            out_bias="blk.0.attn_output.bias" in shapes,
            mlp_bias="blk.0.ffn_down.bias" in shapes,
            tied_embeddings="output.weight" not in shapes,
        )


@dataclass(frozen=True, slots=True)
class _Family:
    """What the models of an architecture have in common, and where files say the rest."""

    norm: Literal["rms", "layer"]
    activation: Literal["swiglu", "gelu_tanh"]
    hf_activation: str
    hf_norm_eps: str
    hf_tied: bool
    """Hugging Face's default, which files leave out."""
    gguf_norm_eps: str


_LLAMA = _Family(
    norm="rms",
    activation="swiglu",
    hf_activation="silu",
    hf_norm_eps="rms_norm_eps",
    hf_tied=False,
    gguf_norm_eps="attention.layer_norm_rms_epsilon",
)
_STARCODER2 = _Family(
    norm="layer",
    activation="gelu_tanh",
    hf_activation="gelu_pytorch_tanh",
    hf_norm_eps="norm_epsilon",
    hf_tied=True,
    gguf_norm_eps="attention.layer_norm_epsilon",
)
_FAMILIES: dict[Architecture, _Family] = {
    "llama": _LLAMA,
    "qwen2": _LLAMA,
    "starcoder2": _STARCODER2,
}
_HF_NAMES: dict[str, Architecture] = {
    "LlamaForCausalLM": "llama",
    "Qwen2ForCausalLM": "qwen2",
    "Starcoder2ForCausalLM": "starcoder2",
}
_STARCODER2_WINDOW = 4096
"""Attention window of every StarCoder2 released (arXiv 2402.19173); GGUF does not record it."""


def _whole(values: Mapping[str, Any], key: str, default: int | None = None) -> int:
    """A positive whole number; `default` where it is absent or null."""
    value = values.get(key)
    if value is None:
        value = default
    if not isinstance(value, int) or not 0 < value < 1 << 31:
        raise _senseless(key, value)
    return value


def _real(values: Mapping[str, Any], key: str, default: float | None = None) -> float:
    """A positive number; `default` where it is absent or null."""
    value = values.get(key)
    if value is None:
        value = default
    if not isinstance(value, int | float) or not 0 < value < math.inf:
        raise _senseless(key, value)
    return float(value)


def _senseless(key: str, value: object) -> ModelDamaged:
    return ModelDamaged(
        f"The model's configuration has {key} = {value!r:.40}, where a positive number belongs. "
        "Download the model again."
    )


def _hf_architecture(config: Mapping[str, Any]) -> Architecture | None:
    """None for another architecture, or for a variant that our decoder lacks."""
    names = config.get("architectures")
    architecture = _HF_NAMES.get(str(names[0])) if isinstance(names, list) and names else None
    if (
        architecture is None
        or config.get("hidden_act") != _FAMILIES[architecture].hf_activation
        or config.get("use_sliding_window")
        or config.get("quantization_config")
    ):
        return None
    return architecture


def _hf_rope(config: Mapping[str, Any]) -> tuple[float, float] | None:
    """(base, linear factor) of the rotary embedding; None for the other kinds.

    transformers 5 keeps both in `rope_parameters`, older files in `rope_theta` and `rope_scaling`.
    """
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    if not isinstance(rope, dict) or any(isinstance(value, dict) for value in rope.values()):
        return None
    if rope.get("partial_rotary_factor", config.get("partial_rotary_factor")) not in (None, 1):
        return None
    base = _real(rope, "rope_theta", _real(config, "rope_theta", 10000.0))
    match rope.get("rope_type", rope.get("type", "default")):
        case "default":
            return base, 1.0
        case "linear":
            return base, _real(rope, "factor")
    return None


def _hf_context(config: Mapping[str, Any], architecture: Architecture) -> int:
    longest = _whole(config, "max_position_embeddings")
    if architecture == "starcoder2":
        return min(longest, _whole(config, "sliding_window", longest))
    return longest


def _hf_biases(config: Mapping[str, Any], architecture: Architecture) -> tuple[bool, bool, bool]:
    """Whether q, k and v, the attention's output, and the MLP have biases."""
    match architecture:
        case "llama":
            attention = bool(config.get("attention_bias"))
            return attention, attention, bool(config.get("mlp_bias"))
        case "qwen2":
            return True, False, False
        case "starcoder2":
            every = bool(config.get("use_bias", True))
            return every, every, every


def _gguf_architecture(metadata: Mapping[str, Any]) -> Architecture:
    name = metadata.get("general.architecture")
    if isinstance(name, str) and name in _FAMILIES:
        return name
    raise UnsupportedModel(
        f"Caret reads GGUF files of {', '.join(_FAMILIES)} models, and this one is {name!r:.40}. "
        "Use the model's safetensors folder, which runs through transformers, more slowly."
    )


def _refuse_gguf_extras(
    values: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]], head_dim: int
) -> None:
    """Variants of known architectures that our decoder would run wrongly."""
    extra = None
    if values.get("expert_count"):
        extra = "a mixture of experts"
    elif "rope_freqs.weight" in shapes or "rope_factors_long.weight" in shapes:
        extra = "rotary frequencies of its own"
    elif values.get("rope.dimension_count", head_dim) != head_dim:
        extra = "partly rotated heads"
    elif values.get("rope.scaling.type", "linear") not in ("none", "linear"):
        extra = f"the rotary scaling {values['rope.scaling.type']!r:.40}"
    if extra is not None:
        raise UnsupportedModel(
            f"This GGUF model has {extra}, which Caret's decoder lacks. "
            "Use the model's safetensors folder, which runs through transformers, more slowly."
        )


def _gguf_rope_scale(values: Mapping[str, Any]) -> float:
    """Linear is llama.cpp's default type; `rope.scale_linear` is the key of older files."""
    if values.get("rope.scaling.type") == "none":
        return 1.0
    factor = values.get("rope.scaling.factor") or values.get("rope.scale_linear") or 1.0
    return _real({"rope.scaling.factor": factor}, "rope.scaling.factor")


def _gguf_context(values: Mapping[str, Any], architecture: Architecture) -> int:
    longest = _whole(values, "context_length")
    if values.get("attention.sliding_window"):  # 0 stands for none
        return min(longest, _whole(values, "attention.sliding_window"))
    return min(longest, _STARCODER2_WINDOW) if architecture == "starcoder2" else longest
