"""Modules of packed weights, taken apart into tensors and numbers and put together again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    Kinds = Mapping[str, type[nn.Module]]


@dataclass(frozen=True, slots=True)
class Entry:
    """What a module's constructor takes, by name: its buffers, and its other attributes."""

    kind: str
    """Name of the module's class."""
    tensors: dict[str, Tensor]
    """A bias that it has not is left out."""
    numbers: dict[str, float]
    """Such as sizes that no buffer tells."""

    @classmethod
    def of(cls, module: nn.Module) -> Entry:
        """Take `module` apart, without a copy."""
        numbers = {
            name: value
            for name, value in vars(module).items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        return cls(type(module).__name__, dict(module.named_buffers()), numbers)

    def module(self, kinds: Kinds) -> nn.Module:
        """Put it together, without a copy; `kinds` are the classes by name.

        Raises:
            KeyError: The class is not among them.
        """
        absent: dict[str, Tensor | None] = {"bias": None}
        return kinds[self.kind](**absent | self.tensors, **self.numbers)
