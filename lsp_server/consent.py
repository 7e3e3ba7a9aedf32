"""Questions to the user in the editor: a model's licence, a server or a model in the settings."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException

from engine import licences
from lsp_server import trust

if TYPE_CHECKING:
    from collections.abc import Callable

    from pygls.lsp.server import LanguageServer

    from engine.licences import Licence
    from engine.models import ModelEntry

ACCEPT, READ, REFUSE = "Accept", "Read it", "Not now"
ALLOW, WITH_KEY, WITHOUT_KEY = "Allow", "Allow with the key", "Allow without the key"
FORBID = "Do not allow"

_log = logging.getLogger(__name__)


class Consent:
    """Asks each thing once in the server's life."""

    def __init__(self, ls: LanguageServer) -> None:
        self._ls = ls
        self._asked: set[object] = set()

    async def given(self, model: str, licence: Licence) -> bool:
        """Whether the user accepts now; recorded if so."""
        if licence in self._asked:
            return False
        self._asked.add(licence)
        if licences.wanted(licence) is None:  # by this environment, which is not the engine's
            return self._accepted(licence)
        while (answer := await self._answer(model, licence)) == READ:
            for page in filter(None, (licence.url, licence.policy)):
                await self._ls.window_show_document_async(
                    types.ShowDocumentParams(page, external=True)
                )
        return answer == ACCEPT and self._accepted(licence)

    def _accepted(self, licence: Licence) -> bool:
        what = f"That you accept the {licence.name} licence"
        return self._recorded(what, partial(licences.accept, licence))

    def _recorded(self, what: str, record: Callable[[], object]) -> bool:
        """Record an answer; return False and say so where it cannot be kept."""
        try:
            record()
        except OSError as error:
            _log.warning("An answer cannot be recorded: %s", error)
            told = f"Caret: {what} cannot be kept: {error}"
            self._ls.window_show_message(types.ShowMessageParams(types.MessageType.Error, told))
            return False
        return True

    async def server(self, endpoint: str, variable: str) -> bool:
        """Ask what is not decided about the server of an endpoint, and record the answer.

        `variable` names the environment variable with a key for it, if there is one. Returns
        whether anything was allowed. Who does not answer is asked again by the next server.
        """
        server = trust.server_of(endpoint)
        code = trust.code_allowed(server)
        key = bool(variable) and code is not False and trust.key_allowed(server, variable) is None
        if (code is not None and not key) or (server, variable) in self._asked:
            return False
        self._asked.add((server, variable))
        question, answers = _question(server, variable if key else "", code=bool(code))
        answer = await self._choice(question, list(answers))
        if answer not in answers:
            return False
        keys = {variable: answers[answer]} if key and (code or answer != FORBID) else {}
        decide = partial(trust.decide, server, answer != FORBID if code is None else None, **keys)
        return self._recorded("This decision", decide) and answer != FORBID

    async def model(self, model: ModelEntry) -> bool:
        """Ask whether a model of the hub may be downloaded, and record the answer.

        Returns whether it was allowed now. Who does not answer is asked again by the next server.
        """
        if trust.model_allowed(model) is not None or model in self._asked:
            return False
        self._asked.add(model)
        answer = await self._choice(
            f"Download the model {model.name} from the Hugging Face hub? Your settings, or this "
            "folder's, name it.",
            [ALLOW, FORBID],
        )
        if answer not in (ALLOW, FORBID):
            return False
        decide = partial(trust.decide_model, model.name, download=answer == ALLOW)
        return self._recorded("This decision", decide) and answer == ALLOW

    async def _answer(self, model: str, licence: Licence) -> str:
        can_read = get_capability(self._ls.client_capabilities, "window.show_document.support")
        titles = [ACCEPT, *([READ] if can_read else []), REFUSE]
        return await self._choice(licences.describe(model, licence), titles)

    async def _choice(self, question: str, titles: list[str]) -> str:
        params = types.ShowMessageRequestParams(
            types.MessageType.Info,
            f"Caret: {question}",
            [types.MessageActionItem(title) for title in titles],
        )
        try:
            chosen = await self._ls.window_show_message_request_async(params)
        except JsonRpcException as error:
            _log.warning("The editor cannot ask: %s", error)
            return REFUSE
        return chosen.title if chosen else REFUSE


def _question(server: str, variable: str, *, code: bool) -> tuple[str, dict[str, bool]]:
    """The question about a server, and its answers: whether they give it the key."""
    if code:  # may go there already
        return f"Send the API key in {variable} to {server}?", {ALLOW: True, FORBID: False}
    asked = f"Send code to {server}? Your settings, or this folder's, name it."
    if not variable:
        return asked, {ALLOW: False, FORBID: False}
    if trust.is_bound(variable):
        asked += f" The API key in {variable} was given for another server."
        return asked, {ALLOW: False, WITH_KEY: True, FORBID: False}
    asked += f" The API key in {variable} would go with it."
    return asked, {ALLOW: True, WITHOUT_KEY: False, FORBID: False}
