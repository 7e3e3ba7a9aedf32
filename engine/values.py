"""Numbers in the configuration of a model, which may be anything."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from engine.errors import ModelDamaged

if TYPE_CHECKING:
    from collections.abc import Mapping


def whole(values: Mapping[str, Any], key: str, default: int | None = None) -> int:
    """Return a positive whole number; `default` where it is absent or null."""
    value = values.get(key)
    if value is None:
        value = default
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 31:
        raise senseless(key, value)
    return value


def real(values: Mapping[str, Any], key: str, default: float | None = None) -> float:
    """Return a positive number; `default` where it is absent or null."""
    value = values.get(key)
    if value is None:
        value = default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise senseless(key, value)
    return float(value)


def senseless(key: str, value: object) -> ModelDamaged:
    """Return the error for a value that is no positive number, or too large."""
    return ModelDamaged(
        f"The model's configuration has {key} = {value!r:.40}, where a positive number belongs. "
        "Compare its configuration with its publisher's, or download the model again."
    )
