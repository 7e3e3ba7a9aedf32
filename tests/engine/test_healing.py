"""The tokens that may spell what the caret cut off, as a mask and one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from engine.healing import Healing

if TYPE_CHECKING:
    from engine.tokenizers import Tokenizer


def masked_in(healing: Healing, tokenizer: Tokenizer) -> set[int]:
    logits = healing.limited(torch.zeros(tokenizer.vocab_size))
    return set(logits.isfinite().nonzero().flatten().tolist())


def allowed_by(healing: Healing, tokenizer: Tokenizer) -> set[int]:
    return {token for token in range(tokenizer.vocab_size) if healing.allows(token)}


@pytest.mark.parametrize("least", [0, 1])
@pytest.mark.parametrize("heal", [b" ret", b"x", "é".encode()[:1], b" \t", b"self.width"])
def test_a_token_is_allowed_where_the_mask_has_it(
    smollm2: Tokenizer, heal: bytes, least: int
) -> None:
    healing = Healing(smollm2, heal, least, smollm2.eos_ids)
    allowed = masked_in(healing, smollm2)
    assert allowed
    assert allowed_by(healing, smollm2) == allowed
    healing.advance(min(allowed, key=lambda token: len(smollm2.token_bytes(token))))
    assert allowed_by(healing, smollm2) == masked_in(healing, smollm2)


def test_nothing_to_heal_allows_everything(smollm2: Tokenizer) -> None:
    healing = Healing(smollm2, b"")
    assert len(masked_in(healing, smollm2)) == smollm2.vocab_size
    assert all(healing.allows(token) for token in (*smollm2.eos_ids, 5))


def test_no_end_before_so_many_tokens(smollm2: Tokenizer) -> None:
    healing = Healing(smollm2, b"", 2, smollm2.eos_ids)
    tokens = smollm2.encode("a = 1")[:2]
    for token in tokens:
        assert not masked_in(healing, smollm2) & smollm2.eos_ids
        assert not any(healing.allows(end) for end in smollm2.eos_ids)
        healing.advance(token)
    assert len(masked_in(healing, smollm2)) == smollm2.vocab_size


def test_a_token_that_only_completes_the_prompt_does_not_count(smollm2: Tokenizer) -> None:
    (ret,) = smollm2.encode(" ret")
    (returns,) = smollm2.encode(" return")
    assert ret in masked_in(Healing(smollm2, b" ret"), smollm2)
    healing = Healing(smollm2, b" ret", 1, smollm2.eos_ids)
    assert ret not in masked_in(healing, smollm2)
    assert returns in masked_in(healing, smollm2)
    healing.advance(returns)
    assert len(masked_in(healing, smollm2)) == smollm2.vocab_size
