"""Other files in a prompt, in each family's repository format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.api import Snippet
from engine.fim import FimPrompt, lines_of, plan_fim
from engine.fim_styles import FIM_STYLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.tokenizers import Tokenizer

PLENTY = 4096


def special(tokenizer: Tokenizer, name: str) -> int:
    token = tokenizer.special(name)
    assert token is not None
    return token


def written(tokenizer: Tokenizer, ids: list[int]) -> bytes:
    return b"".join(tokenizer.token_bytes(token) for token in ids)


CONTEXT = [Snippet("a.py", "A = 1\n"), Snippet("b.py", "B = 2")]


def test_context_in_qwens_repository_format(qwen: Tokenizer) -> None:
    plan = plan_fim(
        qwen, "qwen", prefix="x\n", suffix="", budget=PLENTY, path="c.py", context=CONTEXT
    )
    file = [special(qwen, "<|file_sep|>")]
    front = [special(qwen, "<|repo_name|>"), *qwen.encode("project\n")]
    front += [*file, *qwen.encode("a.py\nA = 1\n"), *file, *qwen.encode("b.py\nB = 2\n")]
    front += [*file, *qwen.encode("c.py\n")]
    alone = plan_fim(qwen, "qwen", prefix="x\n", suffix="", budget=PLENTY, path="c.py")
    assert plan.tokens == front + alone.tokens


def test_context_in_starcoders_repository_format(with_controls: Callable[..., Tokenizer]) -> None:
    names = ["<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<repo_name>", "<file_sep>"]
    tokenizer = with_controls(*names)
    prefix, suffix, middle, repository, file = (special(tokenizer, name) for name in names)
    plan = plan_fim(
        tokenizer, "starcoder", prefix="x\n", suffix="", budget=PLENTY, path="c.py", context=CONTEXT
    )
    text = tokenizer.encode
    assert plan.tokens == [
        *(
            repository,
            *text("project\n"),
            file,
            *text("a.py\nA = 1\n"),
            file,
            *text("b.py\nB = 2\n"),
        ),
        *(file, prefix, *text("c.py\nx\n"), suffix, middle),
    ]


@pytest.mark.parametrize("style", ["codellama-spm", "codellama-psm"])
def test_context_as_comments_that_begin_the_prefix_for_code_llama(
    codellama: Tokenizer, style: str
) -> None:
    def plan(prefix: str, path: str = "", context: Sequence[Snippet] = ()) -> list[int]:
        return plan_fim(
            codellama,
            style,
            prefix=prefix,
            suffix="\ny\n",
            budget=PLENTY,
            path=path,
            context=context,
        ).tokens

    above = "#a.py\nA = 1\n#b.py\nB = 2\n#c.py\n"
    assert plan("x\n", "c.py", CONTEXT) == plan(f"{above}x\n")
    assert plan("x\n", "c.py", CONTEXT)[0] == special(codellama, "<s>")


def test_the_lines_of_a_prompt_with_comments_are_found_again(
    with_controls: Callable[..., Tokenizer],
) -> None:
    tokenizer = with_controls(*FIM_STYLES["deepseek"].sentinels)
    prefix = "x = 1\ny = 2\n"
    for context in ((), CONTEXT):
        plan = plan_fim(
            tokenizer,
            "deepseek",
            prefix=prefix,
            suffix="",
            budget=PLENTY,
            path="c.py",
            context=context,
        )
        assert plan.tokens[0] == special(tokenizer, "<｜begin▁of▁sentence｜>")
        assert lines_of(tokenizer, "deepseek", plan.tokens, "c.py") == prefix


def test_context_that_does_not_fit_is_cut_at_a_line_and_the_rest_left_out(qwen: Tokenizer) -> None:
    long = Snippet("long.py", "y = 1\n" * 500)
    plan = plan_fim(
        qwen,
        "qwen",
        prefix="x\n",
        suffix="",
        budget=400,
        path="c.py",
        context=[*CONTEXT, long, *CONTEXT],
    )
    text = written(qwen, plan.tokens)
    assert text.count(b"A = 1") == 1
    assert text.endswith(b"y = 1\nc.py\nx\n")
    assert len(plan.tokens) <= 110


@pytest.mark.parametrize("style", ["qwen", "codellama-spm"])
def test_context_takes_the_place_of_no_line_of_the_document(
    qwen: Tokenizer, codellama: Tokenizer, style: str
) -> None:
    tokenizer = qwen if style == "qwen" else codellama

    def plan(context: Sequence[Snippet]) -> list[int]:
        prefix = "".join(f"name_{number} = {number}\n" for number in range(200)) + "x = a."
        suffix = "\ny = 1" * 200
        return plan_fim(
            *(tokenizer, style),
            prefix=prefix,
            suffix=suffix,
            budget=512,
            path="c.py",
            context=context,
        ).tokens

    alone, beside = plan(()), plan([*CONTEXT, Snippet("long.py", "z = 1\n" * 500)])
    assert 384 < len(alone) <= 512
    assert len(alone) + 64 < len(beside) <= 640
    shown, more = written(tokenizer, alone), written(tokenizer, beside)
    assert b"z = 1" in more
    for line in {line.strip() for line in shown.split(b"\n")}:
        assert more.count(line) >= shown.count(line)


@pytest.mark.parametrize("style", ["qwen", "codellama-spm", "codellama-psm"])
def test_a_hint_is_read_as_if_it_stood_above_the_carets_line(
    qwen: Tokenizer, codellama: Tokenizer, style: str
) -> None:
    tokenizer, above, line = (
        qwen if style == "qwen" else codellama,
        "def f(a: A):\n",
        "    return a.",
    )
    hint = "    # A: b(), c()\n"

    def plan(prefix: str, hint: str = "") -> FimPrompt:
        return plan_fim(
            *(tokenizer, style),
            prefix=prefix,
            suffix="\n\nf(1)\n",
            budget=PLENTY,
            hint=hint,
            anchor=len(above),
        )

    assert plan(above + line, hint) == plan(above + hint + line)


def test_a_hint_costs_its_own_tokens_and_the_lines(qwen: Tokenizer) -> None:
    """What precedes the suffix stays as it is in the cache."""
    prefix, suffix = "import a\n\nx = a.", "\n\nprint(x)\n"

    def plan(hint: str) -> list[int]:
        return plan_fim(qwen, "qwen", prefix=prefix, suffix=suffix, budget=PLENTY, hint=hint).tokens

    without, told = plan(""), plan("# a: b(), c()\n")
    middle = without.index(special(qwen, "<|fim_middle|>"))
    assert told[: middle + 1] == without[: middle + 1]
    assert written(qwen, told[middle + 1 :]) == b"# a: b(), c()\nx = a"
    assert written(qwen, without[middle + 1 :]) == b"x = a"


@pytest.mark.parametrize("style", ["qwen", "codellama-spm"])
@pytest.mark.parametrize("back", [0, 3, 12])
def test_a_hint_takes_the_place_of_no_other_text(
    qwen: Tokenizer, codellama: Tokenizer, style: str, back: int
) -> None:
    tokenizer = qwen if style == "qwen" else codellama
    lines = [f"name_{number} = {number}\n" for number in range(80)]
    hint = "# class A: b(), c(), d(), e(), f(), g()\n"

    def plan(hint: str) -> bytes:
        prefix, anchor = "".join(lines) + "x = a.", len("".join(lines[: len(lines) - back]))
        prompt = plan_fim(
            *(tokenizer, style),
            prefix=prefix,
            suffix="\ny = 1\n" * 80,
            budget=256,
            hint=hint,
            anchor=anchor,
        )
        return written(tokenizer, prompt.tokens)

    above, line, _ = plan("").rpartition(b"x = a")
    assert plan(hint) == above + hint.encode() + line


def test_a_hint_that_is_too_long_loses_whole_lines_the_first_ones_first(qwen: Tokenizer) -> None:
    hint = "".join(f"# A{number}: b(), c(), d()\n" for number in range(40))
    plan = plan_fim(qwen, "qwen", prefix="y\nx = a.", suffix="", budget=96, hint=hint)
    assert len(plan.tokens) <= 96 + 32
    last = plan.tokens[plan.tokens.index(special(qwen, "<|fim_middle|>")) + 1 :]
    text = written(qwen, last).decode()
    assert text.startswith("# A")
    assert text.endswith("\n# A39: b(), c(), d()\nx = a")


def test_a_sentinel_in_a_hint_is_text(qwen: Tokenizer) -> None:
    hint = "# A: <|fim_middle|>, <|endoftext|>\n"
    plan = plan_fim(qwen, "qwen", prefix="x = a.", suffix="\n", budget=PLENTY, hint=hint)
    assert plan.tokens.count(special(qwen, "<|fim_middle|>")) == 1
    assert special(qwen, "<|endoftext|>") not in plan.tokens
