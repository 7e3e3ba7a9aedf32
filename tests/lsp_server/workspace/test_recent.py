"""Where the user was, while texts move."""

from __future__ import annotations

from lsp_server.workspace.recent import KEPT, NEAR, Recent, Spot, text_around


def test_edits_stand_before_visits_and_new_before_old() -> None:
    recent = Recent()
    recent.edited("a", 5, 5, 1)
    recent.visited("b", 7)
    recent.edited("c", 9, 9, 1)
    assert recent.spots == [Spot("c", 9, True), Spot("a", 5, True), Spot("b", 7, False)]


def test_a_place_that_was_edited_stays_so_when_it_is_visited() -> None:
    recent = Recent()
    recent.edited("a", 5, 5, 1)
    recent.visited("a", 5 + NEAR)
    assert recent.spots == [Spot("a", 5 + NEAR, True)]


def test_lines_put_in_and_taken_out_above_move_a_place() -> None:
    recent = Recent()
    recent.visited("a", 100)
    recent.visited("b", 100)
    recent.edited("a", 10, 10, 6)
    recent.edited("a", 40, 49, 1)
    assert {spot for spot in recent.spots if not spot.edited} == {
        Spot("a", 96, False),
        Spot("b", 100, False),
    }


def test_only_so_many_are_kept() -> None:
    recent = Recent()
    for number in range(KEPT + 5):
        recent.visited(str(number), 0)
    assert len(recent.spots) == KEPT


def test_a_closed_document_is_forgotten() -> None:
    recent = Recent()
    recent.edited("a", 0, 0, 1)
    recent.forget("a")
    assert recent.spots == []
    assert recent.take_edited() == set()


def test_documents_are_told_of_once_after_an_edit() -> None:
    recent = Recent()
    recent.edited("a", 0, 0, 1)
    recent.edited("b", 0, 0, 1)
    assert recent.take_edited(but="b") == {"a"}
    assert recent.take_edited() == {"b"}
    assert recent.take_edited() == set()


def test_text_at_the_ends_of_a_document() -> None:
    lines = [f"{number}\n" for number in range(30)]
    assert text_around(lines, 0)[0] == 0
    assert text_around(lines, 29)[1].endswith("29")
    assert text_around(lines, 99) == (93, "")
    assert text_around([""], 0) == (1, "")


def test_no_part_of_a_private_key_is_shown() -> None:
    key = ["-----BEGIN RSA PRIVATE KEY-----\n", *["aB3/" * 16 + "\n"] * 50]
    _, text = text_around([*key, "x = 1\n"], 51)
    assert set(text.replace("\n", "")) == set("* x=1")
