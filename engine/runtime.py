"""One model in memory: answers requests as generators that the scheduler advances."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.anchors import Planner
from engine.answer import Prompt, Writer
from engine.api import Piece, Sampling, Usage
from engine.chat import detect_chat, encode_chat
from engine.checkpoint import open_checkpoint
from engine.errors import ModelDamaged, NotCapable, RequestError
from engine.fim import CONTEXT_SHARE, HINT_SHARE, stop_ids
from engine.fim_styles import detect_fim, looked_for
from engine.generate import evaluate, prefill
from engine.load import build_decoder, load_decoder, size_of
from engine.models import require
from engine.planner import Machine, plan
from engine.slots import SlotPool
from engine.tokenizers import open_tokenizer
from quant.formats import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.api import ChatRequest, CompletionRequest
    from engine.checkpoint import Checkpoint
    from engine.kvcache import CausalLM
    from engine.models import ModelEntry
    from engine.planner import Plan, Wish
    from engine.slots import Slot
    from engine.tokenizers import Tokenizer

log = logging.getLogger(__name__)

FIM_WINDOW = 1024
"""Prompt tokens of a completion: what a CPU can evaluate while a person waits."""
_FALLBACK = (
    "transformers runs this model, in float32: several times slower than Caret's decoder, and in "
    "4 bytes for each parameter. Models of the Llama, Qwen2 and StarCoder2 families are quicker."
)
VARIETY = Sampling(temperature=0.6, top_p=0.95, seed=0)
"""How choices after the first are drawn when the request itself asks for greedy ones."""


class Runtime:
    """A model, its tokenizer, its prompt styles and its cached sequences."""

    def __init__(
        self,
        entry: ModelEntry,
        model: CausalLM,
        tokenizer: Tokenizer,
        template: str | None,
        cache_bytes: int,
        origin: str = "",
    ) -> None:
        """Answer with `model`, and keep cached sequences of so many bytes in all.

        `origin` is what its files say of where it is from: see `Checkpoint.origin`.
        """
        self.name = entry.name
        self._entry, self._tokenizer, self._template = entry, tokenizer, template
        self._model = model
        self.note = ""
        _check_vocabularies(entry, model, tokenizer)

        def special(name: str) -> int | None:
            token = tokenizer.special(name)
            return None if token is None or token >= model.vocab_size else token

        self._fim = detect_fim(special, origin) if entry.fim == "auto" else entry.fim
        auto_chat = entry.chat == "auto"
        self._chat = detect_chat(special, template is not None) if auto_chat else entry.chat
        self._slots = SlotPool(model, cache_bytes)
        self._planner = Planner(tokenizer, self._fim, self._slots) if self._fim else None
        self._writer = Writer(model, tokenizer)

    @classmethod
    def load(
        cls,
        entry: ModelEntry,
        path: Path,
        report: Callable[[int, int], None],
        cache_bytes: int,
        wish: Wish | None = None,
        machine: Machine | None = None,
    ) -> Runtime:
        """Read and pack the model at `path`; `report` gets (tensors done, in all).

        Sequences that it has read stay in memory as far as `cache_bytes` and the plan go. Without
        a `machine` it is this one, all of whose memory may be used.

        Raises:
            ModelError: The files are damaged, or hold something Caret cannot run.
            OutOfMemory: There is no room for it.
            RequestError: The wish cannot be granted.
        """
        started = time.perf_counter()
        checkpoint = open_checkpoint(path)
        made = _planned(entry.name, checkpoint, machine or Machine.here(), wish)
        pool = ThreadPoolExecutor(1)
        tokenizer = pool.submit(open_tokenizer, path, checkpoint.metadata)
        model = _model(checkpoint, made, report)
        # Before a key needs them, but nobody waits for them now.
        pool.submit(lambda: tokenizer.result().spellings)
        pool.shutdown(wait=False)
        log.info("%s is in memory after %.1f s", entry.name, time.perf_counter() - started)
        caches = min(cache_bytes, made.caches) if made else cache_bytes
        template, origin = checkpoint.chat_template, checkpoint.origin
        runtime = cls(entry, model, tokenizer.result(), template, caches, origin)
        runtime.note = getattr(model, "note", "") if made else _FALLBACK
        return runtime

    def complete(self, request: CompletionRequest) -> Iterator[Piece | None]:
        """What goes between the prompt and the suffix, or after the prompt when there is none.

        With `max_tokens` 0 the prompt is only evaluated, for a request to come.
        """
        prompt = self._completion_prompt(request)
        if request.max_tokens == 0:
            yield from self._read_ahead(prompt.tokens, request.n)
            return
        slot = self._slots.acquire(prompt.tokens)
        try:
            yield from self._choices(prompt, slot, request)
        finally:
            self._slots.release(slot)

    def _read_ahead(self, tokens: list[int], n: int) -> Iterator[Piece | None]:
        """Evaluate a prompt, in a slot that nothing else needs; what is done stays if let go."""
        start, cached = time.perf_counter(), self._slots.shared(tokens)
        if slot := self._slots.spare(tokens):
            try:
                kept = slot.rewind(tokens)
                rest = yield from prefill(self._model, slot, tokens[kept:], brief=True)
                evaluate(self._model, slot, rest)
            finally:
                self._slots.release(slot)
        usage = Usage(len(tokens), cached, prefill_ms=(time.perf_counter() - start) * 1e3)
        for index in range(n):
            yield Piece("", index, None, "length", usage if index == n - 1 else None)

    def _choices(
        self, prompt: Prompt, slot: Slot, request: CompletionRequest
    ) -> Iterator[Piece | None]:
        """One after the other from the same prompt; the last piece has the sum of their costs."""
        spent = Usage()
        for index in range(request.n):
            greedy = request.sampling.temperature == 0
            sampling = VARIETY if index and greedy else request.sampling
            for piece in self._writer.write(prompt, slot, sampling, index):
                if piece is None or piece.usage is None:
                    yield piece
                    continue
                so_far = spent.then(piece.usage)
                yield replace(piece, usage=so_far)
                spent = so_far if piece.finish_reason else spent

    def chat(self, request: ChatRequest) -> Iterator[Piece | None]:
        """The assistant's next turn."""
        prompt = self._chat_prompt(request)
        slot = self._slots.acquire(prompt.tokens, talk=True)
        try:
            yield from self._writer.write(prompt, slot, request.sampling)
        finally:
            self._slots.release(slot)

    def interrupt(self) -> None:
        """See `engine.host.Model`."""
        self._model.interrupt()

    def _completion_prompt(self, request: CompletionRequest) -> Prompt:
        if request.suffix is None:
            return self._plain_prompt(request)
        require(self._entry, "infill")
        if self._planner is None or self._fim is None:
            raise NotCapable(
                f"{self.name} cannot fill in the middle of code: its tokenizer has none of the "
                f"tokens {looked_for()}, and its file names no others for it. Use a model that "
                "can, such as qwen2.5-coder-1.5b."
            )
        free = self._slots.capacity - request.max_tokens
        # beside the window; a token of a hint has a byte at least
        hint = min(len(request.hint.encode()), free // (HINT_SHARE + 1))
        context = free // (CONTEXT_SHARE + 1) if request.context else 0
        window = min(request.window or FIM_WINDOW, free - hint - context)
        plan = self._planner.plan(request, window, idle=request.max_tokens == 0)
        ends, stop = self._known(stop_ids(self._tokenizer, self._fim)), request.stop
        least, one_line = request.min_tokens, request.one_line
        return Prompt(
            plan.tokens, request.max_tokens, ends, stop, least, plan.heal, one_line=one_line
        )

    def _plain_prompt(self, request: CompletionRequest) -> Prompt:
        bos = [] if self._tokenizer.bos_id is None else [self._tokenizer.bos_id]
        tokens = bos + self._tokenizer.encode(request.prompt)
        self._check_length(tokens)
        ends, stop = self._known(self._tokenizer.eos_ids), request.stop
        least = request.min_tokens
        return Prompt(tokens, request.max_tokens, ends, stop, least, one_line=request.one_line)

    def _chat_prompt(self, request: ChatRequest) -> Prompt:
        require(self._entry, "instruct")
        if self._chat is None:
            raise NotCapable(f"{self.name} has no chat format, so it cannot follow instructions.")
        tokens = encode_chat(self._tokenizer, self._chat, request.messages, self._template)
        self._check_length(tokens)
        ends = self._known(self._tokenizer.eos_ids)
        return Prompt(tokens, request.max_tokens, ends, request.stop, brief=True)

    def _known(self, tokens: frozenset[int]) -> frozenset[int]:
        """Return the tokens that the model knows; a tokenizer may have more."""
        return frozenset(token for token in tokens if token < self._model.vocab_size)

    def _check_length(self, tokens: list[int]) -> None:
        room = self._slots.capacity
        if not 0 < len(tokens) < room:
            raise RequestError(
                f"The prompt has {len(tokens)} tokens; {self.name} takes 1 to {room - 1}."
            )


def _check_vocabularies(entry: ModelEntry, model: CausalLM, tokenizer: Tokenizer) -> None:
    """Refuse a tokenizer that turns text into ids for which the model has no weights."""
    more = range(model.vocab_size, tokenizer.vocab_size)
    if any(tokenizer.token_bytes(token) for token in more):
        raise ModelDamaged(
            f"The tokenizer of {entry.name} has {tokenizer.vocab_size} tokens and its weights have "
            f"{model.vocab_size}: they are not of one model. Get both from one place."
        )


def _planned(name: str, checkpoint: Checkpoint, machine: Machine, wish: Wish | None) -> Plan | None:
    """None for what transformers runs, in its own way."""
    if checkpoint.config is None:
        return None
    made = plan(size_of(name, checkpoint), machine, wish)
    log.info("%s is held as %s on %s: %s", name, made.format, made.device, made.reason)
    return made


def _model(
    checkpoint: Checkpoint, made: Plan | None, report: Callable[[int, int], None]
) -> CausalLM:
    if checkpoint.config is None or made is None:
        from engine.fallback import TransformersModel  # slow to import, seldom needed

        return TransformersModel(checkpoint.path)
    if made.device == "cuda":
        from engine.cuda import OnDevice, StaticDecoder

        source = OnDevice(checkpoint.source, made.device)
        decoder = build_decoder(checkpoint.config, source, FORMATS[made.format], report)
        return StaticDecoder(decoder, made.device, graphs=made.format != "llm-int8")
    return load_decoder(checkpoint, made.format, report)
