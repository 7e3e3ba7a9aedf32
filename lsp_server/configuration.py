"""The settings and folders in force, and how they change.

Settings come as initializationOptions, then from the editor asked or telling. From the moment that
the editor tells of a change until the new settings are read, they are in question: a request waits
before it begins, and before it sends anything.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException

from lsp_server.exclusion import exclusion_of
from lsp_server.policy import path_of
from lsp_server.settings import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pygls.lsp.server import LanguageServer

SECTION = "caret"
_PULL_TIMEOUT_S = 5.0
_KNOWN_TIMEOUT_S = 10.0
"""A client that never says `initialized` gets an error for a request by hand after this."""

_log = logging.getLogger(__name__)


class Configuration:
    """Holds the settings and folders in force; `generation` counts their changes."""

    def __init__(self, ls: LanguageServer, replaced: Callable[[list[str]], None]) -> None:
        """`replaced` is called after every change, with what is wrong with the settings."""
        self._ls, self._replaced = ls, replaced
        self.initial: object = None
        """initializationOptions."""
        self._latest: object = None
        """The section as the editor gave it later; lies over `initial`."""
        self.settings = Settings()
        self.roots: tuple[str, ...] = ()
        """Paths of the workspace's folders."""
        self.generation = 0
        self._problems: list[str] = []
        self._known = asyncio.Event()
        self._renewing: asyncio.Task[None] | None = None
        self._asks = False

    @property
    def begun(self) -> bool:
        """True once the settings have been read."""
        return self.generation > 0

    async def known(self) -> None:
        """Wait until the settings are known, and no change of them is pending.

        Raises:
            JsonRpcException: the client does not say `initialized`.
        """
        try:
            async with asyncio.timeout(_KNOWN_TIMEOUT_S):
                while not self._known.is_set():  # it may be in question again on waking
                    await self._known.wait()
        except TimeoutError:
            raise JsonRpcException(
                "The editor has not said `initialized`, so the settings are not known.",
                code=types.ErrorCodes.ServerNotInitialized,
            ) from None

    def subscribe(self) -> None:
        """Have the editor tell of changes, if it can be asked to."""
        dynamic = "workspace.did_change_configuration.dynamic_registration"
        if get_capability(self._ls.client_capabilities, dynamic):
            method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
            options = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
            registration = types.Registration(id=method, method=method, register_options=options)
            self._ls.client_register_capability(types.RegistrationParams([registration]))

    def changed(self, told: object = None) -> None:
        """Read the settings anew; `told` holds those that the editor sent by itself."""
        pushed = isinstance(told, Mapping) and SECTION in told
        if isinstance(told, Mapping) and pushed:
            self._latest = told[SECTION]
        if self._renewing:
            self._renewing.cancel()
        can_ask = get_capability(self._ls.client_capabilities, "workspace.configuration")
        self._renew(ask=bool(can_ask), keep_null=not pushed)

    def folders_changed(self) -> None:
        """Take the folders that there are now; if settings are being read, that does it."""
        if self.begun and self._known.is_set():
            self._renew()

    async def told(self) -> None:
        """Wait until what the client told is in force; not for what it is asked for."""
        if self._renewing and not self._asks:
            await asyncio.wait([self._renewing])

    def close(self) -> None:
        """Stop waiting for the editor's settings."""
        if self._renewing:
            self._renewing.cancel()
            self._renewing = None

    def _renew(self, *, ask: bool = False, keep_null: bool = False) -> None:
        """Put settings and folders in question until they are read anew."""
        self._known.clear()
        self._asks = ask
        self._renewing = asyncio.create_task(self._settle(ask=ask, keep_null=keep_null))

    async def _ask(self, *, keep_null: bool) -> None:
        """Take what the editor answers; with `keep_null`, null means that nothing is set any more.

        So does an empty list.

        An editor that told the settings in the notification itself may answer null when asked.
        """
        params = types.ConfigurationParams([types.ConfigurationItem(section=SECTION)])
        try:
            async with asyncio.timeout(_PULL_TIMEOUT_S):
                answers: Any = await self._ls.workspace_configuration_async(params)
            told = answers[0] if answers else None
            if keep_null or told is not None:
                self._latest = told
        except (TimeoutError, JsonRpcException) as error:
            _log.warning("The editor did not answer workspace/configuration: %r", error)

    async def _settle(self, *, ask: bool, keep_null: bool) -> None:
        """Put the settings in force; end all waiting for them, whatever goes wrong."""
        try:
            if ask:
                await self._ask(keep_null=keep_null)
            await self._take()
        finally:
            if self._renewing is asyncio.current_task():  # not if a later change is read instead
                self._known.set()

    async def _take(self) -> None:
        """Read the settings on a thread, and their patterns: there may be thousands."""
        roots = None
        while roots != self._folders:  # they may change meanwhile
            roots = self._folders
            settings, problems = await asyncio.to_thread(_read, roots, self.initial, self._latest)
        if self.begun and (settings, roots, problems) == (
            self.settings,
            self.roots,
            self._problems,
        ):
            return
        self.settings, self.roots, self._problems = settings, roots, problems
        self.generation += 1
        self._replaced(problems)

    @property
    def _folders(self) -> tuple[str, ...]:
        return tuple(path_of(folder.uri) for folder in self._ls.workspace.folders.values())


def _read(roots: tuple[str, ...], *sections: object) -> tuple[Settings, list[str]]:
    """Return the settings and what is wrong with them, when all is ready to compare paths."""
    settings, problems = read_settings(*sections)
    exclusion_of(settings.privacy.exclude, roots).prepare()
    return settings, problems
