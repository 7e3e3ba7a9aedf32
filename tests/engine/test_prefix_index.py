from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from engine.tokenizers.prefix_index import PrefixIndex


@dataclass
class Words:
    words: list[bytes]

    @property
    def vocab_size(self) -> int:
        return len(self.words)

    def token_bytes(self, token: int) -> bytes:
        return self.words[token]


FEW_LETTERS = st.lists(st.sampled_from(b"ab\xfe\xff"), max_size=4).map(bytes)


@given(st.lists(FEW_LETTERS), FEW_LETTERS.filter(bool))
def test_allowed_is_every_token_that_can_spell_the_beginning(
    words: list[bytes], remaining: bytes
) -> None:
    expected = [
        i
        for i, word in enumerate(words)
        if word and (word.startswith(remaining) or remaining.startswith(word))
    ]
    assert sorted(PrefixIndex(Words(words)).allowed(remaining)) == expected


@given(st.lists(FEW_LETTERS), FEW_LETTERS.filter(bool))
def test_extends_means_a_longer_token(words: list[bytes], text: bytes) -> None:
    expected = any(word.startswith(text) and word != text for word in words)
    assert PrefixIndex(Words(words)).extends(text) == expected
