"""What is counted of suggestions, from the answer to half a minute after its acceptance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from engine.api import Usage
from lsp_server.context import Site
from lsp_server.documents import Document
from lsp_server.predictions import KEPT, Prediction
from lsp_server.statistics.offers import KEEP_S, Asked, Offers
from lsp_server.statistics.spans import Edit

if TYPE_CHECKING:
    from collections.abc import Callable

USAGE = Usage(completion_tokens=5, prefill_ms=100.2, decode_ms=200.2)
SITE = Site("x = ", "\n", "python")


def prediction(text: str) -> Prediction:
    return Prediction("a", SITE, text, 0.5, usage=USAGE)


@dataclass
class Desk:
    """Offers for one document, whose clock stands until it is told."""

    document: Document = field(default_factory=lambda: Document.open("a", "python", "x = \nend\n"))
    counted: Counter[str] = field(default_factory=Counter)
    due: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    closed: bool = False

    def __post_init__(self) -> None:
        self.offers = Offers(self._count, self._lines, lambda s, work: self.due.append((s, work)))

    def _count(self, language: str, name: str, number: int) -> None:
        assert language == "python"
        self.counted[name] += number

    def _lines(self, document: str) -> list[str] | None:
        assert document == "a"
        return None if self.closed else self.document.lines

    def answer(self, *texts: str, of: Prediction | None = None, column: int = 4) -> list[str]:
        asked = Asked("a", "python", (0, 4), (0, column), "model", 0.1)
        return self.offers.answered(asked, texts, of or prediction(texts[0]))

    def edit(self, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        self.document.edit(start, end, text)
        self.offers.edited("a", Edit(start, end, text))

    def wait(self) -> None:
        for seconds, work in self.due:
            assert seconds == KEEP_S
            work()
        self.due.clear()

    def told(self) -> dict[str, int]:
        """All but times and costs."""
        other = ("tokens", "model_ms")
        return {k: v for k, v in self.counted.items() if k not in other and " " not in k}


def test_shown_once_however_much_of_it_is_typed() -> None:
    desk, known = Desk(), prediction("f(a, b)")
    desk.answer("f(a, b)", of=known)
    desk.answer("(a, b)", of=replace(known, text="(a, b)"), column=5)
    assert desk.counted == {
        "shown": 1, "model 27": 2, "tokens": 5, "model_ms": 300
    }  # fmt: skip


def test_shown_again_while_it_is_predicted_it_counts_once() -> None:
    desk, known = Desk(), prediction("f()")
    desk.answer("f()", of=known)
    for number in range(KEPT - 1):
        desk.answer(f"g{number}()")
    before = desk.counted.copy()
    desk.answer("f()", of=known)
    assert desk.counted - before == {"model 27": 1}


def test_an_editor_that_tells_what_it_shows_is_believed() -> None:
    desk = Desk()
    (first,) = desk.answer("f()")
    desk.offers.shown(first)
    assert desk.told() == {"shown": 1}
    second, other = desk.answer("g()", "h()")
    assert desk.told() == {"shown": 1}
    for name in (second, second, "unknown", ""):
        desk.offers.shown(name)
    assert desk.told() == {"shown": 2}
    desk.offers.shown(other)
    assert desk.told() == {"shown": 3}


def test_accepted_as_a_whole_and_kept() -> None:
    desk = Desk()
    (name,) = desk.answer("f(a)\n    b")
    desk.edit((0, 4), (0, 4), "f(a)\n    b")
    desk.offers.accepted(name)
    desk.offers.accepted(name)  # nothing is left of it
    # Five letters without line end and indentation, less the key.
    assert desk.told() == {"shown": 1, "accepted": 1, "whole": 1, "characters": 4}
    desk.edit((0, 0), (0, 0), "# above\n")
    desk.edit((2, 5), (2, 5), " + 1")
    desk.wait()
    assert desk.counted["kept"] == 1


def test_the_command_may_come_before_the_edit() -> None:
    desk = Desk()
    (name,) = desk.answer("f(a)")
    desk.offers.accepted(name)
    desk.edit((0, 4), (0, 4), "f(a)")
    desk.wait()
    assert desk.counted["kept"] == 1


def test_what_is_taken_back_is_gone_and_what_is_edited_is_changed() -> None:
    desk = Desk()
    (name,) = desk.answer("f(a)\ng(b)")
    desk.edit((0, 4), (0, 4), "f(a)\ng(b)")
    desk.offers.accepted(name)
    desk.edit((1, 0), (1, 1), "other")
    desk.wait()
    assert desk.counted["changed"] == 1
    (name,) = desk.answer("h()")
    desk.edit((0, 4), (0, 4), "h()")
    desk.offers.accepted(name)
    desk.edit((0, 4), (0, 7), "")
    desk.wait()
    assert desk.counted["gone"] == 1


def test_by_word_by_line_and_the_rest() -> None:
    desk = Desk()
    (name,) = desk.answer("width * height + 1")
    for length in (5, 7, 14, 14):
        desk.offers.accepted(name, length)
    desk.offers.accepted(name)
    # "width", " *", " height", nothing, and " + 1" of two words: 4 + 0 + 5 + 2
    assert desk.told() == {"shown": 1, "accepted": 1, "word": 3, "line": 1, "characters": 11}


def test_the_typed_word_is_not_saved() -> None:
    desk = Desk()
    (name,) = desk.answer("return x", column=7)
    desk.offers.accepted(name)
    assert desk.counted["whole"] == 1
    assert desk.counted["characters"] == len("urn x") - 1


def test_lengths_count_utf16_units() -> None:
    desk = Desk()
    (name,) = desk.answer('"🟦🟦" + x')
    desk.offers.accepted(name, 6)
    desk.offers.accepted(name, -1)
    assert desk.told() == {"shown": 1, "accepted": 1, "word": 1, "characters": 3}


def test_a_document_that_is_closed_or_set_anew_is_not_looked_at() -> None:
    desk = Desk()
    for end in ("closed", "anew"):
        (name,) = desk.answer("f()")
        desk.edit((0, 4), (0, 4), "f()")
        desk.offers.accepted(name)
        desk.closed = end == "closed"
        desk.offers.edited("a", None)
        desk.wait()
    assert not {"kept", "changed", "gone"} & set(desk.counted)


def test_edits_of_other_documents_move_nothing() -> None:
    desk = Desk()
    (name,) = desk.answer("f()")
    desk.edit((0, 4), (0, 4), "f()")
    desk.offers.accepted(name)
    desk.offers.edited("b", Edit((0, 0), (0, 9), ""))
    desk.wait()
    assert desk.counted["kept"] == 1


def test_it_remembers_the_last_ones_and_those_it_has_to_look_at() -> None:
    desk = Desk()
    (accepted,), (old,) = desk.answer("f()"), desk.answer("g()")
    desk.edit((0, 4), (0, 4), "f()")
    desk.offers.accepted(accepted)
    for number in range(200):
        desk.answer(f"h{number}()")
    assert len(desk.offers._offers) < 36
    assert len(desk.offers._suggestions) == KEPT
    desk.offers.accepted(old)
    desk.wait()
    assert (desk.counted["accepted"], desk.counted["kept"]) == (1, 1)
