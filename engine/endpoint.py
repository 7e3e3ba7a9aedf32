"""Address of a user's server, in any form in which a setting may give it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.network import is_public, parse

if TYPE_CHECKING:
    import httpx

_PATHS = re.compile(r"/(chat/completions|completions|models|embeddings)$")
"""Path of a single request, which other programs expect as part of the address."""
_OLLAMA = re.compile(r"/api/(generate|chat|tags)$")
_VERSION = re.compile(r"/v\d+\w*(/|$)")


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
        path = url.path.rstrip("/")
        if requested := _PATHS.search(path):
            path = path[: requested.start()]
        elif _OLLAMA.search(path) or (path == "/api" and not is_public(url.host)):
            path = ""  # Ollama's own dialect; its OpenAI's is beside it
        if not requested and not _VERSION.search(path):
            path += "/v1"
        return url.copy_with(path=path or "/")
