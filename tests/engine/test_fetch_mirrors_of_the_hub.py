"""Pulls from servers that are not quite a Hub: mirrors, proxies, logins, and broken ones."""

from __future__ import annotations

import gzip
import hashlib
import os
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from engine.errors import FetchError, ModelDamaged
from engine.fetch import pull
from engine.fetch.partial import partial_path
from engine.models import ModelEntry, find
from tests.raw_server import certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BLOB = hashlib.shake_256(b"weights").digest(30_000)
KNOWN = ModelEntry(
    "known", "owner/name", "m.gguf", sha256=hashlib.sha256(BLOB).hexdigest(), size=len(BLOB)
)
UNKNOWN = "owner/name:m.gguf"
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Mirror:
    """The answers of a server by method, and the ranges that it was asked for."""

    head: Answer = (200, {}, b"")
    get: list[Callable[[int], Answer]] = field(default_factory=list)
    """Functions from the first byte asked for to an answer, in turn; the last one stays."""
    asked: list[str | None] = field(default_factory=list)
    heads: int = 0


def whole(at: int) -> Answer:
    """Return the correct answer of a server with ranges, from byte `at` on."""
    if not at:
        return 200, {"Content-Length": str(len(BLOB))}, BLOB
    stated = {"Content-Range": f"bytes {at}-{len(BLOB) - 1}/{len(BLOB)}"}
    return 206, stated | {"Content-Length": str(len(BLOB) - at)}, BLOB[at:]


def cut(to: int) -> Callable[[int], Answer]:
    """Return answers like `whole` that break off at byte `to`."""

    def answer(at: int) -> Answer:
        status, headers, data = whole(at)
        return status, headers, data[: to - at]

    return answer


class Handler(BaseHTTPRequestHandler):
    """Serves `mirror`, an attribute of the class that the fixture makes."""

    mirror: Mirror

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.mirror.heads += 1
        self.answer(self.mirror.head)

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.mirror.asked.append(asked)
        get = self.mirror.get.pop(0) if len(self.mirror.get) > 1 else self.mirror.get[0]
        self.answer(get(int(asked[6:-1]) if asked else 0))

    def answer(self, answer: Answer) -> None:
        status, headers, data = answer
        self.send_response(status)
        for header, value in headers.items():
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith(("HF_", "SSL_")):
            monkeypatch.delenv(name)
    mirror = Mirror(get=[whole])
    handler = type("Bound", (Handler,), {"mirror": mirror})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        monkeypatch.setenv("CARET_HOME", str(tmp_path))
        monkeypatch.setenv("HF_ENDPOINT", f" 127.0.0.1:{server.server_address[1]}/ ")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield mirror
        server.shutdown()
        thread.join()


def pulled(entry: ModelEntry = KNOWN) -> bytes:
    return pull(entry, lambda _: None).read_bytes()


def refused(entry: ModelEntry = KNOWN) -> str:
    with pytest.raises(FetchError) as caught:
        pull(entry, lambda _: None)
    assert not entry.path.exists()
    return str(caught.value).splitlines()[1]


def left() -> bytes:
    return path.read_bytes() if (path := partial_path(KNOWN.path)).exists() else b""


@pytest.mark.parametrize(
    "head",
    [
        (200, {}, b""),
        (200, {"Content-Length": str(len(BLOB))}, b""),
        (200, {"X-Linked-Size": "x", "X-Linked-ETag": '"W/1"'}, b""),
        (403, {}, b""),
        (405, {}, b""),
        (501, {}, b""),
    ],
)
def test_what_the_registry_knows_no_head_has_to_tell(mirror: Mirror, head: Answer) -> None:
    mirror.head = head
    assert pulled() == BLOB


def test_a_model_that_nobody_knows_needs_its_digest(mirror: Mirror) -> None:
    assert "does not tell the size" in refused(find(UNKNOWN))
    mirror.head = 200, {"Content-Length": "30000"}, b""
    assert "does not tell the SHA-256" in refused(find(UNKNOWN))
    assert mirror.asked == []


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (401, {}, "HTTP 401: Unauthorized. If it is gated, accept its terms at http://127"),
        (403, {"X-Error-Message": "It is gated."}, "HTTP 403: It is gated. If it is gated, ac"),
        (404, {}, "HTTP 404: Not Found"),
        (302, {"Location": "/again"}, "it redirects again and again"),
        (302, {"Location": "ftp://x/y"}, "stopped after 0 of 30000 bytes: "),
        (302, {"Location": "http://["}, "stopped after 0 of 30000 bytes: "),
        (302, {"Location": f"http://{'a' * 70}.example/"}, "redirects to what is no address"),
        (500, {}, "HTTP 500: Internal Server Error"),
        (204, {}, "stopped after 0 of 30000 bytes: nothing more came"),
        (200, {"Content-Type": "text/html; charset=x"}, "sends a web page in the file's place"),
        (200, {"Content-Length": "29999"}, "its file has 29999 bytes, not 30000"),
        (206, {"Content-Length": "9" * 19}, "its file has"),
    ],
)
def test_refusals_end_in_words_and_leave_nothing(
    mirror: Mirror, status: int, headers: dict[str, str], words: str
) -> None:
    mirror.get = [lambda _: (status, headers, b"")]
    assert words in refused()
    assert left() == b""
    mirror.get = [whole]
    assert pulled() == BLOB


@pytest.mark.parametrize("header", ["Location", "X-Other"])
def test_redirects_of_the_head_alone(mirror: Mirror, header: str) -> None:
    mirror.head = 307, {header: "/again"}, b""
    assert pulled() == BLOB
    assert mirror.heads < 10


def test_a_web_page_on_the_way_costs_nothing_of_what_came(mirror: Mirror) -> None:
    page = 200, {"Content-Type": "text/html"}, b"<title>Log in</title>"
    mirror.get = [cut(20_000), lambda _: page]
    assert "sends a web page in the file's place" in refused()
    assert left() == BLOB[:20_000]
    mirror.get = [whole]
    assert pulled() == BLOB
    assert mirror.asked == [None, *["bytes=20000-"] * 2]


def test_a_download_that_ends_early_again_and_again(mirror: Mirror) -> None:
    mirror.get = [cut(10_000), cut(20_000), cut(25_000), whole]
    assert pulled() == BLOB


def test_a_server_without_ranges_that_never_gets_further(mirror: Mirror) -> None:
    mirror.get = [cut(20_000), lambda _: cut(12_000)(0)]
    assert "stopped after 20000 of 30000 bytes" in refused()
    assert mirror.asked == [None, "bytes=20000-"]


@pytest.mark.parametrize(
    "odd",
    [
        (416, {"Content-Range": "bytes */30000"}, b""),
        (206, {"Content-Range": "bytes 0-29999/30000"}, BLOB),
        (206, {"Content-Range": "bytes 20001-29999/30000"}, BLOB[20_001:]),
        (206, {"Content-Encoding": "gzip"}, gzip.compress(BLOB)[99:]),
    ],
)
def test_an_odd_answer_to_a_range_begins_anew(mirror: Mirror, odd: Answer) -> None:
    mirror.get = [cut(20_000), lambda _: odd, whole]
    assert pulled() == BLOB
    assert mirror.asked == [None, "bytes=20000-", None]


def test_a_range_that_is_refused_for_ever(mirror: Mirror) -> None:
    mirror.get = [cut(20_000), lambda _: (416, {}, b"")]
    assert "HTTP 416" in refused()
    assert len(mirror.asked) == 3


def test_a_file_that_comes_compressed(mirror: Mirror) -> None:
    mirror.get = [lambda _: (200, {"Content-Encoding": "gzip"}, gzip.compress(BLOB))]
    assert pulled() == BLOB


def test_a_file_that_grows(mirror: Mirror) -> None:
    mirror.get = [lambda _: (200, {}, BLOB + b"more")]
    assert "sends more than the 30000 bytes it promised" in refused()
    mirror.get = [whole]
    assert pulled() == BLOB


def test_a_file_that_changed_meanwhile_is_deleted(mirror: Mirror) -> None:
    mirror.get = [cut(20_000), lambda at: (206, {}, b"\0" * (len(BLOB) - at))]
    with pytest.raises(ModelDamaged, match="not the published file"):
        pulled()
    assert left() == b""
    mirror.get = [lambda _: whole(0)]
    assert pulled() == BLOB


@pytest.mark.parametrize(
    "listing",
    [
        *[b"", b"[]", b"null", b'{"siblings":5}', b'{"siblings":[5]}', b'{"siblings":[{}]}'],
        b'{"siblings":[{"rfilename":"config.json","size":1e999}]}',
        b'{"siblings":[{"rfilename":"config.json","size":-1}]}',
        b'{"siblings":[{"rfilename":"config.json","size":1,"lfs":5}]}',
        b'{"siblings":' + b"[" * 100_000,
        b"<html>",
        b"\xff",
    ],
)
def test_a_listing_that_is_none(mirror: Mirror, listing: bytes) -> None:
    mirror.get = [lambda _: (200, {}, listing)]
    said = refused(find("owner/name"))
    assert "does not answer as the Hub does" in said or "sizes that cannot be" in said


def test_a_token_that_is_none(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_s3crét")
    assert "HF_TOKEN has characters that no token has" in refused()
    assert mirror.heads == 0


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("written", ["ftp://x", "http://", "http://h:99999", "http://u:s3c@[/"])
def test_an_address_that_is_none(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", written)
    said = refused()
    assert "Hugging Face Hub: The address in the variable HF_ENDPOINT " in said
    assert "s3c" not in said


@pytest.mark.usefixtures("mirror")
def test_a_bad_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "zzz://127.0.0.1:1/")
    assert pulled() == BLOB  # on this machine, so past it
    KNOWN.path.unlink()
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.example")
    assert "The variable all_proxy names a proxy" in refused()


def test_certificates(mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = type("Bound", (Handler,), {"mirror": mirror})
    made = certificate(tmp_path, "localhost")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*made)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        monkeypatch.setenv("HF_ENDPOINT", f"https://localhost:{server.server_address[1]}")
        assert "its certificate is not trusted on this machine" in refused()
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
        assert "The variable SSL_CERT_FILE names" in refused()
        monkeypatch.setenv("SSL_CERT_FILE", str(made[0]))
        assert pulled() == BLOB
        server.shutdown()
        thread.join()
