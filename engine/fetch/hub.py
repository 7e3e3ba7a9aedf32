"""The Hugging Face Hub as a source: a model's home.

Plain HTTPS with `Range`, not huggingface_hub's downloader: the digest is computed while bytes
arrive, a broken download goes on at its last byte, and all weights are checked against the
SHA-256 that the Hub states. huggingface_hub supplies the user's token.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from engine.fetch.disk import require_room
from engine.fetch.download import Broken, Remote, download, finished
from engine.fetch.partial import Partial, partial_path
from engine.fetch.source import Digests, Progress, Report, SourceFailed
from engine.network import Misconfigured, Routes, parse, shown, trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.models import ModelEntry

_TIMEOUT = httpx.Timeout(30, connect=5)
_CHECKPOINT = re.compile(
    r"(config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab)"
    r"\.json|tokenizer\.model|merges\.txt|chat_template\.jinja"
    r"|model[\w.-]*\.safetensors(\.index\.json)?"
)
"""Files of a transformers checkpoint that Caret reads; a pickle is never fetched."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOVES = 5
"""Redirects to follow to a repository that was renamed, again and again at worst."""


_HUB = "https://huggingface.co"
_NO_HEAD = (403, 405, 501)
"""Statuses of mirrors that answer no HEAD: the GET will say more."""
_LONGEST_LISTING = 16 << 20
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)


class _Unfit(Exception):
    """The Hub has not what is needed; the text says what is wrong."""


def endpoint() -> str:
    """Return the Hub's address; HF_ENDPOINT names a mirror of it.

    Raises:
        Misconfigured: The variable holds no address.
    """
    written = os.environ.get("HF_ENDPOINT") or _HUB
    return str(parse(written, "address in the variable HF_ENDPOINT")).rstrip("/")


def page(entry: ModelEntry) -> str:
    """Return where a person finds the model, or its one file, with a browser."""
    try:
        repository = _page(entry)
    except Misconfigured:
        repository = f"{_HUB}/{entry.repo}"
    return f"{repository}/resolve/main/{quote(entry.file)}" if entry.file else repository


def _page(entry: ModelEntry) -> str:
    return f"{shown(httpx.URL(endpoint())).rstrip('/')}/{entry.repo}"


def fetch(entry: ModelEntry, report: Report) -> Digests:
    """Download a model's file, or its folder of safetensors, and move it into place.

    Raises:
        SourceFailed: The Hub cannot be reached, or has not what the registry says.
        ModelDamaged: A file has the wrong digest; it is deleted.
        DiskFull: It does not fit.
    """
    try:
        source = f"Hugging Face Hub ({_page(entry)})"
    except Misconfigured as error:
        raise SourceFailed("Hugging Face Hub", str(error)) from error
    try:
        if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
            raise _Unfit("HF_HUB_OFFLINE is set")
        with httpx.Client(transport=Routes(), timeout=_TIMEOUT, headers=_headers()) as client:
            return _fetch(client, entry, report)
    except httpx.HTTPStatusError as error:
        raise SourceFailed(source, _refusal(error.response, entry)) from error
    except httpx.TooManyRedirects as error:
        raise SourceFailed(source, "it redirects again and again") from error
    except httpx.HTTPError as error:
        reason = f"cannot be reached: {trouble(error, error.request.url)}"
        raise SourceFailed(source, reason) from error
    except (httpx.InvalidURL, UnicodeError) as error:
        raise SourceFailed(source, f"redirects to what is no address: {error}") from error
    except (_Unfit, Broken, Misconfigured) as error:
        raise SourceFailed(source, str(error)) from error


def _headers() -> dict[str, str]:
    from huggingface_hub import get_token  # slow to import, and only a download needs it

    token = (get_token() or "").strip()
    if not (token.isascii() and token.isprintable()):
        raise _Unfit("HF_TOKEN has characters that no token has")
    headers = {"User-Agent": "caret", "Accept-Encoding": "identity"}
    return headers | ({"Authorization": f"Bearer {token}"} if token else {})


def _refusal(response: httpx.Response, entry: ModelEntry) -> str:
    said = response.headers.get("X-Error-Message", response.reason_phrase).rstrip(".")[:300]
    advice = ""
    if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        advice = f". If it is gated, accept its terms at {_page(entry)} and set HF_TOKEN"
    return f"HTTP {response.status_code}: {said}{advice}"


def _fetch(client: httpx.Client, entry: ModelEntry, report: Report) -> Digests:
    files = [_one_file(client, entry)] if entry.file else _checkpoint(client, entry)
    prefix = "" if entry.file else f"{entry.path.name}/"
    digests = {file: finished(file) for file in files}
    missing = [file for file in files if digests[file] is None]
    total = sum(file.size for file in files)
    done = total - sum(file.size for file in missing)
    require_room(entry.path.parent, total - done - sum(Partial.found(f.path) for f in missing))
    for file in missing:
        digests[file] = download(client, file, _from(done, total, report))
        done += file.size
    if entry.file is None:
        shutil.rmtree(entry.path, ignore_errors=True)
        partial_path(entry.path).replace(entry.path)
    return {prefix + file.path.name: digest for file, digest in digests.items() if digest}


def _from(done: int, total: int, report: Report) -> Callable[[int], None]:
    return lambda more: report(Progress(done + more, total, "Hugging Face Hub"))


def _one_file(client: httpx.Client, entry: ModelEntry) -> Remote:
    """Return a file with its size and SHA-256, from the registry or else from the Hub.

    The Hub tells them where it redirects to its storage. Mirrors may not, or know no HEAD.
    """
    url = _file_url(entry.repo, entry.file)
    response = client.head(url)
    for _ in range(_MOVES):
        if response.next_request is None or "X-Linked-ETag" in response.headers:
            break
        response = client.send(response.next_request)
    if response.is_error and not (entry.sha256 and response.status_code in _NO_HEAD):
        response.raise_for_status()
    told = response.headers.get("X-Linked-Size", "")
    if not told and response.is_success:
        told = response.headers.get("Content-Length", "")
    size = int(told) if told.isdecimal() and len(told) < 20 else 0
    found = response.headers.get("X-Linked-ETag", "").strip('"')
    sha256 = found if _SHA256.fullmatch(found) else entry.sha256
    if entry.sha256 is not None and entry.size is not None:
        _expect(
            (size or entry.size, sha256) == (entry.size, entry.sha256),
            "its file is another than the one that Caret's registry knows",
        )
        return Remote(url, entry.path, entry.size, entry.sha256)
    _expect(size > 0, "it does not tell the size of the file")
    _expect(sha256 is not None, "it does not tell the SHA-256 of the file, to verify it by")
    return Remote(url, entry.path, size, sha256)


def _file_url(repo: str | None, file: str | None) -> str:
    return f"{endpoint()}/{repo}/resolve/main/{quote(file or '')}"


def _listing(client: httpx.Client, repo: str | None) -> bytes:
    url = f"{endpoint()}/api/models/{repo}"
    listing = b""
    with client.stream("GET", url, params={"blobs": "true"}, follow_redirects=True) as response:
        response.raise_for_status()
        for chunk in response.iter_bytes():
            listing += chunk
            _expect(len(listing) < _LONGEST_LISTING, "it lists files without end")
    return listing


def _checkpoint(client: httpx.Client, entry: ModelEntry) -> list[Remote]:
    """List the files of a transformers checkpoint, with their sizes and digests."""
    try:
        found = {f["rfilename"]: f for f in json.loads(_listing(client, entry.repo))["siblings"]}
        folder = partial_path(entry.path)
        files = [
            Remote(
                _file_url(entry.repo, name),
                folder / name,
                int(file["size"]),
                (file.get("lfs") or {}).get("sha256"),
            )
            for name, file in found.items()
            if _CHECKPOINT.fullmatch(name)
        ]
        _expect(all(file.size >= 0 for file in files), "it tells sizes that cannot be")
    except (*_MALFORMED, RecursionError) as error:
        raise _Unfit("it does not answer as the Hub does") from error
    weights = [file for file in files if file.path.suffix == ".safetensors"]
    ggufs = [f"{entry.repo}:{name}" for name in found if name.endswith(".gguf")]
    hint = f"; name one of its files, such as {', '.join(ggufs[:4])}" if ggufs else ""
    _expect(bool(weights), f"the repository has no model*.safetensors{hint}")
    _expect(all(file.sha256 for file in weights), "it does not tell the SHA-256 of the weights")
    folder.mkdir(exist_ok=True)
    return files


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise _Unfit(otherwise)
