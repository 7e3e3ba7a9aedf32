"""Draft sizes follow what passes cost and how many drafts hold; the clock is the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.drafts import Draft
from engine.speculation import MOST_ROWS, Experience, HitRates, NoDrafts, PassTimes, Speculation

if TYPE_CHECKING:
    from collections.abc import Callable


def flat(rows: int) -> float:
    """Memory-bound: rows cost next to nothing."""
    return 1 + rows / 100


def steep(rows: int) -> float:
    """Bound by arithmetic: as many passes as rows."""
    return float(rows)


def knee(rows: int) -> float:
    """Free up to five rows, dear beyond."""
    return 1.0 if rows <= 5 else rows / 2


def anything(token: int) -> bool:
    """No constraint."""
    del token
    return True


def _experience(cost: Callable[[int], float], rate: float, match: int = 4) -> Experience:
    experience = Experience()
    for rows in range(1, MOST_ROWS + 1):
        experience.times.note(rows, cost(rows))
    for _ in range(200):
        experience.rates.note(match, held=round(100 * rate), tested=100)
    return experience


DRAFT = Draft(list(range(40)), match=4)


def test_cheap_rows_and_good_drafts_make_long_ones() -> None:
    assert _experience(flat, 0.9).size(DRAFT, pending=1) == MOST_ROWS - 1
    assert _experience(flat, 0.9).size(Draft([1, 2], match=4), pending=1) == 2
    assert _experience(knee, 0.5).size(DRAFT, pending=1) == 4


@pytest.mark.parametrize("rate", [0.02, 0.5, 0.9])
def test_nothing_is_drafted_where_rows_cost_as_much_as_passes(rate: float) -> None:
    assert _experience(steep, rate).size(DRAFT, pending=1) == 0


def test_bad_drafts_are_not_checked_unless_they_are_free() -> None:
    assert _experience(lambda rows: 1 + rows / 10, 0.02).size(DRAFT, pending=1) == 0
    assert _experience(lambda _: 1.0, 0.02).size(DRAFT, pending=1) > 0


def test_each_match_has_a_rate_of_its_own() -> None:
    experience = _experience(lambda rows: 1 + rows / 10, 0.9)
    for _ in range(100):
        experience.rates.note(1, held=0, tested=1)
    assert experience.size(DRAFT, pending=1) > 4
    assert experience.size(DRAFT._replace(match=1), pending=1) == 0


def test_a_prompt_as_large_as_a_pass_takes_no_draft() -> None:
    experience = _experience(flat, 0.9)
    assert experience.size(DRAFT, pending=3) == MOST_ROWS - 3
    assert experience.size(DRAFT, pending=MOST_ROWS) == 0
    assert experience.size(DRAFT, pending=128) == 0


def test_unknown_numbers_of_rows_lie_between_the_known_ones() -> None:
    times = PassTimes()
    assert times.expected(3) == 0
    times.note(3, 2.0)
    assert [times.expected(rows) for rows in (1, 3, 9)] == [2.0, 2.0, 2.0]
    times.note(7, 4.0)
    assert [times.expected(rows) for rows in (1, 3, 4, 7, 9)] == [2.0, 2.0, 2.5, 4.0, 4.0]


def test_no_number_of_rows_is_dearer_than_a_larger_one() -> None:
    times = PassTimes()
    for rows, seconds in ((1, 1.0), (2, 9.0), (4, 2.0), (8, 4.0)):
        times.note(rows, seconds)
    assert [times.expected(rows) for rows in (1, 2, 3, 4, 6)] == [1.0, 2.0, 2.0, 2.0, 3.0]


def test_times_follow_the_machine_and_old_ones_are_forgotten() -> None:
    times = PassTimes()
    times.note(8, 100.0)
    for _ in range(200):
        times.note(1, 1.0)
    assert times.expected(8) == 100
    for _ in range(100):
        times.note(1, 2.0)
    assert times.expected(1) == pytest.approx(2.0)
    assert times.expected(8) == times.expected(1)  # forgotten: worth another try


def test_rates_start_at_a_half_and_follow_what_holds() -> None:
    rates = HitRates()
    assert rates.expected(2) == 0.5
    for _ in range(300):
        rates.note(2, held=3, tested=4)
    assert rates.expected(2) == pytest.approx(0.75, abs=0.01)
    for _ in range(300):
        rates.note(2, held=0, tested=1)
    assert rates.expected(2) < 0.05


def test_a_draft_that_was_not_checked_still_teaches() -> None:
    experience = _experience(lambda rows: 1 + rows / 10, 0.0)
    text = [1, 2, 3, 4, 5, 6, 7, 8]
    drafter = Speculation(experience, [*text, *text[:4]], max_tokens=1000)
    assert drafter.draft(1, room=100, allows=anything) == []
    for _ in range(100):
        for token in text[4:] + text[:4]:
            found = drafter.draft(1, room=100, allows=anything)
            drafter.learn(1, 1.1, 0, [token])
    assert experience.rates.expected(4) > 0.8
    assert len(found) > 1


def test_a_draft_fits_the_room_and_the_answer() -> None:
    experience = _experience(flat, 0.9)
    text = list(range(30))
    drafter = Speculation(experience, [*text, *text[:4]], max_tokens=10)
    assert drafter.draft(1, room=3, allows=anything) == [4, 5, 6]
    assert drafter.draft(1, room=0, allows=anything) == []
    assert len(drafter.draft(1, room=100, allows=anything)) == 9
    drafter.learn(9, 1.0, 8, text[4:12])
    assert len(drafter.draft(1, room=100, allows=anything)) == 1
    drafter.learn(1, 1.0, 0, [12])
    assert drafter.draft(1, room=100, allows=anything) == []
    assert NoDrafts().draft(1, 100, anything) == []
