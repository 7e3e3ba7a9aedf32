"""Questions and answers so far, a few for each document. No clock, no model."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import RequestError
from lsp_server.instruct import budget

if TYPE_CHECKING:
    from engine.api import ChatMessage
    from lsp_server.instruct.commands import Command

PER_DOCUMENT, DOCUMENTS = 4, 16
"""The oldest ones are forgotten."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One, up to its last answer."""

    id: str
    document: str
    """URI or path; "" for one about no document."""
    command: Command
    messages: tuple[ChatMessage, ...]

    def continued(self, question: ChatMessage, window: int) -> tuple[ChatMessage, ...]:
        """Messages for the next answer.

        They begin as the last ones did, so the model has read them already, until that does not
        fit `window` tokens: then the oldest questions but the first go.
        """
        said = [*self.messages, question]
        while len(said) > 4 and sum(budget.tokens(m.content) for m in said) > window:
            del said[3:5]
        return tuple(said)


class Conversations:
    """Those that may go on."""

    def __init__(self) -> None:
        self._kept: dict[str, Conversation] = {}
        self._ids = itertools.count(1)

    def new_id(self) -> str:
        """One that none had so far."""
        return str(next(self._ids))

    def keep(self, conversation: Conversation) -> None:
        """Remember one with its newest answer."""
        self._kept.pop(conversation.id, None)
        self._kept[conversation.id] = conversation
        own = [c for c in self._kept.values() if c.document == conversation.document]
        for old in own[:-PER_DOCUMENT]:
            del self._kept[old.id]
        documents = list(dict.fromkeys(c.document for c in reversed(self._kept.values())))
        for document in documents[DOCUMENTS:]:
            self.forget(document)

    def find(self, id_: str) -> Conversation:
        """One that goes on.

        Raises:
            RequestError: it is not known, or forgotten.
        """
        if id_ not in self._kept:
            raise RequestError("This conversation is over. Ask anew, without `conversation`.")
        return self._kept[id_]

    def clear(self) -> None:
        """Settings or folders changed: what was said may have what no model may read now."""
        self._kept.clear()

    def forget(self, document: str) -> None:
        """The document was closed."""
        self._kept = {id_: c for id_, c in self._kept.items() if c.document != document}
