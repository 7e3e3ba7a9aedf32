"""Address of a user's server, in any form in which a setting may give it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.network import is_public, parse

if TYPE_CHECKING:
    import httpx

_PATHS = re.compile(rb"/(chat/completions|completions|models|embeddings)$")
"""Path of a single request, which other programs expect as part of the address."""
_OLLAMA = re.compile(rb"/api/(generate|chat|tags)$")
_VERSION = re.compile(rb"/v\d+\w*(/|$)")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Address of a server, with the model and the API key for requests to it."""

    url: str
    """With or without the final `/v1`, or the path of a request."""
    model: str = ""
    """Its name for the model; empty leaves the choice to a server that has only one."""
    api_key: str | None = field(default=None, repr=False)

    @property
    def base(self) -> httpx.URL:
        """The address up to and including `/v1`.

        Raises:
            Misconfigured: It is no address of an HTTP server.
        """
        url = parse(self.url, "endpoint")
        path = url.raw_path.rstrip(b"/")  # as it was written: %2F is another path than a slash
        if requested := _PATHS.search(path):
            path = path[: requested.start()]
        elif _OLLAMA.search(path) or (path == b"/api" and not is_public(url.host)):
            path = b""  # Ollama's own dialect; its OpenAI's is beside it
        if not requested and not _VERSION.search(path):
            path += b"/v1"
        return url.copy_with(raw_path=path or b"/")

    def address(self, request: str) -> httpx.URL:
        """Return the address for one kind of request, such as `chat/completions`.

        Raises:
            Misconfigured: The endpoint is no address of an HTTP server.
        """
        base = self.base
        return base.copy_with(raw_path=base.raw_path.rstrip(b"/") + b"/" + request.encode())
