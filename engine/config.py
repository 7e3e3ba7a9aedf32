"""What a decoder must know about a model, read from a config.json or from GGUF metadata."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Literal

from engine.errors import ModelDamaged, UnsupportedModel
from engine.rope import from_gguf as rotary_of_gguf
from engine.rope import from_hf as rotary_of_hf
from engine.values import real, whole

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
    """Positions are divided by it."""
    rope_gain: float = 1.0
    """Cosines and sines are multiplied by it."""
    rope_divisors: tuple[float, ...] = ()
    """Each frequency is divided by its own, [head_dim / 2]; none where nothing is."""

    def __post_init__(self) -> None:
        if self.heads % self.kv_heads or self.head_dim % 2 or self.head_dim < 2:
            raise ModelDamaged(
                f"The model's configuration contradicts itself: {self.heads} heads of size "
                f"{self.head_dim} on {self.kv_heads} key-value heads. Download the model again."
            )
        divisors = self.rope_divisors
        if len(divisors) not in (0, self.head_dim // 2) or not all(0 < d < inf for d in divisors):
            raise ModelDamaged(
                f"The model's {len(divisors)} divisors of rotary frequencies do not fit heads of "
                f"size {self.head_dim}. Choose another file of this model."
            )

    @classmethod
    def from_hf(cls, config: Mapping[str, Any]) -> DecoderConfig | None:
        """From the object in a config.json; None if only transformers can run such a model.

        Raises:
            ModelDamaged: A value is missing or makes no sense.
        """
        architecture = _hf_architecture(config)
        if architecture is None:
            return None
        family = _FAMILIES[architecture]
        heads, hidden = whole(config, "num_attention_heads"), whole(config, "hidden_size")
        head_dim = whole(config, "head_dim", hidden // heads)
        rope = rotary_of_hf(config, head_dim, whole(config, "max_position_embeddings"))
        if rope is None:
            return None
        qkv_bias, out_bias, mlp_bias = _hf_biases(config, architecture)
        return cls(
            architecture=architecture,
            vocab_size=whole(config, "vocab_size"),
            hidden_size=hidden,
            intermediate_size=whole(config, "intermediate_size"),
            layers=whole(config, "num_hidden_layers"),
            heads=heads,
            kv_heads=whole(config, "num_key_value_heads", heads),
            head_dim=head_dim,
            context_length=_hf_context(config, architecture),
            rope_base=rope.base,
            rope_scale=rope.scale,
            rope_gain=rope.gain,
            rope_divisors=rope.divisors,
            norm=family.norm,
            norm_eps=real(config, family.hf_norm_eps),
            activation=family.activation,
            qkv_bias=qkv_bias,
            out_bias=out_bias,
            mlp_bias=mlp_bias,
            tied_embeddings=bool(config.get("tie_word_embeddings", family.hf_tied)),
        )

    @classmethod
    def from_gguf(
        cls,
        metadata: Mapping[str, Any],
        shapes: Mapping[str, tuple[int, ...]],
        divisors: tuple[float, ...] = (),
    ) -> DecoderConfig:
        """From a GGUF file's metadata and the shapes of its tensors, which tell of biases.

        `divisors` are the values of its tensor `ROPE_DIVISORS`, if it has one.

        Raises:
            UnsupportedModel: Our decoder lacks something that the model needs.
            ModelDamaged: A value is missing or makes no sense.
        """
        architecture = _gguf_architecture(metadata)
        prefix = f"{architecture}."
        values = {k.removeprefix(prefix): v for k, v in metadata.items() if k.startswith(prefix)}
        family = _FAMILIES[architecture]
        heads, hidden = whole(values, "attention.head_count"), whole(values, "embedding_length")
        head_dim = whole(values, "attention.key_length", hidden // heads)
        _refuse_gguf_extras(values, shapes, head_dim)
        rope = rotary_of_gguf(values, head_dim, whole(values, "context_length"))
        if rope is None:
            raise lacking(f"the rotary scaling {values['rope.scaling.type']!r:.40}")
        return cls(
            architecture=architecture,
            vocab_size=shapes.get("token_embd.weight", (0,))[0],
            hidden_size=hidden,
            intermediate_size=whole(values, "feed_forward_length"),
            layers=whole(values, "block_count"),
            heads=heads,
            kv_heads=whole(values, "attention.head_count_kv", heads),
            head_dim=head_dim,
            context_length=_gguf_context(values, architecture),
            rope_base=rope.base,
            rope_scale=rope.scale,
            rope_gain=rope.gain,
            rope_divisors=divisors or rope.divisors,
            norm=family.norm,
            norm_eps=real(values, family.gguf_norm_eps),
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
ROPE_DIVISORS = "rope_freqs.weight"
"""Tensor of a GGUF file: what each rotary frequency is divided by."""
_SLOWLY = (
    "Use another model, or its safetensors folder: transformers runs that, several times slower, "
    "and in float32, which takes 4 bytes of memory for each parameter."
)
_STARCODER2_WINDOW = 4096
"""Attention window of every StarCoder2 released (arXiv 2402.19173); GGUF does not record it."""


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


def _hf_context(config: Mapping[str, Any], architecture: Architecture) -> int:
    longest = whole(config, "max_position_embeddings")
    if architecture == "starcoder2":
        return min(longest, whole(config, "sliding_window", longest))
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
        f"{_SLOWLY}"
    )


def _refuse_gguf_extras(
    values: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]], head_dim: int
) -> None:
    """Variants of known architectures that our decoder would run wrongly."""
    extra = None
    if values.get("expert_count"):
        extra = "a mixture of experts"
    elif "rope_factors_long.weight" in shapes:
        extra = "rotary frequencies of its own"
    elif values.get("rope.dimension_count", head_dim) != head_dim:
        extra = "partly rotated heads"
    if extra is not None:
        raise lacking(extra)


def lacking(extra: str) -> UnsupportedModel:
    """Return the error for a GGUF file that nothing here can run as it is."""
    return UnsupportedModel(f"This GGUF model has {extra}, which Caret's decoder lacks. {_SLOWLY}")


def _gguf_context(values: Mapping[str, Any], architecture: Architecture) -> int:
    longest = whole(values, "context_length")
    if values.get("attention.sliding_window"):  # 0 stands for none
        return min(longest, whole(values, "attention.sliding_window"))
    return min(longest, _STARCODER2_WINDOW) if architecture == "starcoder2" else longest
