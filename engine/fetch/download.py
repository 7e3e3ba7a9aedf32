"""One file over HTTP into a `Partial`, going on where an earlier attempt stopped."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from engine.fetch.partial import Partial
from engine.network import trouble

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


_RANGE = re.compile(r"bytes (\d{1,18})-")


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

    A connection that breaks is taken up again for as long as each one gets further.

    Raises:
        Broken: The server brings nothing any more; what came is kept.
        httpx.HTTPStatusError: It refuses.
        ModelDamaged: The digest is wrong; the file is deleted.
        OSError: It does not fit; what did is kept.
    """
    with Partial(file.path) as partial:
        # Without a digest nothing shows that the file changed since: its beginning counts for none.
        partial.keep(partial.length if file.sha256 and partial.length <= file.size else 0)
        most, again = partial.length, False
        while partial.length < file.size:
            reason = "nothing more came"
            try:
                again = _stream(client, file, partial, report) and not again
            except httpx.TransportError as error:
                reason, again = trouble(error, error.request.url), False
            if partial.length <= most and not again:
                raise Broken(f"the download stopped after {most} of {file.size} bytes: {reason}")
            most = max(most, partial.length)
        if partial.length > file.size:
            raise Broken(f"it sends more than the {file.size} bytes it promised")
        return partial.finish(file.sha256)


def _stream(
    client: httpx.Client, file: Remote, partial: Partial, report: Callable[[int], None]
) -> bool:
    """Append what one connection brings; return whether to ask anew, from the first byte."""
    resumes = bool(partial.length and file.sha256)
    headers = {"Range": f"bytes={partial.length}-"} if resumes else {}
    with client.stream("GET", file.url, headers=headers, follow_redirects=True) as response:
        if resumes and _is_elsewhere(response, partial.length):
            partial.keep(0)
            return True
        _check(response, file, partial.length)
        if partial.length and response.status_code != httpx.codes.PARTIAL_CONTENT:
            partial.keep(0)  # the server does not know ranges and begins anew
        for chunk in response.iter_bytes():
            partial.append(chunk)
            report(partial.length)
            if partial.length > file.size:
                break
    return False


def _is_elsewhere(response: httpx.Response, at: int) -> bool:
    """Return whether an answer to a request of bytes from `at` on cannot follow those before."""
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        found = _RANGE.match(response.headers.get("Content-Range", ""))
        return _is_coded(response) or (found is not None and int(found[1]) != at)
    return response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE


def _check(response: httpx.Response, file: Remote, at: int) -> None:
    """Refuse what is not the file before anything of it is written."""
    response.raise_for_status()
    if "html" in response.headers.get("Content-Type", "").lower():
        raise Broken("it sends a web page in the file's place, as a login or a proxy does")
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and not _is_coded(response):
        partly = response.status_code == httpx.codes.PARTIAL_CONTENT
        whole = int(length[:19]) + (at if partly else 0)
        if whole != file.size:
            raise Broken(f"its file has {whole} bytes, not {file.size}")


def _is_coded(response: httpx.Response) -> bool:
    coding: str = response.headers.get("Content-Encoding", "identity")
    return coding.lower() != "identity"
