"""Where weights come from: the one interface over GGUF files and safetensors folders."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from gguf import GGMLQuantizationType
    from torch import Tensor


class SourceError(ValueError):
    """Weights that cannot be read; the text names the file and says what is wrong with it."""


class DamagedFile(SourceError):
    """Truncated, or contradicting itself: another copy of the file may help."""


class UnsupportedFile(SourceError):
    """Intact as far as one can tell, but of a version or number format that is not read here."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A matrix as a GGUF file holds it."""

    kind: GGMLQuantizationType
    raw: Tensor
    """Uint8 [out, bytes of a row], which may be the file's own memory."""


class TensorSource(Protocol):
    """Named tensors on disk, of whatever number format, read as float32."""

    @property
    def nbytes(self) -> int:
        """Bytes that the tensors take on disk."""

    def names(self) -> Collection[str]:
        """The names of all tensors."""

    def shape(self, name: str) -> tuple[int, ...]:
        """The tensor's shape; matrices are [out, in]. Raises KeyError for an unknown name."""

    def load(self, name: str) -> Tensor:
        """The tensor as a new contiguous float32 tensor of `shape(name)`, the caller's own.

        Raises:
            KeyError: There is no such tensor.
            SourceError: Its number format is not supported.
        """

    def stored(self, name: str) -> Stored | None:
        """The matrix as its file holds it; None where that is no GGUF file."""


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        OSError: The file cannot be read.
        DamagedFile: It holds no JSON object.
    """
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DamagedFile(f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise DamagedFile(f"{path} holds no JSON object")
    return value
