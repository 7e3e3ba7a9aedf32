"""Where the settings come from: initializationOptions, then the editor asked or telling."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException

from lsp_server.settings import Settings, read_settings

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

SECTION = "caret"
_PULL_TIMEOUT_S = 5.0

_log = logging.getLogger(__name__)


class Configuration:
    """The section as the editor gave it; what it says now lies over what it said at the start."""

    def __init__(self) -> None:
        self.initial: object = None
        """initializationOptions."""
        self._latest: object = None

    def read(self) -> tuple[Settings, list[str]]:
        """The settings, and what is wrong with them."""
        return read_settings(self.initial, self._latest)

    def subscribe(self, ls: LanguageServer) -> None:
        """Have the editor tell of changes, if it can be asked to."""
        dynamic = "workspace.did_change_configuration.dynamic_registration"
        if get_capability(ls.client_capabilities, dynamic):
            method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
            options = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
            registration = types.Registration(id=method, method=method, register_options=options)
            ls.client_register_capability(types.RegistrationParams([registration]))

    async def update(self, ls: LanguageServer, told: object = None) -> None:
        """Take what the editor answers when asked, else what it told unasked, if anything."""
        if isinstance(told, Mapping) and SECTION in told:
            self._latest = told[SECTION]
        if get_capability(ls.client_capabilities, "workspace.configuration"):
            answer = await _ask(ls)
            self._latest = self._latest if answer is None else answer


async def _ask(ls: LanguageServer) -> Any:  # noqa: ANN401 - any JSON value
    """The editor's value for the section; None if it has none or does not answer."""
    params = types.ConfigurationParams([types.ConfigurationItem(section=SECTION)])
    try:
        async with asyncio.timeout(_PULL_TIMEOUT_S):
            answers = await ls.workspace_configuration_async(params)
    except (TimeoutError, JsonRpcException) as error:
        _log.warning("The editor did not answer workspace/configuration: %r", error)
        return None
    return answers[0] if answers else None
