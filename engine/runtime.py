"""One model in memory: answers requests as generators that the scheduler advances."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from engine.answer import Prompt, Writer
from engine.api import Sampling, Usage
from engine.chat import detect_chat, encode_chat
from engine.checkpoint import open_checkpoint
from engine.errors import NotCapable, RequestError
from engine.fim import detect_fim, plan_fim, stop_ids
from engine.load import load_decoder
from engine.models import require
from engine.slots import SlotPool
from engine.tokenizers import open_tokenizer
from quant.formats import DEFAULT_FORMAT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from engine.api import ChatRequest, CompletionRequest, Piece
    from engine.checkpoint import Checkpoint
    from engine.kvcache import CausalLM
    from engine.models import ModelEntry
    from engine.slots import Slot
    from engine.tokenizers import Tokenizer

log = logging.getLogger(__name__)

SLOTS = 3
"""Cached sequences per model: two documents and a conversation."""
CAPACITY = 8192
"""Positions a slot has room for."""
FIM_WINDOW = 1024
"""Prompt tokens of a completion: what a CPU can evaluate while a person waits."""
VARIETY = Sampling(temperature=0.6, top_p=0.95, seed=0)
"""How choices after the first are drawn when the request itself asks for greedy ones."""


class Runtime:
    """A model, its tokenizer, its prompt styles and its cached sequences."""

    def __init__(
        self, entry: ModelEntry, model: CausalLM, tokenizer: Tokenizer, template: str | None
    ) -> None:
        self.name = entry.name
        self._entry, self._tokenizer, self._template = entry, tokenizer, template
        special = tokenizer.special
        self._fim = detect_fim(special) if entry.fim == "auto" else entry.fim
        auto_chat = entry.chat == "auto"
        self._chat = detect_chat(special, template is not None) if auto_chat else entry.chat
        self._slots = SlotPool(model, SLOTS, CAPACITY)
        self._writer = Writer(model, tokenizer)

    @classmethod
    def load(cls, entry: ModelEntry, path: Path, report: Callable[[int, int], None]) -> Runtime:
        """Read and pack the model at `path`; `report` gets (tensors done, in all).

        Raises:
            ModelError: The files are damaged, or hold something Caret cannot run.
        """
        started = time.perf_counter()
        checkpoint = open_checkpoint(path)
        with ThreadPoolExecutor(1) as pool:
            tokenizer = pool.submit(_tokenizer, path, checkpoint.metadata)
            model = _model(checkpoint, report)
        log.info("%s is in memory after %.1f s", entry.name, time.perf_counter() - started)
        return cls(entry, model, tokenizer.result(), checkpoint.chat_template)

    def complete(self, request: CompletionRequest) -> Iterator[Piece | None]:
        """What goes between the prompt and the suffix, or after the prompt when there is none."""
        prompt = self._completion_prompt(request)
        slot = self._slots.acquire(prompt.tokens)
        try:
            yield from self._choices(prompt, slot, request)
        finally:
            self._slots.release(slot)

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
                spent = spent.then(piece.usage)
                yield replace(piece, usage=spent if index == request.n - 1 else None)

    def chat(self, request: ChatRequest) -> Iterator[Piece | None]:
        """The assistant's next turn."""
        prompt = self._chat_prompt(request)
        slot = self._slots.acquire(prompt.tokens)
        try:
            yield from self._writer.write(prompt, slot, request.sampling)
        finally:
            self._slots.release(slot)

    def _completion_prompt(self, request: CompletionRequest) -> Prompt:
        if request.suffix is None:
            return self._plain_prompt(request)
        require(self._entry, "infill")
        if self._fim is None:
            raise NotCapable(f"{self.name} has no fill-in-the-middle tokens, so it cannot infill.")
        window = min(FIM_WINDOW, self._slots.capacity - request.max_tokens)
        plan = plan_fim(
            self._tokenizer,
            self._fim,
            prefix=request.prompt,
            suffix=request.suffix,
            path=request.path,
            context=request.context,
            budget=window,
        )
        ends = stop_ids(self._tokenizer, self._fim)
        return Prompt(plan.tokens, request.max_tokens, ends, request.stop, plan.heal)

    def _plain_prompt(self, request: CompletionRequest) -> Prompt:
        bos = [] if self._tokenizer.bos_id is None else [self._tokenizer.bos_id]
        tokens = bos + self._tokenizer.encode(request.prompt)
        self._check_length(tokens)
        return Prompt(tokens, request.max_tokens, self._tokenizer.eos_ids, request.stop)

    def _chat_prompt(self, request: ChatRequest) -> Prompt:
        require(self._entry, "instruct")
        if self._chat is None:
            raise NotCapable(f"{self.name} has no chat format, so it cannot follow instructions.")
        tokens = encode_chat(self._tokenizer, self._chat, request.messages, self._template)
        self._check_length(tokens)
        return Prompt(tokens, request.max_tokens, self._tokenizer.eos_ids, request.stop)

    def _check_length(self, tokens: list[int]) -> None:
        room = self._slots.capacity
        if not 0 < len(tokens) < room:
            raise RequestError(
                f"The prompt has {len(tokens)} tokens; {self.name} takes 1 to {room - 1}."
            )


def _tokenizer(path: Path, metadata: dict[str, Any] | None) -> Tokenizer:
    tokenizer = open_tokenizer(path, metadata)
    tokenizer.spellings  # noqa: B018  # built now rather than at the first key
    return tokenizer


def _model(checkpoint: Checkpoint, report: Callable[[int, int], None]) -> CausalLM:
    if checkpoint.config is None:
        from engine.fallback import TransformersModel  # slow to import, seldom needed

        return TransformersModel(checkpoint.path)
    return load_decoder(checkpoint, DEFAULT_FORMAT, report)
