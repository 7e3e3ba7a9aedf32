"""A model's licence, shown in the editor before its first download."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException

from engine import licences

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

    from engine.licences import Licence

ACCEPT, READ, REFUSE = "Accept", "Read it", "Not now"

_log = logging.getLogger(__name__)


class Consent:
    """Asks for each licence once in the server's life."""

    def __init__(self, ls: LanguageServer) -> None:
        self._ls = ls
        self._asked: set[Licence] = set()

    async def given(self, model: str, licence: Licence) -> bool:
        """Whether the user accepts now; recorded if so."""
        if licence in self._asked:
            return False
        self._asked.add(licence)
        if licences.wanted(licence) is None:  # by this environment, which is not the engine's
            licences.accept(licence)
            return True
        while (answer := await self._answer(model, licence)) == READ:
            for page in filter(None, (licence.url, licence.policy)):
                await self._ls.window_show_document_async(
                    types.ShowDocumentParams(page, external=True)
                )
        if answer == ACCEPT:
            licences.accept(licence)
        return answer == ACCEPT

    async def _answer(self, model: str, licence: Licence) -> str:
        can_read = get_capability(self._ls.client_capabilities, "window.show_document.support")
        titles = [ACCEPT, *([READ] if can_read else []), REFUSE]
        params = types.ShowMessageRequestParams(
            types.MessageType.Info,
            f"Caret: {licences.describe(model, licence)}",
            [types.MessageActionItem(title) for title in titles],
        )
        try:
            chosen = await self._ls.window_show_message_request_async(params)
        except JsonRpcException as error:
            _log.warning("The editor cannot ask: %s", error)
            return REFUSE
        return chosen.title if chosen else REFUSE
