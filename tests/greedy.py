"""The likeliest tokens, one after the other: as we write them, and as transformers does."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import torch

from engine.generate import generate
from engine.sample import greedy
from engine.speculation import NoDrafts

if TYPE_CHECKING:
    from torch import Tensor

    from engine.decoder import Decoder
    from engine.generate import Drafter
    from engine.slots import Slot


class Free:
    """No constraint."""

    def limited(self, logits: Tensor) -> Tensor:
        return logits

    def allows(self, token: int) -> bool:
        del token
        return True

    def advance(self, token: int) -> None:
        pass


def our_tokens(
    model: Decoder, slot: Slot, prompt: list[int], count: int, drafter: Drafter | None = None
) -> list[int]:
    """Our first tokens after `prompt`."""
    steps = generate(model, slot, prompt, greedy, Free(), drafter or NoDrafts())
    chosen = (choice.token for step in steps if step for choice in step.choices)
    return list(itertools.islice(chosen, count))


def their_tokens(model: Any, prompt: list[int], count: int) -> list[int]:
    """Those of a model of transformers."""
    ids = torch.tensor([prompt])
    with torch.inference_mode():
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=count,
            do_sample=False,
            eos_token_id=None,
            pad_token_id=0,
        )
    tokens: list[int] = out[0, len(prompt) :].tolist()
    return tokens
