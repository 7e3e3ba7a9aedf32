"""Drafts come from where the last tokens stood before, and from the latest such place."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from engine import drafts
from engine.drafts import LONGEST, Draft, Reference

if TYPE_CHECKING:
    import pytest


def _reference(*texts: list[int]) -> Reference:
    reference = Reference()
    for text in texts:
        reference.begin(text)
    return reference


def _searched(tokens: list[int], most: int) -> Draft:
    """The slow path: look at every earlier place, from the longest match down."""
    for length in range(min(LONGEST, len(tokens) - 1), 0, -1):
        for end in range(len(tokens) - 1, length - 1, -1):
            if tokens[end - length : end] == tokens[-length:]:
                return Draft(tokens[end : end + most], length)
    return Draft([])


def test_agrees_with_a_search_of_the_whole_text() -> None:
    chance = random.Random(5)
    text = [chance.randrange(6) for _ in range(300)]
    seen: list[int] = []
    reference = _reference([])
    for token in text:
        draft = reference.draft(5)
        if draft.match:
            assert draft == _searched(seen, 5)
        else:
            assert not _searched(seen, 5).match
        reference.extend([token])
        seen.append(token)


def test_the_longest_match_wins_then_the_latest() -> None:
    assert _reference([1, 2, 3, 9, 3, 7, 1, 2, 3]).draft(2) == Draft([9, 3], 3)
    assert _reference([2, 3, 8, 2, 3, 9, 2, 3]).draft(1) == Draft([9], 2)
    assert _reference([1, 2, 3]).draft(4) == Draft([])


def test_the_text_that_this_one_replaces_is_the_nearest_source() -> None:
    reference = _reference([5, 6, 7, 8], [5, 6, 9])
    reference.begin([5, 6])
    assert reference.draft(4) == Draft([9], 2)


def test_one_token_in_place_of_another_keeps_the_place() -> None:
    reference = _reference([1, 2, 3, 4, 5, 6])
    reference.begin([1, 2, 77])
    assert reference.draft(2) == Draft([4, 5])
    assert reference.draft(2, allows={5}.__contains__) == Draft([])
    reference.extend([78])
    assert reference.draft(2) == Draft([5, 6])
    reference.extend([5])
    assert reference.draft(2) == Draft([6], 1)


def test_sources_that_go_on_with_what_is_not_allowed_do_not_count() -> None:
    reference = _reference([2, 3, 8, 1, 3, 9, 2, 3])
    assert reference.draft(1) == Draft([8], 2)
    assert reference.draft(1, allows=[9].__contains__) == Draft([9], 1)
    assert reference.draft(1, allows=[7].__contains__) == Draft([])


def test_a_draft_ends_where_its_text_ended() -> None:
    assert _reference([1, 2, 3], [7, 8], [1]).draft(9) == Draft([2, 3], 1)


def test_what_a_text_shares_with_the_one_before_is_noted_once() -> None:
    reference = _reference([1, 2, 3, 4, 5, 6])
    for key in range(100):
        reference.begin([1, 2, 3, 4, 5, 6, 7, 8 + key])
    assert reference.draft(1) == Draft([])
    reference.extend([1])
    assert reference.draft(3) == Draft([2, 3, 4], 1)
    assert len(reference._tokens) < 100 * (LONGEST + 4)


def test_asking_changes_no_answer() -> None:
    reference = _reference([1, 2, 3, 4, 1, 2])
    assert [reference.draft(most) for most in (0, 2, 2)] == [Draft([], 2), *[Draft([3, 4], 2)] * 2]


def test_old_text_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "KEPT", 10)
    reference = _reference([1, 2], list(range(100, 130)), [1])
    assert reference.draft(1) == Draft([])
    reference.begin([125])
    assert reference.draft(2) == Draft([126, 127], 1)
