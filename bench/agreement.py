"""How far a packed model is from the same file in float32, on code.

The code is the beginning of some modules of Python's standard library: it is there on any machine,
and no format was fitted to it. Models may well have read it in training, so its perplexity says
little about new code; the divergence from float32 is what tells formats apart.
"""

from __future__ import annotations

import math
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from engine.generate import PREFILL_CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from engine.kvcache import CausalLM
    from engine.tokenizers import Tokenizer

MODULES = ("heapq.py", "shlex.py", "statistics.py", "textwrap.py")


@dataclass(frozen=True, slots=True)
class Agreement:
    """Means over all predicted tokens."""

    perplexity: float
    """Of the model itself; e to the mean cross entropy."""
    divergence: float
    """Kullback-Leibler, in nats: how much likelier float32's distribution is under itself."""
    top1: float
    """Share of tokens at which both find the same one most likely."""


def held_code(tokenizer: Tokenizer, count: int) -> list[Tensor]:
    """About `count` tokens (int64), as many from the beginning of each module."""
    folder = Path(sysconfig.get_path("stdlib"))
    each = count // len(MODULES)
    texts = [(folder / name).read_text("utf-8") for name in MODULES]
    return [torch.tensor(tokenizer.encode(text)[:each]) for text in texts]


def log_probabilities(model: CausalLM, text: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """(log probabilities float32 [rows, vocab], the tokens that did come [rows]), by chunks."""
    cache = model.new_cache(len(text))
    for start in range(0, len(text) - 1, PREFILL_CHUNK):
        chunk = text[start : min(start + PREFILL_CHUNK, len(text) - 1)]
        logits = model.forward(chunk, cache, last=len(chunk))
        yield logits.log_softmax(dim=-1), text[start + 1 : start + 1 + len(chunk)]


class Reference:
    """What float32 says of every token, kept in a file: only one model is in memory at a time."""

    def __init__(self, model: CausalLM, texts: list[Tensor], file: Path) -> None:
        """Write float32 [tokens, vocab] to `file`, which may take gigabytes."""
        self.texts = texts
        rows = sum(len(text) - 1 for text in texts)
        size = rows * model.vocab_size
        held = torch.from_file(str(file), shared=True, size=size, dtype=torch.float32)
        self.said = held.view(rows, -1)
        row = 0
        for text in texts:
            for found, _ in log_probabilities(model, text):
                self.said[row : row + len(found)] = found
                row += len(found)

    def compare(self, model: CausalLM) -> Agreement:
        """A model's agreement with it."""
        entropy = divergence = same = 0.0
        row = 0
        for text in self.texts:
            for found, came in log_probabilities(model, text):
                expected = self.said[row : row + len(found)]
                row += len(found)
                entropy -= float(found.gather(1, came[:, None]).sum())
                divergence += float((expected.exp() * (expected - found)).sum())
                same += float((expected.argmax(1) == found.argmax(1)).sum())
        return Agreement(math.exp(entropy / row), divergence / row, same / row)
