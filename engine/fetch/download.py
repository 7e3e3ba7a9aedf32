"""One file over HTTP into a `Partial`, going on where an earlier attempt stopped."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from engine.fetch.partial import Partial

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Remote:
    """A file of a repository."""

    url: str
    path: Path
    """Where it is to be."""
    size: int
    sha256: str | None
    """None for small text files, of which the Hub states no SHA-256."""


class Broken(Exception):
    """The server stopped delivering; the text says how."""


def finished(file: Remote) -> str | None:
    """The SHA-256 of a file that an earlier attempt finished, None if there is none to keep."""
    if not file.path.is_file() or file.path.stat().st_size != file.size:
        return None
    with file.path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return digest if file.sha256 in (None, digest) else None


def download(client: httpx.Client, file: Remote, report: Callable[[int], None]) -> str:
    """Fetch a file and move it into place; return its SHA-256.

    A connection that breaks is taken up again for as long as each one brings something.

    Raises:
        Broken: The server brings nothing any more; what came is kept.
        httpx.HTTPStatusError: It refuses.
        ModelDamaged: The digest is wrong; the file is deleted.
        OSError: It does not fit; what did is kept.
    """
    with Partial(file.path) as partial:
        partial.keep(partial.length if partial.length <= file.size else 0)
        while partial.length < file.size:
            start, reason = partial.length, "nothing more came"
            try:
                _stream(client, file, partial, report)
            except httpx.TransportError as error:
                reason = str(error) or type(error).__name__
            if partial.length == start:
                raise Broken(f"the download stopped after {start} of {file.size} bytes: {reason}")
        if partial.length > file.size:
            raise Broken(f"it sends more than the {file.size} bytes it promised")
        return partial.finish(file.sha256)


def _stream(
    client: httpx.Client, file: Remote, partial: Partial, report: Callable[[int], None]
) -> None:
    headers = {"Range": f"bytes={partial.length}-"} if partial.length else {}
    with client.stream("GET", file.url, headers=headers, follow_redirects=True) as response:
        response.raise_for_status()
        if partial.length and response.status_code != httpx.codes.PARTIAL_CONTENT:
            partial.keep(0)  # the server does not know ranges and begins anew
        for chunk in response.iter_bytes():
            partial.append(chunk)
            report(partial.length)
            if partial.length > file.size:
                return
