"""Ends of answers from other servers: control tokens as text, fences and prose."""

from __future__ import annotations

import pytest

from engine.api import Piece
from engine.endings import ChatEnding, Choice, InfillEnding
from engine.errors import AnswerUnusable
from engine.fim_styles import FIM_STYLES

PREFIX = "def f(a, b):\n    "


def _infilled(
    parts: list[str], prefix: str = PREFIX, suffix: str = "\n", path: str = "a.py"
) -> str:
    ending = InfillEnding(prefix, suffix, path)
    shown = ""
    for part in parts:
        shown += ending.push(part)
        if ending.ended:
            return shown
    return shown + ending.flush()


def _everywhere(text: str, **where: str) -> set[str]:
    """The texts shown for an answer that is whole, in letters, or cut in two at any place."""
    cuts = [[text[:at], text[at:]] for at in range(len(text) + 1)]
    return {_infilled(parts, **where) for parts in [[text], list(text), *cuts]}


@pytest.mark.parametrize(
    "mark",
    [
        *["<EOT>", "▁<EOT>", "<|file_sep|>src/x.py\nimport os", "<|fim_middle|>", "<fim_suffix>"],
        *["<file_sep>", "<|endoftext|>", "<|fim_pad|>\n", "</s>", "<|eot_id|>x", "<｜fim▁hole｜>"],
        *["<|im_end|>\n<|im_start|>system", "[/INST]", "<end_of_turn>", "<[fim-middle]>"],
    ],
)
def test_a_control_token_ends_the_text(mark: str) -> None:
    assert _everywhere("return a + b" + mark) == {"return a + b"}


def test_every_control_token_of_a_style_is_known() -> None:
    names = {
        name
        for style in FIM_STYLES.values()
        for name in (*style.sentinels, *style.ends, style.repository, style.file)
    }
    # People write these too, and the last are no tokens' texts.
    spared = {"", "<s>", "<filename>", "[PREFIX]", "[SUFFIX]", *FIM_STYLES["metadata"].sentinels}
    for name in names - spared:
        assert _infilled(["x", name, "y"]) == "x"


@pytest.mark.parametrize(
    "text",
    [
        *["a <b> c", "vector<EOTS> x", "x <| y |> z", "a <|> b", "a<b|c>d", "cat <<EOT>out", "<"],
        *["if a < b:\n    return <", "<fim", "<fim_prefix", "<|fim_pre", "a[<|x y|>]", "`a` ``b``"],
        *["x = '''\n  a\n'''", "I", "Sure", "Here is", "<｜", "</", "[/INS", "\n\n", "🎉 <b>"],
    ],
)
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert _everywhere(text) == {text}


@pytest.mark.parametrize("mark", ["<|endoftext|>", "<EOT>", "<fim_pad>"])
def test_a_token_that_the_document_spells_is_text(mark: str) -> None:
    text = f"'{mark}', 'x']"
    assert _everywhere(text, prefix=f"a = ['{mark}', ") == {text}
    assert _everywhere(text, suffix=f"\n# {mark}") == {text}


def test_a_tag_that_the_document_opened_may_be_closed() -> None:
    assert _everywhere("old</s>", prefix="<p><s>", path="a.html") == {"old</s>"}


def test_a_tag_that_the_answer_opened_may_be_closed() -> None:
    assert _everywhere("<s>a</s> b", prefix="<p>", path="a.html") == {"<s>a</s> b"}


def test_a_list_of_tokens_goes_on() -> None:
    """If the document spells a control token, another one in quotes is text, too."""
    text = '"<|fim_prefix|>",\n    "<|fim_middle|>",\n]'
    known = 'TOKENS = [\n    "<|endoftext|>",\n    '
    assert _everywhere(text, prefix=known) == {text}
    assert _everywhere(f"{text}<|fim_pad|>", prefix=known) == {text}
    assert _everywhere(text) == {'"'}


@pytest.mark.parametrize("text", ["a < b and c", "x = `1`\n", "f(<T>)", "    y = 1\n    z"])
def test_nothing_certain_waits(text: str) -> None:
    ending = InfillEnding(PREFIX, "\n", "a.py")
    waiting = ""
    for letter in text:
        waiting = (waiting + letter).removeprefix(ending.push(letter))
        assert waiting in ("", "<", "`")


def test_a_fence_ends_code() -> None:
    text = "return a\n```\nThis function adds."
    assert _everywhere(text) == {"return a\n"}
    assert _everywhere(text, path="a.md") == {text}
    assert _everywhere(text, prefix="'''\n```\nx\n```\n") == {text}


@pytest.mark.parametrize(
    "text",
    [
        "```python\nreturn a\n```",
        "\n  ```\nreturn a\n```",
        "Here is the completed function:\n\n```python\nreturn a\n```",
        "Sure! Here's how",
        "I'm sorry, but I cannot",
    ],
)
def test_an_answer_as_in_a_chat_is_none(text: str) -> None:
    for parts in [[text], list(text)]:
        with pytest.raises(AnswerUnusable, match="as in a chat"):
            _infilled(parts)
    assert _everywhere(text, path="notes.md") == {text}


@pytest.mark.parametrize("path", ["a.py", "notes.md"])
def test_thoughts_are_no_answer(path: str) -> None:
    text = "<think>\nThe user wants"
    for parts in [[text], list(text)]:
        with pytest.raises(AnswerUnusable, match="as in a chat"):
            _infilled(parts, path=path)
    assert _everywhere(text, suffix="# <think>", path=path) == {text}


@pytest.mark.parametrize("prefix", ['def f():\n    """\n    ', "/*\n", "# ", "s = '", "x = 1  # "])
def test_prose_is_at_home_in_comments(prefix: str) -> None:
    assert _everywhere("Here is the sum", prefix=prefix) == {"Here is the sum"}


def _chatted(parts: list[str]) -> str:
    ending = ChatEnding()
    return "".join(map(ending.push, parts)) + ending.flush()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Yes.<|im_end|>", "Yes."),
        ("Yes.</s>\n", "Yes."),
        ("`<|im_end|>` ends a turn.", "`<|im_end|>` ends a turn."),
        ("It is <|im_end|>, then <|eot_id|>", "It is <|im_end|>, then "),
        ("a <b", "a <b"),
    ],
)
def test_a_chat_may_speak_of_tokens_but_not_end_in_one(text: str, shown: str) -> None:
    assert _chatted([text]) == _chatted(list(text)) == shown


def test_stops_hold_where_a_server_takes_none() -> None:
    choice = Choice(InfillEnding(PREFIX, "", ""), ("\n\n", "STOP"), 1000)
    assert choice.take(Piece("a\nbST")) == Piece("a\nb")
    assert choice.take(Piece("OP c", logprob=-1.0)) == Piece("", finish_reason="stop")
    assert choice.cut


def test_what_is_held_back_comes_with_the_last_piece() -> None:
    choice = Choice(InfillEnding(PREFIX, "", ""), (), 1000)
    assert choice.take(Piece("a <fim")) == Piece("a ")
    assert choice.take(Piece("", finish_reason="length")) == Piece("<fim", finish_reason="length")
    assert choice.ended
    assert not choice.cut


def test_a_text_without_end_is_cut() -> None:
    choice = Choice(InfillEnding(PREFIX, "", ""), (), 5)
    assert choice.take(Piece("abc")) == Piece("abc")
    assert choice.take(Piece("def")) == Piece("de", finish_reason="length")
    assert choice.cut
