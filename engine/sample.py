"""Choosing the next token from logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from engine.api import Sampling


class Choice(NamedTuple):
    """A chosen token and its log-probability under the model's own distribution."""

    token: int
    logprob: float


def make_sampler(sampling: Sampling) -> Callable[[Tensor], Choice]:
    """A function of logits float32 [vocab]; greedy when the temperature is 0."""
    if sampling.temperature <= 0:
        return greedy
    generator = torch.Generator()
    if sampling.seed is None:
        generator.seed()
    else:
        generator.manual_seed(sampling.seed)

    def sample(logits: Tensor) -> Choice:
        kept = top_p(top_k(logits / sampling.temperature, sampling.top_k), sampling.top_p)
        token = int(torch.multinomial(kept.softmax(-1), 1, generator=generator))
        return Choice(token, logprob(logits, token))

    return sample


def greedy(logits: Tensor) -> Choice:
    """The most likely token; the first of equals."""
    # numpy's argmax takes a tenth of the time of torch's over a large vocabulary.
    token = int(logits.cpu().numpy().argmax())
    return Choice(token, logprob(logits, token))


def logprob(logits: Tensor, token: int) -> float:
    """Natural logarithm of the token's probability."""
    # In one thread: torch would wait for a second one, which may be busy elsewhere.
    values = logits.cpu().numpy()
    largest = values.max()
    return float(values[token] - largest - np.log(np.exp(values - largest).sum()))


def top_k(logits: Tensor, k: int) -> Tensor:
    """Logits with all but the k largest at minus infinity; 0 keeps all."""
    if k <= 0 or k >= logits.shape[-1]:
        return logits
    smallest_kept = logits.topk(k).values[-1]
    return logits.masked_fill(logits < smallest_kept, -torch.inf)


def top_p(logits: Tensor, p: float) -> Tensor:
    """Nucleus sampling (arXiv 1904.09751): the fewest tokens whose probabilities reach p."""
    if p >= 1:
        return logits
    ordered, order = logits.sort(descending=True)
    before = ordered.softmax(-1).cumsum(-1) - ordered.softmax(-1)
    return logits.masked_fill((before >= p).scatter(0, order, before >= p), -torch.inf)
