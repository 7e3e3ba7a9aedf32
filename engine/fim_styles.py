"""Styles of fill-in-the-middle prompts, and which of them a model was trained in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from engine.tokenizers.vocabulary import FIM_MIDDLE, FIM_PREFIX, FIM_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable


class Slot(Enum):
    """A place for the document's text in a template."""

    PREFIX = "all text before the caret"
    LINES = "the whole lines before the anchor"
    HEAD = "the text from the anchor to the caret"
    SUFFIX = "the text after the caret"


@dataclass(frozen=True, slots=True)
class FimStyle:
    """Prompt format of one model family; names are control tokens of its tokenizer."""

    template: tuple[str | Slot, ...]
    """Control tokens and text in the prompt's order. LINES and HEAD go together, or PREFIX."""
    repository: str = ""
    """Stands before the repository's name, where other files' text precedes."""
    file: str = ""
    """Stands before each file's path; with none, the path is a comment (as DeepSeek-Coder's)."""
    path_inside: bool = False
    """The completed file's path follows the first sentinel of the template, not `file`."""
    origin: str = ""
    """Lower-case text that the `origin` of a model of this style contains. It is needed only where
    another style has the same control tokens."""
    ends: tuple[str, ...] = ()
    """End a completion, beside the sentinels of this style and the tokenizer's own ends."""

    @property
    def sentinels(self) -> tuple[str, ...]:
        """The control tokens that a tokenizer must have."""
        return tuple(part for part in self.template if isinstance(part, str))


FIM_STYLES: dict[str, FimStyle] = {
    # Meta's infilling_prompt_tokens, with suffix_first and without.
    "codellama-spm": FimStyle(
        ("<s>", "▁<PRE>", "▁<SUF>", Slot.SUFFIX, "▁<MID>", Slot.PREFIX), ends=("▁<EOT>",)
    ),
    "codellama-psm": FimStyle(
        ("<s>", "▁<PRE>", Slot.PREFIX, "▁<SUF>", Slot.SUFFIX, "▁<MID>"), ends=("▁<EOT>",)
    ),
    "qwen": FimStyle(
        ("<|fim_prefix|>", Slot.LINES, "<|fim_suffix|>", Slot.SUFFIX, "<|fim_middle|>", Slot.HEAD),
        repository="<|repo_name|>",
        file="<|file_sep|>",
        ends=("<|fim_pad|>", "<|im_start|>"),
    ),
    "deepseek": FimStyle(
        (
            "<｜begin▁of▁sentence｜>",
            "<｜fim▁begin｜>",
            Slot.LINES,
            "<｜fim▁hole｜>",
            Slot.SUFFIX,
            "<｜fim▁end｜>",
            Slot.HEAD,
        ),
    ),
    # The order in which Mellum's publisher calls it; its tokens are StarCoder's.
    "mellum": FimStyle(
        ("<fim_suffix>", Slot.SUFFIX, "<fim_prefix>", Slot.PREFIX, "<fim_middle>"),
        file="<filename>",
        origin="mellum",
        ends=("<fim_pad>",),
    ),
    # StarCoder 2's paper, arXiv 2402.19173, section 5.1, has the repository format.
    "starcoder": FimStyle(
        ("<fim_prefix>", Slot.LINES, "<fim_suffix>", Slot.SUFFIX, "<fim_middle>", Slot.HEAD),
        repository="<repo_name>",
        file="<file_sep>",
        path_inside=True,
        ends=("<fim_pad>",),
    ),
    # Seed-Coder's paper, arXiv 2506.03524, section on fill-in-the-middle.
    "seed-coder": FimStyle(
        ("<[fim-suffix]>", Slot.SUFFIX, "<[fim-prefix]>", Slot.PREFIX, "<[fim-middle]>"),
    ),
    # Mistral's tokenizer, encode_fim.
    "codestral": FimStyle(("<s>", "[SUFFIX]", Slot.SUFFIX, "[PREFIX]", Slot.PREFIX)),
    # Tokens that the metadata of a GGUF file name, in the order that llama.cpp uses for them.
    "metadata": FimStyle(
        (FIM_PREFIX, Slot.LINES, FIM_SUFFIX, Slot.SUFFIX, FIM_MIDDLE, Slot.HEAD),
    ),
}


def detect_fim(special: Callable[[str], int | None], origin: str = "") -> str | None:
    """Return the style whose sentinels a tokenizer has; None when it can't fill in the middle.

    `origin` is what the model's files say of where it is from. Tokens that a GGUF file's metadata
    name for infilling count more than those which are only called so.
    """
    own = {special(name) for name in FIM_STYLES["metadata"].sentinels} - {None}
    for name, style in FIM_STYLES.items():
        found = {special(sentinel) for sentinel in style.sentinels}
        if None not in found and own <= found and style.origin in origin.lower():
            return name
    return None


def looked_for() -> str:
    """Return the tokens before the suffix in every style, by one of which a model is known."""
    before = (s.template[s.template.index(Slot.SUFFIX) - 1] for s in FIM_STYLES.values())
    return ", ".join(dict.fromkeys(str(name) for name in before if name != FIM_SUFFIX))
