"""A span stays around its text, whatever is edited."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.documents import Document, split_lines
from lsp_server.statistics.spans import Edit, Place, Span, fate_of

PIECES = st.text("ab\n", max_size=12)
MARK = "XY\nZ"


def place(text: str, offset: int) -> Place:
    lines = split_lines(text[:offset])
    return len(lines) - 1, len(lines[-1])


def between(text: str, start: int, end: int) -> Span:
    return Span(place(text, start), place(text, end))


@given(PIECES, PIECES, st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.floats(0, 1), PIECES)))
def test_edits_before_and_after_leave_the_text(
    before: str, after: str, edits: list[tuple[bool, float, float, str]]
) -> None:
    """Against a real document; none of the edits touches the end of the text."""
    text = before + MARK + after
    document, span = Document.open("a", "", text), between(text, len(before), len(before + MARK))
    for above, first, length, new in edits:
        text = "".join(document.lines)
        at = text.index(MARK)
        low, high = (0, at) if above else (at + len(MARK) + 1, len(text))
        start = low + round(first * (high - low))
        end = start + round(length * (high - start))
        if low > high or (above and end == at == start):
            continue  # put in right before the text, it belongs to the span
        edit = Edit(place(text, start), place(text, end), new)
        document.edit(edit.start, edit.end, edit.text)
        span.edited(edit)
        assert span.text(document.lines) == MARK or end == at


@given(PIECES, PIECES, PIECES)
def test_what_replaces_the_span_is_in_it(before: str, after: str, new: str) -> None:
    """As an editor accepts: in place of the word, behind it, or the word typed anew."""
    for start in (0, 1):
        text = before + "ab" + after
        document, span = Document.open("a", "", text), between(text, len(before), len(before) + 2)
        edit = Edit(place(text, len(before) + 2 * start), place(text, len(before) + 2), new)
        document.edit(edit.start, edit.end, edit.text)
        span.edited(edit)
        assert span.text(document.lines) == ("ab" * start) + new


def test_a_deletion_across_an_edge() -> None:
    document, span = Document.open("a", "", "one two three"), Span((0, 4), (0, 7))
    for edit in (Edit((0, 2), (0, 5), ""), Edit((0, 3), (0, 6), "")):
        document.edit(edit.start, edit.end, edit.text)
        span.edited(edit)
    assert span.text(document.lines) == "w"


def test_what_becomes_of_a_text() -> None:
    block = "\n    a = 1\n\n    b = 2"
    assert fate_of(block, "\n\ta = 1\n\tb = 2  # so\n") == "kept"
    assert fate_of(block, "\n    a = 1\n    b = 3") == "changed"
    assert fate_of(block, "\n    b = 2\n    a = 1") == "changed"
    assert fate_of(block, "\n    pass") == "gone"
    assert fate_of("}", "") == "gone"
