from __future__ import annotations

import asyncio
import json
import socket
import stat
from typing import TYPE_CHECKING

import httpx
import pytest

from engine import lockfile
from engine.errors import OutOfMemory
from engine.web.guard import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from engine.host import Host
    from engine.lockfile import Address
    from tests.engine.web.conftest import Loader

DEADLINE_S = 60.0
MODEL = "smollm2-135m"
PATHS = ["/v1/models", "/metrics", "/nowhere"]


async def _get(
    address: Address, path: str, headers: httpx.Headers | dict[str, str]
) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as stranger:
        return await stranger.get(address.url + path, headers=headers)


@pytest.mark.parametrize("token", [None, "Bearer", "Bearer s3cre", "Bearer s3crett", "s3cret", "é"])
async def test_wrong_token(address: Address, token: str | None) -> None:
    headers = httpx.Headers({"Authorization": token} if token else {}, encoding="utf-8")
    for path in PATHS:
        response = await _get(address, path, headers)
        assert response.status_code == 401
        assert response.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("name", ["evil.example", "evil.example:80", "127.0.0.1.evil:1", "[::1]:1"])
async def test_name_that_dns_was_rebound_to(address: Address, name: str) -> None:
    for path in [*PATHS, "/health"]:
        response = await _get(address, path, address.headers | {"Host": name})
        assert response.status_code == 403


async def test_localhost_is_a_name_of_ours(address: Address) -> None:
    named = address.headers | {"Host": f"localhost:{address.port}"}
    assert (await _get(address, "/v1/models", named)).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_web_page(address: Address, origin: str) -> None:
    for path in [*PATHS, "/health"]:
        response = await _get(address, path, address.headers | {"Origin": origin})
        assert response.status_code == 403
        assert "access-control-allow-origin" not in response.headers


async def test_health_tells_strangers_only_that_it_lives(address: Address) -> None:
    assert (await _get(address, "/health", {})).json() == {"status": "ok"}
    wrong = await _get(address, "/health", {"Authorization": "Bearer x"})
    assert wrong.status_code == 401


async def test_health_tells_its_user_who_it_is(
    http: httpx.AsyncClient, host: Host, address: Address
) -> None:
    host.loaded(MODEL).result(DEADLINE_S)
    health = (await http.get("/health")).json()
    assert (health["pid"], health["version"]) == (address.pid, lockfile.our_version())
    assert [(model["name"], model["phase"]) for model in health["models"]] == [(MODEL, "ready")]
    assert health["quiet_seconds"] >= 0


async def test_models_in_memory_and_on_disk(
    http: httpx.AsyncClient, loader: Loader, home: Path
) -> None:
    (home / "models").mkdir(exist_ok=True)
    (home / "models" / "qwen2.5-coder-0.5b.gguf").touch()
    loader.failure = OutOfMemory("It does not fit. Use a smaller one.")
    loaded = await http.post("/v1/models/load", json={"model": MODEL})
    assert loaded.json()["name"] == MODEL
    async with asyncio.timeout(DEADLINE_S):
        while True:
            listed = (await http.get("/v1/models")).json()["data"]
            shown = {entry["id"]: entry["status"] for entry in listed}
            if shown[MODEL]["phase"] == "failed":
                break
    assert shown[MODEL]["error_code"] == "out_of_memory"
    assert shown["qwen2.5-coder-0.5b"]["phase"] == "absent"
    assert len(shown) == 2


@pytest.mark.parametrize(
    ("body", "status"), [({"model": "gpt-9"}, 404), ({"model": 3}, 400), ({"modell": "a"}, 400)]
)
async def test_load_of_what_is_no_model(
    http: httpx.AsyncClient, body: dict[str, object], status: int
) -> None:
    response = await http.post("/v1/models/load", json=body)
    assert response.status_code == status
    assert response.json()["error"]["message"]


@pytest.mark.parametrize("chunked", [False, True])
async def test_body_that_is_too_large(http: httpx.AsyncClient, chunked: bool) -> None:
    body = json.dumps({"prompt": "x" * MAX_BODY_BYTES}).encode()

    async def parts() -> AsyncIterator[bytes]:
        yield body

    try:
        response = await http.post("/v1/completions", content=parts() if chunked else body)
    except httpx.WriteError:  # the server answered and hung up before it had all
        return
    assert response.status_code == 413
    assert "16 MB" in response.json()["error"]["message"]


async def test_wrong_path_and_method(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/nothing")).status_code == 404
    assert (await http.get("/v1/completions")).status_code == 405


async def test_survives_what_is_not_http(address: Address, http: httpx.AsyncClient) -> None:
    for rubbish in (b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", b"\r\n" * 50):
        with socket.create_connection(("127.0.0.1", address.port)) as stranger:
            stranger.sendall(rubbish)
    assert (await http.get("/health")).status_code == 200


def test_address_file_is_private_and_whole(address: Address, home: Path) -> None:
    file = home / "run" / "engine.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert json.loads(file.read_text())["token"] == address.token
    assert address.token not in repr(address)
    assert sorted(path.name for path in file.parent.iterdir()) == ["engine.json", "engine.lock"]
