"""Safetensors folders as Hugging Face saves them: one file, or shards with an index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open

from quant.source import DamagedFile, UnsupportedFile, read_json

if TYPE_CHECKING:
    from collections.abc import Collection

    from torch import Tensor

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
_NUMBERS = ("F32", "F16", "BF16")


class SafetensorsFolder:
    """A folder of memory-mapped safetensors files: a `TensorSource` under their own names."""

    def __init__(self, folder: Path, shards: dict[str, Any], nbytes: int) -> None:
        self.folder = folder
        self.nbytes = nbytes
        """Bytes of all files."""
        self._shards = shards

    @classmethod
    def open(cls, folder: Path) -> SafetensorsFolder:
        """Map ``model.safetensors``, or every shard that ``model.safetensors.index.json`` names.

        Where there are both, one of them is left over; as in transformers the single file counts.

        Raises:
            OSError: A file cannot be read.
            DamagedFile: A shard is missing, a file is truncated, or the index contradicts them.
            UnsupportedFile: The index names files outside of its folder.
        """
        index = folder / INDEX
        single = (folder / SINGLE).is_file() or not index.is_file()
        wanted = {} if single else _read_index(index)
        shards = {name: _open_shard(folder / name) for name in {*wanted.values()} or {SINGLE}}
        held = {file: frozenset(shard.keys()) for file, shard in shards.items()}
        places = wanted or {name: file for file, names in held.items() for name in names}
        for name, file in places.items():
            if name not in held[file]:
                raise DamagedFile(f"{folder / file} lacks the tensor {name}, which {INDEX} names")
        nbytes = sum((folder / name).stat().st_size for name in shards)
        return cls(folder, {name: shards[file] for name, file in places.items()}, nbytes)

    def names(self) -> Collection[str]:
        """The names of all tensors in the files."""
        return self._shards.keys()

    def shape(self, name: str) -> tuple[int, ...]:
        """The tensor's shape, [out, in] for matrices."""
        return tuple(self._shards[name].get_slice(name).get_shape())

    def load(self, name: str) -> Tensor:
        """The tensor as float32; see `TensorSource.load`."""
        shard = self._shards[name]
        number = shard.get_slice(name).get_dtype()
        if number not in _NUMBERS:
            raise UnsupportedFile(f"{self.folder}: the tensor {name} is of the type {number}")
        tensor: Tensor = shard.get_tensor(name)
        return tensor.to(torch.float32, copy=True)

    def stored(self, name: str) -> None:
        """None: no GGUF; see `TensorSource.stored`."""


def _open_shard(path: Path) -> Any:  # noqa: ANN401 - safetensors exports no type for an open file
    if not path.is_file():
        raise DamagedFile(f"{path} is missing")
    try:
        return safe_open(path, framework="pt")
    except SafetensorError as error:
        raise DamagedFile(f"{path} is truncated or damaged: {error}") from error


def _read_index(path: Path) -> dict[str, str]:
    """Tensor name to file name; a file name that leads out of the folder is refused."""
    files = read_json(path).get("weight_map")
    if not isinstance(files, dict) or not files:
        raise DamagedFile(f"{path} has no weight_map")
    for file in files.values():
        if not isinstance(file, str) or Path(file).name != file:
            raise UnsupportedFile(f"{path} names {file!r:.100}, which is no file of this folder")
    return files
