"""Rotary frequencies beyond a base: linear scaling, YaRN's and Llama 3's.

What they have in common: positions or frequencies are divided by something, and cosines and sines
may be multiplied. YaRN is arXiv 2309.00071, linear scaling 2306.15595; Llama 3's rule is in the
configuration of its 3.1 models. The numbers are those of transformers' modeling_rope_utils and of
llama.cpp, which agree. They hold at any length, so short windows are read as such models read them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.values import real, senseless, whole

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Rope:
    """The rotary embedding of a model, but for the size of its heads."""

    base: float
    scale: float = 1.0
    """Positions are divided by it."""
    gain: float = 1.0
    """Cosines and sines are multiplied by it."""
    divisors: tuple[float, ...] = ()
    """Each frequency is divided by its own; none where nothing is."""


def from_hf(config: Mapping[str, Any], head_dim: int, longest: int) -> Rope | None:
    """Return what a config.json says; None for a kind that the decoder lacks.

    transformers 5 keeps all in `rope_parameters`, older files in `rope_theta` and `rope_scaling`.
    The latter also counts where both are there, as in transformers: somebody has added it.

    Raises:
        ModelDamaged: A value is missing or makes no sense.
    """
    saved = config.get("rope_parameters") or {}
    rope = config.get("rope_scaling") or saved
    if not all(isinstance(each, dict) for each in (saved, rope)):
        return None
    if any(isinstance(value, dict) for value in rope.values()):
        return None
    if rope.get("partial_rotary_factor", config.get("partial_rotary_factor")) not in (None, 1):
        return None
    base = real(rope, "rope_theta", real(config, "rope_theta", real(saved, "rope_theta", 10000.0)))
    match rope.get("rope_type", rope.get("type", "default")):
        case "default":
            return Rope(base)
        case "linear":
            return Rope(base, real(rope, "factor"))
        case "yarn":
            return _hf_yarn(rope, base, head_dim, _original(config, rope, longest), longest)
        case "llama3":
            return _llama3(rope, base, head_dim, _original(config, rope, longest))
    return None


def from_gguf(values: Mapping[str, Any], head_dim: int, longest: int) -> Rope | None:
    """Return what GGUF metadata say; None for a kind that the decoder lacks.

    Linear is llama.cpp's default kind; `rope.scale_linear` is the key of older files. `values` have
    no prefix of the architecture.

    Raises:
        ModelDamaged: A value makes no sense.
    """
    base = real(values, "rope.freq_base", 10000.0)
    factor = values.get("rope.scaling.factor") or values.get("rope.scale_linear") or 1.0
    factor = real({"rope.scaling.factor": factor}, "rope.scaling.factor")
    match values.get("rope.scaling.type", "linear"):
        case "none":
            return Rope(base)
        case "linear":
            return Rope(base, factor)
        case "yarn":
            original = whole(values, "rope.scaling.original_context_length", longest)
            fast = real(values, "rope.scaling.yarn_beta_fast", 32.0)
            slow = real(values, "rope.scaling.yarn_beta_slow", 1.0)
            gain = real(values, "rope.scaling.attn_factor", 1.0) * _mscale(factor)
            divisors = _yarn(base, head_dim, factor, original, (fast, slow))
            return Rope(base, gain=gain, divisors=divisors)
    return None


def _original(config: Mapping[str, Any], rope: Mapping[str, Any], longest: int) -> int:
    """Return the length that the model was trained on before it was stretched."""
    key = "original_max_position_embeddings"
    return whole(config, key, whole(rope, key, longest))


def _hf_yarn(
    rope: Mapping[str, Any], base: float, head_dim: int, original: int, longest: int
) -> Rope:
    factor = real(rope, "factor", longest / original)
    betas = (rope.get("beta_fast") or 32.0, rope.get("beta_slow") or 1.0)
    fast, slow = (real({"beta": beta}, "beta") for beta in betas)
    gain = _mscale(factor)
    if rope.get("mscale") and rope.get("mscale_all_dim"):
        each = (real(rope, "mscale"), real(rope, "mscale_all_dim"))
        gain = _mscale(factor, each[0]) / _mscale(factor, each[1])
    cut = bool(rope.get("truncate", True))
    divisors = _yarn(base, head_dim, factor, original, (fast, slow), cut=cut)
    return Rope(base, gain=real(rope, "attention_factor", gain), divisors=divisors)


def _mscale(factor: float, by: float = 1.0) -> float:
    """Return by how much attention is sharpened: the paper's section 3.4."""
    return 0.1 * by * math.log(factor) + 1.0 if factor > 1 else 1.0


def _yarn(
    base: float,
    head_dim: int,
    factor: float,
    original: int,
    betas: tuple[float, float],
    *,
    cut: bool = True,
) -> tuple[float, ...]:
    """Return divisors from 1, of elements that turn often, to `factor`: "NTK by parts"."""
    if base <= 1:
        raise senseless("rope_theta", base)
    low, high = (
        head_dim * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(base))
        for turns in betas
    )
    if cut:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, head_dim - 1)
    width = high - low or 0.001
    ramps = (min(max((i - low) / width, 0.0), 1.0) for i in range(head_dim // 2))
    return tuple(1 / (ramp / factor + 1 - ramp) for ramp in ramps)


def _llama3(rope: Mapping[str, Any], base: float, head_dim: int, original: int) -> Rope:
    factor = real(rope, "factor")
    low, high = real(rope, "low_freq_factor"), real(rope, "high_freq_factor")

    def divisor(index: int) -> float:
        turns: float = original / (2 * math.pi * base ** (2 * index / head_dim))
        if high <= low:
            return factor if turns < low else 1.0
        smooth = min(max((turns - low) / (high - low), 0.0), 1.0)
        return 1.0 / ((1 - smooth) / factor + smooth)

    return Rope(base, divisors=tuple(divisor(index) for index in range(head_dim // 2)))
