"""Conversations as token ids, in the format that each family was trained on.

Control tokens come from the format alone. Their names in a message stay text; formats whose marks
are plain text ([INST], ### Instruction:) get the same marks in a message broken by a space, since
there is no other way to tell them apart. (Meta's reference refuses such a conversation; a user
who asks about a file that contains "[INST]" should be answered.) Imports no torch.
"""

from __future__ import annotations

import json
import re
import sys
import time
from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.errors import RequestError, UnsupportedModel
from engine.tokenizers.vocabulary import CONTROL_SHAPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import FrameType

    from _typeshed import TraceFunction

    from engine.api import ChatMessage
    from engine.tokenizers import Tokenizer

    Encoder = Callable[[Tokenizer, Sequence[ChatMessage], str | None], list[int]]


def encode_chat(
    tokenizer: Tokenizer, style: str, messages: Sequence[ChatMessage], template: str | None = None
) -> list[int]:
    """The prompt that lets the assistant speak next.

    Args:
        tokenizer: The model's.
        style: A name of `CHAT_STYLES`.
        messages: At least one; a system message comes first.
        template: The checkpoint's own chat template (Jinja), if it has one.

    Raises:
        RequestError: The roles do not fit the format.
        UnsupportedModel: The template is missing or faulty.
    """
    if not messages:
        raise RequestError("The conversation is empty: send at least one message.")
    return CHAT_STYLES[style](tokenizer, messages, template)


def detect_chat(special: Callable[[str], int | None], has_template: bool) -> str | None:
    """The style to use for a model that the registry doesn't know; None: it has no chat format."""
    if has_template:
        return "jinja"
    return "chatml" if special("<|im_start|>") is not None else None


def _chatml(
    tokenizer: Tokenizer, messages: Sequence[ChatMessage], template: str | None
) -> list[int]:
    """Qwen's and SmolLM's. Their templates put a system prompt where the caller gives none."""
    start, end = _control(tokenizer, "<|im_start|>"), _control(tokenizer, "<|im_end|>")
    turns = [(message.role, message.content) for message in messages]
    default = _DEFAULT_SYSTEM.search(template or "")
    if default and messages[0].role != "system":
        turns.insert(0, ("system", default[1]))
    tokens = []
    for role, content in turns:
        tokens += [start, *tokenizer.encode(f"{role}\n{content}"), end, *tokenizer.encode("\n")]
    return [*tokens, start, *tokenizer.encode("assistant\n")]


_DEFAULT_SYSTEM = re.compile(r"<\|im_start\|>system(?:\n|\\n)([^<>{}'\"]+)<\|im_end\|>")
"""The text in a ChatML template's own system turn; a newline may be written as an escape."""


def _codellama(
    tokenizer: Tokenizer, messages: Sequence[ChatMessage], template: str | None
) -> list[int]:
    """Code Llama Instruct's and Llama 2's: Meta's chat_completion, turn by turn."""
    del template
    roles, texts = [m.role for m in messages], [_unmarked(m.content) for m in messages]
    if roles[0] == "system" and len(roles) > 1:
        texts[1] = f"<<SYS>>\n{texts[0]}\n<</SYS>>\n\n{texts[1]}"
        roles, texts = roles[1:], texts[1:]
    if len(roles) % 2 == 0 or any(r != ("user", "assistant")[i % 2] for i, r in enumerate(roles)):
        raise RequestError(
            "This model takes an optional system message, then messages of user and assistant in "
            "turn, the user's last. Put the messages in that order."
        )
    bos, eos = _control(tokenizer, "<s>"), _control(tokenizer, "</s>")
    tokens = []
    for question, answer in zip(texts[0:-1:2], texts[1::2], strict=True):
        turn = f"[INST] {question.strip()} [/INST] {answer.strip()} "
        tokens += [bos, *tokenizer.encode(turn), eos]
    return [*tokens, bos, *tokenizer.encode(f"[INST] {texts[-1].strip()} [/INST]")]


def _deepseek(
    tokenizer: Tokenizer, messages: Sequence[ChatMessage], template: str | None
) -> list[int]:
    """DeepSeek-Coder Instruct's, as its template has it; a system message gets its newline."""
    del template
    system = [m.content for m in messages if m.role == "system"] or [_DEEPSEEK_SYSTEM]
    tokens = [_control(tokenizer, "<｜begin▁of▁sentence｜>")]
    text = "".join(f"{_unmarked(content)}\n" for content in system)
    for message in messages:
        if message.role == "user":
            text += f"### Instruction:\n{_unmarked(message.content)}\n"
        elif message.role == "assistant":
            text += f"### Response:\n{_unmarked(message.content)}\n"
            tokens += [*tokenizer.encode(text), _control(tokenizer, "<|EOT|>")]
            text = "\n"
    return [*tokens, *tokenizer.encode(f"{text}### Response:\n")]


_DEEPSEEK_SYSTEM = (
    "You are an AI programming assistant, utilizing the Deepseek Coder model, developed by "
    "Deepseek Company, and you only answer questions related to computer science. For "
    "politically sensitive questions, security and privacy issues, and other non-computer "
    "science questions, you will refuse to answer"
)
_MARKS = re.compile(
    r"\[(?=/?INST\])|<(?=</?SYS>>)|#(?=## (?:Instruction|Response):)"  # first characters of marks
)


def _unmarked(content: str) -> str:
    """A message without anything that reads as a mark of the format."""
    return _MARKS.sub(r"\g<0> ", content)


def _control(tokenizer: Tokenizer, name: str) -> int:
    token = tokenizer.special(name)
    if token is None:
        raise UnsupportedModel(
            f"This model's tokenizer has no {name}, which its chat format needs. "
            "Choose an instruct model, such as qwen2.5-coder-1.5b."
        )
    return token


def _jinja(
    tokenizer: Tokenizer, messages: Sequence[ChatMessage], template: str | None
) -> list[int]:
    """The checkpoint's own template.

    Templates trim, compare and join contents, so contents go through them as they are, but for a
    character that keeps control tokens' names from being whole until the text is cut at names.
    """
    if template is None:
        raise UnsupportedModel("This model has no chat template. Choose an instruct model.")
    breaker = _unused_character(message.content for message in messages)
    turns = [
        {"role": m.role, "content": re.sub(r"[<\[]", rf"\g<0>{breaker}", m.content)}
        for m in messages
    ]
    text, tokens, at = _rendered(tokenizer, template, turns), [], 0
    for name in CONTROL_SHAPE.finditer(text):
        control = tokenizer.special(name[0])
        if control is not None:
            between = text[at : name.start()].replace(breaker, "")
            tokens += [*tokenizer.encode(between), control]
            at = name.end()
    return tokens + tokenizer.encode(text[at:].replace(breaker, ""))


def _unused_character(contents: Iterable[str]) -> str:
    """A character for private use that none of the texts has."""
    used = set().union(*contents)
    private = chain(range(0xE000, 0xF900), range(0xF0000, 0xFFFFE), range(0x100000, 0x10FFFE))
    for character in map(chr, private):
        if character not in used:
            return character
    raise RequestError("The conversation has every character that there is: send less of it.")


_MOST_SECONDS = 2.0
"""Processor time for a template; those of real models take milliseconds."""
_MOST_CHARACTERS = 1 << 20
"""Most that a template may write of its own."""
_FAULTS = (
    *(TemplateError, ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError),
    *(TypeError, ValueError),
)


def _in_time(render: Callable[[], str]) -> str:
    """Return what `render` does, which is stopped where it takes too long.

    Loops in loops would hold the thread that computes for ever, and no thread can be ended from
    outside: so the tracing function that is called for each line looks at the clock.
    """
    before, end = sys.gettrace(), time.thread_time() + _MOST_SECONDS

    def look(_frame: FrameType, _event: str, _argument: object) -> TraceFunction:
        if time.thread_time() > end:
            raise TemplateError("it takes too long")
        return look

    sys.settrace(look)
    try:
        return render()
    finally:
        sys.settrace(before)


def _rendered(tokenizer: Tokenizer, template: str, turns: list[dict[str, str]]) -> str:
    given = {
        "messages": turns,
        "add_generation_prompt": True,
        "bos_token": tokenizer.bos_token,
        "eos_token": tokenizer.eos_token,
    }
    try:
        text = _in_time(lambda: _ENVIRONMENT.from_string(template).render(given))
        if len(text) > _MOST_CHARACTERS + 2 * sum(len(turn["content"]) for turn in turns):
            raise TemplateError(f"it wrote {len(text)} characters")
        return text.encode("utf-8", "replace").decode()  # half a character has no UTF-8 form
    except _FAULTS as error:
        raise UnsupportedModel(
            f"The model's chat template failed: {error}. Choose another model."
        ) from error


def _raise_exception(message: str) -> NoReturn:
    """What templates call when they reject a conversation."""
    raise RequestError(f"This model does not take the conversation: {message}")


def _to_json(value: Any, indent: int | None = None) -> str:  # noqa: ANN401 - whatever a template has
    """As in transformers: Jinja's own filter escapes for HTML."""
    return json.dumps(value, ensure_ascii=False, indent=indent)


_ENVIRONMENT = ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
)
_ENVIRONMENT.globals["raise_exception"] = _raise_exception
_ENVIRONMENT.filters["tojson"] = _to_json

CHAT_STYLES: dict[str, Encoder] = {
    "chatml": _chatml,
    "codellama": _codellama,
    "deepseek": _deepseek,
    "jinja": _jinja,
}
