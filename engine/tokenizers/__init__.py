"""Text to token ids and back. Text is only ever text: no string in it becomes a control token."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from engine.errors import ModelDamaged, ModelMissing, UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.tokenizers.prefix_index import PrefixIndex


class Tokenizer(Protocol):
    """What prompts and generation need of a tokenizer."""

    @property
    def vocab_size(self) -> int:
        """Number of ids; a model may have some more, which mean nothing."""

    @property
    def bos_id(self) -> int | None:
        """Id before every text; None for a family that has none there."""

    @property
    def eos_ids(self) -> frozenset[int]:
        """Every id that ends a completion or an answer."""

    @property
    def bos_token(self) -> str:
        """Name of the beginning-of-sequence token, as chat templates call it; or empty."""

    @property
    def eos_token(self) -> str:
        """Name of the end-of-sequence token, as chat templates call it; or empty."""

    @property
    def spellings(self) -> PrefixIndex:
        """Which tokens can spell some bytes; built on first use (0.3 s for 150,000 tokens)."""

    def encode(self, text: str) -> list[int]:
        """Ids of a text, without BOS and EOS; sentencepiece adds its implicit leading space."""

    def encode_continuation(self, text: str) -> list[int]:
        """Ids of a text that goes on from another one: without an implicit leading space."""

    def token_bytes(self, token: int) -> bytes:
        """What a token writes; b"" for control tokens and unknown ids.

        Over the ids of a text the concatenation is the text's UTF-8 form (after the implicit
        leading space, where there is one).
        """

    def special(self, text: str) -> int | None:
        """Id of the control token of that name, such as "<|fim_prefix|>" or "▁<PRE>"."""


def open_tokenizer(path: Path, metadata: dict[str, Any] | None = None) -> Tokenizer:
    """The tokenizer of a .gguf file, or of a folder with tokenizer.model or tokenizer.json.

    `metadata` is the file's, where that has been read already: it takes a tenth of a second.

    A folder with neither may hold one .gguf file. Where there are both, tokenizer.model is the
    original that tokenizer.json was converted from.

    Raises:
        ModelMissing: There is no such file, or it cannot be read.
        ModelDamaged: The file contradicts itself.
        UnsupportedModel: A kind of tokenizer that Caret does not have.
    """
    with _explained(path):
        if metadata is not None:
            return tokenizer_from_gguf(metadata)
        return _open_folder(path) if path.is_dir() else _open_gguf(path)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Errors of reading, as errors that say what to do."""
    from quant.source import UnsupportedFile

    try:
        yield
    except UnsupportedFile as error:
        raise UnsupportedModel(f"{error}. Choose another file of this model.") from error
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        # Whatever shape the data has that it should not have; quant's DamagedFile too.
        raise _damaged(path, error) from error
    except OSError as error:
        reason = error.strerror or error
        raise ModelMissing(f"{path} cannot be read: {reason}. Check the path.") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of the library in Rust, and no Exception
            raise
        raise _damaged(path, error) from error


def _damaged(path: Path, error: BaseException) -> ModelDamaged:
    return ModelDamaged(
        f"The tokenizer of {path} is damaged or was made wrongly: {error}. Download the model "
        "again if its size is not as published; else choose another file of it."
    )


def _open_folder(folder: Path) -> Tokenizer:
    from engine.tokenizers import bytelevel, sentencepiece

    if (folder / "tokenizer.model").is_file():
        return sentencepiece.from_folder(folder)
    if (folder / "tokenizer.json").is_file():
        return bytelevel.from_folder(folder)
    files = sorted(folder.glob("*.gguf"))
    if len(files) == 1:
        return _open_gguf(files[0])
    raise UnsupportedModel(
        f"{folder} has neither a tokenizer.model nor a tokenizer.json. Download them beside it."
    )


def _open_gguf(path: Path) -> Tokenizer:
    from quant.gguf import GGUFFile

    return tokenizer_from_gguf(GGUFFile.open(path).metadata)


def tokenizer_from_gguf(metadata: dict[str, Any]) -> Tokenizer:
    """The tokenizer in a GGUF file's metadata; errors as `open_tokenizer`."""
    from engine.tokenizers import bytelevel, sentencepiece

    kind = metadata.get("tokenizer.ggml.model")
    if kind == "gpt2":
        return bytelevel.from_gguf(metadata)
    if kind == "llama":
        return sentencepiece.from_gguf(metadata)
    raise UnsupportedModel(
        f"This model's tokenizer is of the kind {kind!r}; Caret has byte-level BPE and "
        "sentencepiece. Choose another model."
    )
