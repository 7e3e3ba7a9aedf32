from __future__ import annotations

import torch

from engine.api import Sampling
from engine.sample import greedy, logprob, make_sampler, top_k, top_p

LOGITS = torch.tensor([0.1, 0.5, 0.15, 0.25]).log()


def test_greedy_takes_the_most_likely_and_says_how_likely() -> None:
    choice = greedy(LOGITS + 3)
    assert choice.token == 1
    assert abs(choice.logprob - LOGITS[1].item()) < 1e-6
    assert make_sampler(Sampling())(LOGITS) == greedy(LOGITS)


def test_log_probabilities_are_those_of_torch() -> None:
    logits = 20 * torch.randn(50_000, generator=torch.Generator().manual_seed(0))
    logits[::3] = -torch.inf
    expected = logits.log_softmax(-1)
    for token in (int(logits.argmax()), 1, 7, 100):
        assert abs(logprob(logits, token) - expected[token].item()) < 1e-4
    assert greedy(logits).token == int(logits.argmax())
    assert greedy(torch.ones(9)).token == 0


def test_top_k_keeps_the_k_largest() -> None:
    assert top_k(LOGITS, 2).isfinite().tolist() == [False, True, False, True]
    assert top_k(LOGITS, 0).isfinite().all()


def test_top_p_keeps_the_fewest_that_reach_p() -> None:
    assert top_p(LOGITS, 0.5).isfinite().tolist() == [False, True, False, False]
    assert top_p(LOGITS, 0.51).isfinite().tolist() == [False, True, False, True]
    assert top_p(LOGITS, 1.0).isfinite().all()


def test_samples_follow_the_distribution_and_the_seed() -> None:
    draw = make_sampler(Sampling(temperature=1.0, seed=7))
    tokens = [draw(LOGITS).token for _ in range(4000)]
    share = torch.bincount(torch.tensor(tokens), minlength=4) / 4000
    assert torch.allclose(share, LOGITS.exp(), atol=0.03)
    again = make_sampler(Sampling(temperature=1.0, seed=7))
    assert [again(LOGITS).token for _ in range(50)] == tokens[:50]


def test_sampling_never_leaves_the_nucleus() -> None:
    draw = make_sampler(Sampling(temperature=1.0, top_p=0.7, seed=1))
    assert {draw(LOGITS).token for _ in range(200)} == {1, 3}
