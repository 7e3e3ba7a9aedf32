"""The tokens that may spell what the caret cut off, as a list and one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.healing import Healing

if TYPE_CHECKING:
    from engine.tokenizers import Tokenizer


@pytest.mark.parametrize("heal", [b" ret", b"x", "é".encode()[:1], b" \t", b"self.width"])
def test_a_token_is_allowed_where_the_list_has_it(smollm2: Tokenizer, heal: bytes) -> None:
    healing = Healing(smollm2, heal)
    allowed = healing.allowed()
    assert allowed
    assert {t for t in range(smollm2.vocab_size) if healing.allows(t)} == set(allowed)
    healing.advance(min(allowed, key=lambda token: len(smollm2.token_bytes(token))))
    assert set(healing.allowed() or range(smollm2.vocab_size)) == {
        token for token in range(smollm2.vocab_size) if healing.allows(token)
    }


def test_nothing_to_heal_allows_everything(smollm2: Tokenizer) -> None:
    healing = Healing(smollm2, b"")
    assert healing.allowed() is None
    assert all(healing.allows(token) for token in (*smollm2.eos_ids, 5))
