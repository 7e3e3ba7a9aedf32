from __future__ import annotations

from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor

from engine.api import Snippet
from engine.errors import NotCapable
from engine.fim import FimPrompt, plan_fim, stop_ids
from engine.fim_styles import FIM_STYLES, Slot, detect_fim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.tokenizers import Tokenizer

PLENTY = 4096
LINE = st.text("abc (=.)\t_1é😀日\u0301\r", max_size=30)
LINES = st.lists(LINE, max_size=60).map(lambda lines: "".join(f"{line}\n" for line in lines))
PREFIX, MIDDLE, SUFFIX = "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"


def special(tokenizer: Tokenizer, name: str) -> int:
    token = tokenizer.special(name)
    assert token is not None
    return token


def written(tokenizer: Tokenizer, ids: list[int]) -> bytes:
    return b"".join(tokenizer.token_bytes(token) for token in ids)


@pytest.fixture(scope="module")
def reference(codellama_folder: Path) -> Callable[[str, str, bool], list[int]]:
    """Meta's infilling_prompt_tokens (llama/generation.py), as a rule over the bare library."""
    library = SentencePieceProcessor(model_file=str(codellama_folder / "tokenizer.model"))
    bos = library.bos_id()
    pre, suf, mid = (library.piece_to_id(f"▁<{name}>") for name in ("PRE", "SUF", "MID"))

    def ids(prefix: str, suffix: str, suffix_first: bool) -> list[int]:
        before, behind = library.encode(prefix), library.encode("☺" + suffix)[2:]
        if suffix_first:
            return [bos, pre, suf, *behind, mid, *before]
        return [bos, pre, *before, suf, *behind, mid]

    return ids


@pytest.mark.parametrize(
    ("style", "suffix_first"), [("codellama-spm", True), ("codellama-psm", False)]
)
@settings(deadline=None)
@given(prefix=LINES, suffix=LINES)
def test_code_llamas_ids_at_a_line_start_are_metas(
    codellama: Tokenizer,
    reference: Callable[[str, str, bool], list[int]],
    style: str,
    suffix_first: bool,
    prefix: str,
    suffix: str,
) -> None:
    plan = plan_fim(codellama, style, prefix=prefix, suffix="\n" + suffix, budget=20_000)
    assert plan == FimPrompt(reference(prefix, "\n" + suffix, suffix_first), b"")


@settings(deadline=None)
@given(prefix=LINES, typed=LINE.filter(bool), suffix=LINES)
def test_code_llamas_ids_within_a_line_are_metas_up_to_the_cut_token(
    codellama: Tokenizer,
    reference: Callable[[str, str, bool], list[int]],
    prefix: str,
    typed: str,
    suffix: str,
) -> None:
    whole = reference(prefix + typed, suffix, True)
    plan = plan_fim(codellama, "codellama-spm", prefix=prefix + typed, suffix=suffix, budget=20_000)
    assert plan.tokens == whole[: len(plan.tokens)]
    assert plan.heal == written(codellama, whole[len(plan.tokens) :]) != b""


def test_qwens_prompt_is_anchored_at_the_line(qwen: Tokenizer) -> None:
    plan = plan_fim(
        qwen, "qwen", prefix="import os\n\ndef f():\n    retur", suffix="\n\nf()\n", budget=PLENTY
    )
    assert plan.tokens == [
        special(qwen, PREFIX),
        *qwen.encode("import os\n\ndef f():\n"),
        special(qwen, SUFFIX),
        *qwen.encode("\n\nf()\n"),
        special(qwen, MIDDLE),
        *qwen.encode("   "),
    ]
    assert plan.heal == b" retur"


def test_deepseeks_and_starcoders_prompts(with_controls: Callable[..., Tokenizer]) -> None:
    for style in ("deepseek", "starcoder"):
        names = FIM_STYLES[style].sentinels
        tokenizer = with_controls(*names)
        *bos, prefix, suffix, middle = (special(tokenizer, name) for name in names)
        text = tokenizer.encode
        plan = plan_fim(tokenizer, style, prefix="a\nbc", suffix="d", budget=PLENTY)
        lines = [*bos, prefix, *text("a\n"), suffix, *text("d"), middle]
        assert plan == FimPrompt([*lines, *text("b")], b"c")
        assert detect_fim(tokenizer.special) == style


@pytest.mark.parametrize(
    ("typed", "heal"),
    [
        ("", b""),
        ("    ", b"    "),
        ("x = ", b" "),
        ("retur", b"retur"),
        ("x = foo(a, ", b" "),
        ("\t\t", b"\t\t"),
        ("print(", b"("),
    ],
)
def test_the_token_that_the_caret_cuts_is_given_back(
    qwen: Tokenizer, typed: str, heal: bytes
) -> None:
    plan = plan_fim(qwen, "qwen", prefix="a\n" + typed, suffix="\n", budget=PLENTY)
    assert plan.heal == heal


@settings(deadline=None)
@given(lines=LINES, typed=LINE, suffix=LINES)
def test_what_is_kept_and_what_heals_are_what_was_typed(
    qwen: Tokenizer, lines: str, typed: str, suffix: str
) -> None:
    plan = plan_fim(qwen, "qwen", prefix=lines + typed, suffix=suffix, budget=20_000)
    middle = plan.tokens.index(special(qwen, MIDDLE))
    assert written(qwen, plan.tokens[middle:]) + plan.heal == typed.encode()
    assert written(qwen, plan.tokens[:middle]) == (lines + suffix).encode()


@pytest.mark.parametrize("style", ["codellama-spm", "codellama-psm", "qwen"])
def test_sentinels_in_a_document_are_text(
    codellama: Tokenizer, qwen: Tokenizer, style: str
) -> None:
    tokenizer = qwen if style == "qwen" else codellama
    names = [*FIM_STYLES[style].sentinels, "<|endoftext|>", "<|file_sep|>", "<|repo_name|>"]
    hostile = " ".join(name.replace("▁", "") for name in names) + "".join(names) + "\n"
    plan = plan_fim(
        tokenizer,
        style,
        prefix=hostile,
        suffix=hostile,
        budget=PLENTY,
        path=hostile,
        context=[Snippet(hostile, hostile)],
    )
    for name in FIM_STYLES[style].sentinels:
        assert plan.tokens.count(special(tokenizer, name)) == 1
    for name in ("<|endoftext|>", "<|file_sep|>", "<|repo_name|>"):
        expected = {"<|file_sep|>": 2, "<|repo_name|>": 1}.get(name, 0)
        assert plan.tokens.count(tokenizer.special(name) or -1) == expected * (style == "qwen")


@pytest.mark.parametrize(
    ("style", "budget"), [("qwen", 300), ("codellama-spm", 600), ("qwen", 1500)]
)
def test_typing_costs_what_was_typed(
    codellama: Tokenizer, qwen: Tokenizer, code: str, style: str, budget: int
) -> None:
    tokenizer = qwen if style == "qwen" else codellama
    at = code.index("def add_argument(")
    lines, line, suffix = code[:at], code[at : code.index("\n", at)], "\n" + code[at + 400 :]
    plans = [
        plan_fim(tokenizer, style, prefix=lines + line[:n], suffix=suffix, budget=budget)
        for n in range(1, len(line))
    ]
    for before, after in pairwise(plan.tokens for plan in plans):
        shared = sum(1 for _ in takewhile(lambda p: p[0] == p[1], zip(before, after, strict=False)))
        assert len(before) - shared <= 8


def test_the_window_moves_seldom_while_lines_are_added(qwen: Tokenizer, code: str) -> None:
    lines = code.splitlines(keepends=True)[:500]
    prompts = [
        plan_fim(qwen, "qwen", prefix="".join(lines[:n]), suffix="\n}\n", budget=1024).tokens
        for n in range(200, 400)
    ]
    beginnings = {tuple(prompt[:40]) for prompt in prompts}
    assert len(beginnings) <= 2 * 200 // 64 + 2
    assert min(map(len, prompts)) > 400


@settings(deadline=None, max_examples=50)
@given(
    prefix=st.one_of(LINES, st.text(max_size=3000)),
    typed=st.text("ab =é😀", max_size=900),
    suffix=st.text("ab =é😀\n", max_size=2000),
    budget=st.integers(32, 700),
    style=st.sampled_from(["qwen", "codellama-spm", "codellama-psm"]),
)
def test_a_prompt_keeps_to_its_budget(
    codellama: Tokenizer,
    qwen: Tokenizer,
    prefix: str,
    typed: str,
    suffix: str,
    budget: int,
    style: str,
) -> None:
    tokenizer = qwen if style == "qwen" else codellama
    plan = plan_fim(
        tokenizer,
        style,
        prefix=prefix + typed,
        suffix=suffix,
        budget=budget,
        path="some/path.py",
        context=[Snippet("a.py", "def f():\n    pass\n"), Snippet("b.py", suffix)],
    )
    assert len(plan.tokens) <= budget
    assert (
        len(plan_fim(tokenizer, style, prefix=prefix + typed, suffix=suffix, budget=budget).tokens)
        <= budget
    )


def test_a_huge_file_gives_the_prompt_of_its_surroundings(qwen: Tokenizer, code: str) -> None:
    block = "".join(code.splitlines(keepends=True)[:640])
    near, far = block * 2, block * 80
    assert far.count("\n") > 50_000
    for prefix in (near, far):
        plan = plan_fim(qwen, "qwen", prefix=prefix + "    x", suffix="\n" + prefix, budget=1024)
        assert plan == plan_fim(
            qwen, "qwen", prefix=near + "    x", suffix="\n" + near, budget=1024
        )


def test_a_line_longer_than_the_budget_is_cut(qwen: Tokenizer) -> None:
    line = "x = [" + ", ".join(map(str, range(20_000)))
    plan = plan_fim(qwen, "qwen", prefix="a\n" + line, suffix=line + "]\n", budget=1024)
    assert 512 < len(plan.tokens) <= 1024
    middle = plan.tokens.index(special(qwen, MIDDLE))
    assert line.encode().endswith(written(qwen, plan.tokens[middle:]) + plan.heal)


def test_detection_and_ends(qwen: Tokenizer, codellama: Tokenizer, smollm2: Tokenizer) -> None:
    assert detect_fim(qwen.special) == "qwen"
    assert detect_fim(codellama.special) == "codellama-spm"
    assert detect_fim(smollm2.special) is None
    ends = {
        qwen.special(name)
        for name in ("<|endoftext|>", "<|im_end|>", "<|fim_pad|>", "<|file_sep|>", PREFIX)
    }
    assert ends < stop_ids(qwen, "qwen")
    assert {codellama.special("▁<EOT>"), codellama.special("</s>")} < stop_ids(
        codellama, "codellama-spm"
    )


def test_a_model_without_the_sentinels_cannot_infill(smollm2: Tokenizer) -> None:
    with pytest.raises(NotCapable, match=r"qwen2\.5-coder-1\.5b"):
        plan_fim(smollm2, "qwen", prefix="a", suffix="b", budget=PLENTY)


def test_every_style_has_a_place_for_all_text() -> None:
    for style in FIM_STYLES.values():
        slots = {part for part in style.template if isinstance(part, Slot)}
        assert slots in ({Slot.LINES, Slot.HEAD, Slot.SUFFIX}, {Slot.PREFIX, Slot.SUFFIX})
