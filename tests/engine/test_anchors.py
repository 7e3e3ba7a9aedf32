"""Prompts that keep their anchor: cheap, never stale, and answered as from a fresh start."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from engine.anchors import FAR, NEAR, Planner
from engine.answer import Prompt, Writer
from engine.api import CompletionRequest, Sampling, Snippet
from engine.fim import FimPrompt, lines_of
from engine.load import build_decoder
from engine.slots import Slot, SlotPool
from quant.formats import FORMATS
from tests.tiny import CONFIG, RandomSource

if TYPE_CHECKING:
    from engine.decoder import Decoder
    from engine.tokenizers import Tokenizer

pytestmark = pytest.mark.usefixtures("one_thread")
BUDGET = 512
LINE = "    total = total + values[index] * weights[index]\n"


@pytest.fixture(scope="module")
def decoder(qwen: Tokenizer) -> Decoder:
    """A small random decoder for Qwen's vocabulary."""
    config = replace(CONFIG, vocab_size=qwen.vocab_size, context_length=2048)
    return build_decoder(config, RandomSource(config), FORMATS["float32"], lambda *_: None)


@dataclass
class Typist:
    """Completes at the caret of a document, with warm slots, and counts."""

    tokenizer: Tokenizer
    decoder: Decoder
    style: str = "qwen"
    prefix: str = ""
    suffix: str = ""
    context: tuple[Snippet, ...] = ()
    new: list[int] = field(default_factory=list)
    """Tokens evaluated for each prompt."""

    def __post_init__(self) -> None:
        self.pool = SlotPool(self.decoder, 1 << 30)
        self.planner = Planner(self.tokenizer, self.style, self.pool)
        self.writer = Writer(self.decoder, self.tokenizer)

    def plan(self, *, idle: bool = False) -> FimPrompt:
        request = CompletionRequest("", self.prefix, self.suffix, context=self.context)
        return self.planner.plan(request, BUDGET, idle=idle)

    def ask(self, tokens: int = 6) -> str:
        """Complete; the text equals that of a fresh slot."""
        plan = self.plan()
        prompt = Prompt(plan.tokens, tokens, frozenset(), heal=plan.heal)
        slot = self.pool.acquire(plan.tokens)
        warm, cost = self._written(prompt, slot)
        assert slot.tokens[: len(plan.tokens)] == plan.tokens
        assert slot.cache.length == len(slot.tokens)
        self.pool.release(slot)
        self.new.append(cost)
        assert warm == self._written(prompt, Slot(self.decoder.new_cache(2048)))[0]
        self._check(plan)
        return warm

    def _written(self, prompt: Prompt, slot: Slot) -> tuple[str, int]:
        pieces = [piece for piece in self.writer.write(prompt, slot, Sampling()) if piece]
        usage = pieces[-1].usage
        assert usage
        return "".join(p.text for p in pieces), usage.prompt_tokens - usage.cached_tokens

    def _check(self, plan: FimPrompt) -> None:
        """The prompt has the document's text around the caret, and nothing else."""
        names = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
        first, second, third = (plan.tokens.index(self.tokenizer.special(n) or -1) for n in names)
        write = self.tokenizer.token_bytes
        before = b"".join(map(write, plan.tokens[first + 1 : second] + plan.tokens[third + 1 :]))
        assert self.prefix.encode().endswith(before + plan.heal)
        behind = b"".join(map(write, plan.tokens[second + 1 : third]))
        assert self.suffix.encode().startswith(behind)
        if len(self.prefix) < BUDGET:  # the window has all of it
            assert len(before + plan.heal) == len(self.prefix.encode())


@pytest.fixture
def typist(qwen: Tokenizer, decoder: Decoder, code: str) -> Typist:
    at = code.index("    def add_argument(")
    return Typist(qwen, decoder, prefix=code[:at], suffix="\n\n" + code[at + 400 :])


def anchored(typist: Typist, plan: FimPrompt) -> int:
    """Characters between the anchor and the caret."""
    lines = lines_of(typist.tokenizer, typist.style, plan.tokens)
    assert lines is not None
    return len(typist.prefix) - typist.prefix.rfind(lines) - len(lines)


def test_a_new_line_costs_its_own_tokens(typist: Typist) -> None:
    typist.ask()
    typist.new.clear()
    for char in LINE * 2:
        typist.prefix += char
        typist.ask(tokens=1)
    assert sorted(typist.new)[len(typist.new) // 2] <= 2
    assert max(typist.new) <= 4


def test_lines_that_are_accepted_are_typed_text(typist: Typist) -> None:
    typist.ask()
    typist.prefix += LINE * 3 + "    x"
    typist.ask()
    assert typist.new[-1] < 60
    assert anchored(typist, typist.plan()) == len(LINE * 3) + 5


def test_after_much_text_the_anchor_moves(typist: Typist) -> None:
    typist.ask()
    typist.prefix += LINE * (FAR // len(LINE) + 1)
    assert anchored(typist, typist.plan()) == 0


def test_idle_the_anchor_moves_sooner(typist: Typist) -> None:
    typist.ask()
    typist.prefix += LINE * 6
    assert anchored(typist, typist.plan(idle=True)) == 6 * len(LINE) <= NEAR
    typist.prefix += LINE
    assert anchored(typist, typist.plan(idle=True)) == 0
    assert anchored(typist, typist.plan()) > NEAR


def test_an_edit_above_or_below_moves_the_anchor(typist: Typist) -> None:
    typist.ask()
    prefix, suffix = typist.prefix, typist.suffix
    for typist.prefix, typist.suffix in [
        (prefix[:-400] + "y" + prefix[-400:] + LINE, suffix),
        (prefix[:-40] + "y" + prefix[-40:] + LINE, suffix),
        (prefix + LINE, suffix.replace("\n\n", "\n\n\n", 1)),
    ]:
        assert anchored(typist, typist.plan()) == 0
        typist.ask()


def test_where_little_follows_the_anchor_is_at_the_line(typist: Typist) -> None:
    typist.suffix = "\n"
    typist.ask()
    typist.prefix += LINE
    assert anchored(typist, typist.plan()) == 0


def test_each_place_keeps_its_anchor(typist: Typist, code: str) -> None:
    typist.ask()
    here = typist.prefix, typist.suffix
    typist.prefix, typist.suffix = code[:4000], code[4000:]
    typist.ask()
    typist.prefix, typist.suffix = here[0] + LINE, here[1]
    typist.ask()
    assert typist.new[-1] < 20


@pytest.mark.parametrize("seed", range(4))
def test_any_editing_gives_prompts_of_the_document_as_it_is(
    qwen: Tokenizer, decoder: Decoder, code: str, seed: int
) -> None:
    """Every prompt is checked in `Typist.ask`: its text, its slot, and the answer it gets."""
    chance = random.Random(seed)
    text, caret = code[: chance.choice([300, 6000])], 200
    typist = Typist(qwen, decoder)
    for _ in range(50):
        match chance.choice(["type"] * 6 + ["enter"] * 3 + ["erase", "paste", "jump", "far"]):
            case "type":
                new, cut = chance.choice(["x", " = ", "f(a", ")", "é", "日\u0301", '"']), 0
            case "enter":
                new, cut = "\n" + " " * chance.choice([0, 4, 8]), 0
            case "erase":
                new, cut = "", chance.choice([1, 3, 30])
            case "paste":
                start = chance.randrange(len(code) - 2000)
                new, cut = code[start : start + chance.choice([20, 200, 1500])], 0
            case "jump":
                new, cut, caret = "", 0, chance.randrange(len(text))
            case _:  # an edit somewhere else
                at = chance.randrange(len(text))
                text = text[:at] + "?" + text[at:]
                new, cut, caret = "", 0, caret + (at < caret)
        kept = text[: max(caret - cut, 0)] + new
        text, caret = kept + text[caret:], len(kept)
        typist.prefix, typist.suffix = text[:caret], text[caret:]
        if chance.random() < 0.1:
            typist.plan(idle=True)
        typist.ask(chance.choice([1, 6]))
        if chance.random() < 0.3:
            typist.context = (Snippet("a.py", "import a\n" * chance.choice([1, 2])),)


def test_code_llamas_order_needs_no_anchor(codellama: Tokenizer, decoder: Decoder) -> None:
    typist = Typist(codellama, decoder, "codellama-spm", "def f():\n", "\nprint(f())\n" * 20)
    plans = []
    for char in LINE * 2:
        typist.prefix += char
        plans.append(typist.plan().tokens)
    for before, after in pairwise(plans):
        slot = Slot(decoder.new_cache(8), before)
        assert len(before) - slot.common_prefix(after) <= 8
