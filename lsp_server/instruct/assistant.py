"""The main path: a question becomes messages, an answer, and an edit that parses."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from engine.api import ChatMessage, ChatRequest, Usage
from engine.errors import AnswerUnusable
from lsp_server.instruct.answers import loops
from lsp_server.instruct.change import NoCodeError, change_of, complaints_about
from lsp_server.instruct.conversations import Conversation, Conversations
from lsp_server.instruct.prompt import filled, messages, question
from lsp_server.instruct.region import task_of
from lsp_server.instruct.templates import RETRY

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from engine.api import FinishReason, Piece
    from lsp_server.instruct.ask import Ask, Task
    from lsp_server.instruct.change import Change
    from lsp_server.settings import InstructSettings

    Say = Callable[[str], None]


class Speaker(Protocol):
    """What answers; `lsp_server.backend` has the real one."""

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece, None]:
        """The pieces as they come; closing the generator stops the work."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an ask."""

    text: str
    """Markdown; of two tries the last one."""
    conversation: str
    change: Change | None = None
    cut: bool = False
    """The text ends where `caret.instruct.maxTokens` were reached."""
    usages: tuple[Usage, ...] = field(default=())
    """What each try cost, where the server says."""


class Assistant:
    """Asks the model, and keeps the conversations."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self.conversations = Conversations()

    async def answer(
        self,
        ask: Ask,
        settings: InstructSettings,
        say: Say,
        *,
        document: str = "",
        conversation: str = "",
    ) -> Outcome:
        """Answer an ask, or a further question of a `conversation`; `say` gets text as it comes.

        Raises:
            RequestError: the ask lacks something, or does not fit.
            AnswerUnusable: an edit was wanted, and twice the answer had none that parses.
            CaretError: the engine or its model failed.
        """
        # On threads, since whole files are parsed.
        task = await asyncio.to_thread(task_of, ask)
        talk = await asyncio.to_thread(self._begun, task, settings, document, conversation)
        usages: list[Usage] = []
        ends: list[FinishReason] = []
        for last in (False, True):
            text = await self._spoken(talk.messages, settings, say, usages, ends)
            talk = replace(talk, messages=(*talk.messages, ChatMessage("assistant", text)))
            self.conversations.keep(talk)
            change, faults = await asyncio.to_thread(_judged, task, text)
            if change or not (faults or task.ask.command.yields == "rewrite"):
                return Outcome(text, talk.id, change, ends[-1:] == ["length"], tuple(usages))
            if not last:
                say("\n\n---\n\n")
                talk = await asyncio.to_thread(_once_more, talk, task, faults, settings.window)
        raise AnswerUnusable(_why_not(task, faults))

    def _begun(
        self, task: Task, settings: InstructSettings, document: str, conversation: str
    ) -> Conversation:
        """The conversation with the new question at its end."""
        command = task.ask.command
        if not conversation:
            said = messages(task, settings.window)
            return Conversation(self.conversations.new_id(), document, command, said)
        old = self.conversations.find(conversation)
        new = question(task, settings.window) if command.edits else _further(task)
        return replace(old, messages=old.continued(new, 2 * settings.window))

    async def _spoken(
        self,
        said: tuple[ChatMessage, ...],
        settings: InstructSettings,
        say: Say,
        usages: list[Usage],
        ends: list[FinishReason],
    ) -> str:
        """The whole answer; what it cost and why it ends are added to the lists."""
        request = ChatRequest(settings.model, said, max_tokens=settings.max_tokens)
        text, usage = "", None
        async with aclosing(self._speaker.chat(request)) as pieces:
            async for piece in pieces:
                text += piece.text
                usage = piece.usage or usage
                ends += [piece.finish_reason] if piece.finish_reason else []
                if piece.text:
                    say(piece.text)
                if "\n" in piece.text and loops(text):
                    break
        usages += [usage] if usage else []
        return text


def _further(task: Task) -> ChatMessage:
    """A question about what was said: the words alone, so nothing is read twice."""
    return ChatMessage("user", task.instruction or "Go on.")


def _judged(task: Task, text: str) -> tuple[Change | None, list[str]]:
    """The change that an answer makes, and what is wrong with it."""
    place = task.ask.place
    if not task.ask.command.edits or place is None:
        return None, []
    try:
        change = change_of(task, text)
    except NoCodeError as error:
        return None, [str(error)]
    faults = complaints_about(task, change) if change else []
    return (None, faults) if faults else (change, [])


def _once_more(talk: Conversation, task: Task, faults: list[str], window: int) -> Conversation:
    """To mend its faults the model is told; what it left as it was it is asked in other words."""
    retry = (*talk.messages, ChatMessage("user", _retry(task, faults)))
    return replace(talk, messages=retry if faults else messages(task, window, again=True))


def _why_not(task: Task, faults: list[str]) -> str:
    """For people; without a fault, the code came back as it was."""
    if faults:
        return (
            f"The model's answer cannot be applied: {faults[0]}. Nothing was changed. Try again "
            "with less code or clearer words, or use a larger model (caret.instruct.model)."
        )
    return (
        f"The model left {task.what} as it was. Say in other words what is to be done, or use "
        "a larger model (caret.instruct.model)."
    )


def _retry(task: Task, faults: list[str]) -> str:
    assert task.ask.place
    told = "\n".join(f"- {fault}" for fault in faults)
    what = task.what if task.ask.command.yields == "rewrite" else "your code"
    slots = {"complaints": told, "what": what, "tag": task.ask.place.language}
    return filled(RETRY, slots)
