"""Certificates of a company's own, and of other kinds that are not to be trusted."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from typing import TYPE_CHECKING

import httpx
import pytest

from engine.network import Misconfigured, open_client, trouble
from tests.raw_server import certificate, raw_server

if TYPE_CHECKING:
    from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
NAMES = ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for localhost, and its key."""
    return certificate(tmp_path_factory.mktemp("own"), "localhost")


def served_by(made: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*made)
    return context


async def _get(url: str) -> str:
    """Return the body of the server's answer, or the reason why the request failed."""
    address = httpx.URL(url)
    async with open_client(address, {}, httpx.Timeout(10)) as http:
        try:
            return (await http.get(address)).text
        except httpx.HTTPError as error:
            return trouble(error, address)


async def _asked(made: tuple[Path, Path], host: str = "localhost") -> str:
    async with raw_server(OK, tls=served_by(made)) as server:
        return await _get(f"https://{host}:{server.port}")


async def test_unknown_authority(own: tuple[Path, Path]) -> None:
    said = await _asked(own)
    assert said.startswith("its certificate is not trusted on this machine (self-signed cert")
    assert "let the variable SSL_CERT_FILE name that file" in said


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
async def test_authority_in_a_file(
    own: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, str(own[0]))
    assert await _asked(own) == "ok"


async def test_authority_in_a_folder(
    own: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copy(own[0], tmp_path)
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True)
    monkeypatch.setenv("SSL_CERT_DIR", f"/nonexistent:{tmp_path}")
    assert await _asked(own) == "ok"


async def test_another_host_name(own: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(own[0]))
    said = await _asked(own, host="127.0.0.1")
    assert said.startswith("its certificate is for another host name (IP address mismatch")


async def test_out_of_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = _expired(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(old[0]))
    said = await _asked(old)
    assert said.startswith("its certificate is out of date, or the clock of this machine is (")


def _expired(folder: Path) -> tuple[Path, Path]:
    (folder / "index.txt").touch()
    (folder / "serial").write_text("01")
    (folder / "ca.cnf").write_text(
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\n"
        "default_md=sha256\npolicy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n"
        "[e]\nsubjectAltName=DNS:localhost\n"
    )
    request = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost"
    signed = "openssl ca -config ca.cnf -selfsign -batch -notext -keyfile key.pem -in request.pem"
    dates = " -startdate 20200101000000Z -enddate 20200201000000Z -out old.pem"
    for command in (f"{request} -keyout key.pem -out request.pem", signed + dates):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder / "old.pem", folder / "key.pem"


async def test_tls_asked_of_a_server_without() -> None:
    async with raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n", greets=True) as server:
        said = await _get(f"https://localhost:{server.port}")
    assert said == "it does not speak TLS there: write http://, or name the port of https"


async def test_a_server_with_tls_asked_without() -> None:
    async with raw_server(b"\x15\x03\x01\x00\x02\x02\x16") as server:
        assert await _get(server.url) == (
            "it does not speak plain HTTP there: perhaps https:// is right"
        )


async def test_a_real_server_with_tls_asked_without(own: tuple[Path, Path]) -> None:
    async with raw_server(OK, tls=served_by(own)) as server:
        said = await _get(server.url)
    assert said == "it hung up without an answer, as servers do that want https://"


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_that_names_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, str(tmp_path / "missing.pem"))
    with pytest.raises(Misconfigured, match=rf"^The variable {name} names .*missing.pem, which ca"):
        open_client(httpx.URL("https://h"), {}, httpx.Timeout(1))


def test_a_variable_that_names_no_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.pem").write_text("not a certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "a.pem"))
    with pytest.raises(Misconfigured, match="it has no certificate in PEM"):
        open_client(httpx.URL("https://h"), {}, httpx.Timeout(1))


def test_no_file_of_an_open_folder_is_trusted(
    own: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(own[0], tmp_path / "a.pem")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", "a.pem")
    with pytest.raises(Misconfigured, match="it is no absolute path"):
        open_client(httpx.URL("https://h"), {}, httpx.Timeout(1))
