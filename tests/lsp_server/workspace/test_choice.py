"""What goes into the prompt: budget, order, no repetition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.workspace.choice import choose, snippets
from lsp_server.workspace.found import Found

FOUND = st.builds(
    Found,
    path=st.sampled_from(["a.py", "b.py", "c/d.py"]),
    line=st.integers(0, 60),
    text=st.lists(st.text("abcxyz ", min_size=1, max_size=12), min_size=1, max_size=8).map(
        "\n".join
    ),
    score=st.floats(0.01, 10),
    kind=st.sampled_from(["definition", "recent", "piece"]),
    brief=st.just(""),
)


def item(path: str, text: str = "", score: float = 1.0, line: int = 0) -> Found:
    return Found(path, line, text or f"def of_{path[0]}(): ...", score, "definition")


@given(st.lists(FOUND, max_size=12), st.lists(FOUND, max_size=4), st.integers(0, 400))
def test_the_room_is_kept_and_nothing_comes_twice(
    found: list[Found], before: list[Found], room: int
) -> None:
    chosen = choose(found, before, "", room)
    shown = snippets(chosen)
    assert sum(len(snippet.text) + len(snippet.path) for snippet in shown) <= room
    assert len({snippet.path for snippet in shown}) == len(shown)
    assert all(item in found for item in chosen)
    assert choose(found, before, "", room) == chosen


@given(st.lists(FOUND, max_size=12), st.integers(0, 400))
def test_what_was_chosen_is_chosen_again_in_its_order(found: list[Found], room: int) -> None:
    chosen = choose(found, (), "", room)
    assert choose(chosen, chosen, "", room) == chosen


def test_what_stays_keeps_its_place_and_what_is_new_stands_behind() -> None:
    before = [item("b.py"), item("a.py")]
    chosen = choose([item("c.py", score=9), item("a.py"), item("b.py")], before, "", 1000)
    assert [found.path for found in chosen] == ["b.py", "a.py", "c.py"]


def test_only_what_is_clearly_better_takes_a_place() -> None:
    before, room = [item("a.py")], 50
    assert choose([item("a.py"), item("b.py", score=1.4)], before, "", room) == before
    better = item("b.py", score=1.6)
    assert choose([item("a.py"), better], before, "", room) == [better]


def test_text_that_the_window_shows_is_left_out() -> None:
    found = item("a.py", "def f(x):\n    return x")
    assert choose([found], (), "import a\n\ndef f(x):\n    return x\n", 1000) == []
    assert choose([found], (), "import a\n\ndef g(x):\n    return x\n", 1000) == [found]


def test_texts_of_one_file_share_its_title_in_the_files_order() -> None:
    first, second = item("a.py", "def one(): ...", 1, 0), item("a.py", "def two(): ...", 2, 9)
    chosen = choose([first, item("b.py", score=1.5), second], (), "", 1000)
    assert [snippet.path for snippet in snippets(chosen)] == ["a.py", "b.py"]
    assert snippets(chosen)[0].text == "def one(): ...\ndef two(): ..."


def at_length(path: str, members: int, score: float = 1.0) -> Found:
    """A type with its members, and the line that it begins with."""
    lines = [f"class {path[0].upper()}:"]
    lines += [f"    def {path[0]}_{n}(self) -> int:" for n in range(members)]
    return Found(path, 0, "\n".join(lines), score, "definition", lines[0])


def test_definitions_are_told_briefly_before_any_is_told_at_length() -> None:
    found = [at_length("a.py", 9, 3.0), at_length("b.py", 9, 2.0), at_length("c.py", 9)]
    lines = {item.path: item.text.count("\n") for item in choose(found, (), "", 400)}
    assert lines == {"a.py": 9, "b.py": 0, "c.py": 0}
    assert {item.path: item for item in choose(found, (), "", 2000)} == {f.path: f for f in found}


def test_a_member_gives_way_to_its_type() -> None:
    text = "    def a_0(self) -> int:"
    member = Found("a.py", 1, text, 2.0, "definition", text)
    whole = at_length("a.py", 3)
    assert choose([member, whole], (), "", 1000) == [whole]
