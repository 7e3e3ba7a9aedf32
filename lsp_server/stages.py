"""The order of a session: `initialize`, `initialized`, all else, and `shutdown`."""

from __future__ import annotations

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidRequest, JsonRpcServerNotInitialized


class Stages:
    """Keeps account of how far a session is."""

    def __init__(self) -> None:
        self.greeted = False
        """`initialize` was understood."""
        self._begun = self._left = False
        """`initialized` and `shutdown` have come."""

    def admit(self, method: str, *, asks: bool) -> bool:
        """Return whether a message may come now; `asks` tells a request.

        Raises:
            JsonRpcException: it may not, and is a request.
        """
        begins = method == types.INITIALIZE
        if asks and self._left:
            raise JsonRpcInvalidRequest("The server was told to shut down.")
        if asks and begins and self.greeted:
            raise JsonRpcInvalidRequest("The server is initialized already.")
        if asks and not begins and not self.greeted:
            raise JsonRpcServerNotInitialized("Send `initialize` first.")
        if not asks and (not self.greeted or self._left):
            return False
        self._left = asks and method == types.SHUTDOWN
        return method != types.INITIALIZED or not self._begun

    def lacks_initialized(self, method: str, *, asks: bool) -> bool:
        """Return whether `initialized` is missing before this request; it counts as sent then."""
        works = asks and method not in (types.INITIALIZE, types.SHUTDOWN)
        lacks = works and not self._begun
        self._begun = self._begun or works or method == types.INITIALIZED
        return lacks
