"""How sure the model was of what is shown: cut anywhere, typed through, given up early."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api import Piece
from lsp_server.completion import Answer, Completer, Query
from lsp_server.confidence import Token, score
from lsp_server.context import Site
from lsp_server.draft import Draft
from lsp_server.settings import CompletionSettings, Settings
from lsp_server.shape import shape_of
from tests.scripted import Script

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from engine.api import CompletionRequest

SITE = Site("x = ", "\n", "python")
BLOCK = Site("def f():", "\n", "python")
TOKENS = st.lists(
    st.tuples(st.text("ab \n", min_size=1, max_size=4), st.floats(-5, 0)), min_size=1, max_size=12
)


def pieces(*tokens: tuple[str, float]) -> list[Piece]:
    """A piece for each text and probability, then the end."""
    written = [piece(text, math.log(sure)) for text, sure in tokens]
    return [*written, Piece(finish_reason="stop", token_scores=((0, math.log(0.01)),))]


def piece(text: str, logprob: float) -> Piece:
    return Piece(text, token_scores=((len(text), logprob),))


def tokens_of(*tokens: tuple[str, float]) -> list[Token]:
    return [Token(text, math.log(sure)) for text, sure in tokens]


def at_least(confidence: float) -> Settings:
    return Settings(completion=CompletionSettings(confidence=confidence))


@given(st.lists(st.floats(-5, 0), min_size=1, max_size=20))
def test_it_is_the_geometric_mean_of_the_probabilities(logprobs: list[float]) -> None:
    written = [Token("ab", logprob) for logprob in logprobs]
    product = math.prod(math.exp(logprob) for logprob in logprobs)
    sure = score(written, "ab" * len(logprobs))
    assert sure == pytest.approx(product ** (1 / len(logprobs)))


@given(st.lists(st.floats(-5, 0), min_size=1, max_size=12), st.data())
def test_what_is_cut_from_either_end_does_not_count(
    logprobs: list[float], data: st.DataObject
) -> None:
    """Cut between tokens, the score is that of the tokens left, as if there were no others."""
    first = data.draw(st.integers(0, len(logprobs) - 1))
    last = data.draw(st.integers(first + 1, len(logprobs)))
    written = [Token("ab ", logprob) for logprob in logprobs]
    left, text = written[first:last], "ab " * (last - first)
    assert score(written, text, "ab " * first) == pytest.approx(score(left, text))


def test_a_token_that_is_cut_counts_by_its_share() -> None:
    written = tokens_of(("ab", 0.5), ("cd", 0.1))
    assert score(written, "bc", "a") == pytest.approx(math.sqrt(0.5 * 0.1))
    assert score(written, "bcd", "a") == pytest.approx((0.5**0.5 * 0.1) ** (1 / 1.5))


def test_white_space_may_be_changed_and_closers_added() -> None:
    written = tokens_of(("\n    ", 0.9), ("a(", 0.4), ("\n", 0.8), ("  b", 0.7))
    expected = score(written, "\n    a(\n  b")
    assert score(written, "\n\ta(\n\t\tb") == expected
    assert score(written, "\n\ta(\n\t\tb)") == expected


def test_of_a_block_the_first_line_may_be_the_lower_one() -> None:
    written = tokens_of(("\n  a", 0.2), ("\n  b", 0.9), ("\n  c", 0.9))
    assert score(written, "\n  a\n  b\n  c") == pytest.approx(0.2)
    assert score(tokens_of(("\n  a", 0.9), ("\n  b", 0.2)), "\n  a\n  b") == pytest.approx(
        math.sqrt(0.9 * 0.2)
    )


def test_a_server_that_does_not_tell() -> None:
    draft = Draft(SITE, shape_of(SITE, "auto"), 1.0)
    assert draft.add(Piece("1", finish_reason="stop"))
    assert not draft.tokens
    assert score(draft.tokens, draft.text()) is None


def test_a_piece_may_have_several_tokens() -> None:
    draft = Draft(BLOCK, shape_of(BLOCK, "auto"))
    draft.add(Piece("\n    a = b", token_scores=((5, -0.1), (6, -0.2), (8, -0.3), (10, -0.4))))
    draft.add(Piece("c\n", token_scores=((1, -0.5), (2, -0.6))))
    texts = ["\n    ", "a", " =", " b", "c", "\n"]
    assert draft.tokens == [Token(text, -n / 10) for n, text in enumerate(texts, 1)]


def drafted(written: Sequence[tuple[str, float]], least: float) -> Draft:
    draft = Draft(BLOCK, shape_of(BLOCK, "auto"), least)
    for text, logprob in written:
        if draft.add(piece(text, logprob)):
            return draft
    draft.add(Piece(finish_reason="stop", token_scores=((0, -3.0),)))
    return draft


@given(TOKENS, st.floats(0.01, 1))
def test_what_is_given_up_early_would_have_been_hidden(
    tokens: list[tuple[str, float]], least: float
) -> None:
    written = [("\n    a", -1.0), *tokens]
    early, whole = drafted(written, least), drafted(written, 0.0)
    sure = score(whole.tokens, whole.text())
    if early.doubted:
        assert sure is None or sure < least
    else:
        assert (early.text(), early.tokens) == (whole.text(), whole.tokens)


async def answer(script: Script, query: Query, confidence: float) -> Answer:
    return await Completer(script).answer(query, at_least(confidence))


async def test_unsure_suggestions_are_hidden_unless_asked_for() -> None:
    script = Script(*pieces(("f(", 0.6), ("y)", 0.6)))
    assert (await answer(script, Query("a", SITE), 0.5)).texts == ["f(y)"]
    hidden = await answer(script, Query("a", SITE), 0.7)
    assert hidden.texts == []
    assert hidden.prediction
    assert hidden.prediction.score == pytest.approx(0.6)
    assert (await answer(script, Query("a", SITE, invoked=True), 0.7)).texts == ["f(y)"]


async def test_what_was_hidden_is_known_and_shown_when_the_rest_is_sure() -> None:
    script = Script(*pieces(("unsure", 0.1), ("(sure)", 0.9)))
    completer, settings = Completer(script), at_least(0.5)
    assert await completer.suggest(Query("a", SITE), settings) == []
    assert completer.known(Query("a", SITE), settings) == await completer.answer(
        Query("a", SITE), settings
    )
    typed = replace(SITE, prefix=SITE.prefix + "unsure")
    assert await completer.suggest(Query("a", typed), settings) == ["(sure)"]
    assert len(script.requests) == 1
    assert await completer.suggest(Query("a", SITE, invoked=True), settings) == ["unsure(sure)"]


async def test_what_was_shown_stays_while_it_is_typed() -> None:
    script = Script(*pieces(("sure", 0.9), ("ly", 0.9), ("(unsure)", 0.2)))
    completer, settings = Completer(script), at_least(0.5)
    whole, typed = "surely(unsure)", ""
    while typed != whole:
        site = replace(SITE, prefix=SITE.prefix + typed)
        assert await completer.suggest(Query("a", site), settings) == [whole.removeprefix(typed)]
        typed = whole[: len(typed) + 1]
    assert len(script.requests) == 1
    late, new = replace(SITE, prefix=SITE.prefix + "surely"), Script(*pieces(("(unsure)", 0.2)))
    assert await Completer(new).suggest(Query("a", late), settings) == []


async def test_a_doubtful_block_is_not_written_to_its_end() -> None:
    script = Script(*pieces(("\n    a", 0.2), ("\n", 0.9), ("    b", 0.9), ("\n", 0.9)))
    completer, settings = Completer(script), at_least(0.5)
    assert await completer.suggest(Query("a", BLOCK), settings) == []
    assert completer.last_usage
    assert completer.last_usage.completion_tokens == 2
    assert await completer.suggest(Query("a", BLOCK, invoked=True), settings) == ["\n    a\n    b"]
    assert len(script.requests) == 2


async def test_other_choices_come_with_the_surest_first() -> None:
    class Varied(Script):
        async def complete(
            self, request: CompletionRequest, *, wait: bool
        ) -> AsyncGenerator[Piece, None]:
            seed = request.sampling.seed or 0
            sure = [0.1, 0.2, 0.9][seed]
            for written in pieces((f"f{seed}()", sure)):
                yield written

    query = Query("a", SITE, invoked=True, choices=3)
    assert await Completer(Varied()).suggest(query, Settings()) == ["f0()", "f2()", "f1()"]
