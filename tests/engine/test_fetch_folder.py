"""Pulls of a folder of safetensors, from files laid out as the Hub serves them."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.errors import FetchError, ModelDamaged
from engine.fetch import Progress, installed, pull
from engine.models import find

if TYPE_CHECKING:
    from collections.abc import Iterator

WEIGHTS = hashlib.shake_256(b"weights").digest(3_000_000)
CHECKPOINT = {
    "config.json": b'{"model_type": "llama"}',
    "model-00001-of-00002.safetensors": WEIGHTS[:2_000_000],
    "model-00002-of-00002.safetensors": WEIGHTS[2_000_000:],
    "model.safetensors.index.json": b"{}",
    "tokenizer.json": b"{}" * 10,
}
MODEL = "owner/name"


class Handler(SimpleHTTPRequestHandler):
    """Static files; the ones asked for are noted."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(Path(self.path).name)
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


class Repository:
    """`owner/name` on a static server."""

    def __init__(self, root: Path) -> None:
        self.asked: list[str] = []
        self.files = root / MODEL / "resolve" / "main"
        self.listing = root / "api" / "models" / MODEL
        self.files.mkdir(parents=True)
        self.listing.parent.mkdir(parents=True)

    def publish(self, files: dict[str, bytes]) -> None:
        siblings = []
        for name, data in files.items():
            (self.files / name).parent.mkdir(exist_ok=True)
            (self.files / name).write_bytes(data)
            large = {"lfs": {"sha256": hashlib.sha256(data).hexdigest()}}
            siblings.append(
                {"rfilename": name, "size": len(data)} | (large if len(data) > 100 else {})
            )
        self.listing.write_text(json.dumps({"siblings": siblings}))


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    repository = Repository(tmp_path / "hub")
    bound = type("Bound", (Handler,), {"asked": repository.asked})
    handler = functools.partial(bound, directory=str(tmp_path / "hub"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        monkeypatch.setenv("CARET_HOME", str(tmp_path))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield repository
        server.shutdown()
        thread.join()


def quiet(_progress: Progress) -> None:
    """A report for tests that look at files."""


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_checkpoint_arrives_without_its_pickles(repository: Repository) -> None:
    repository.publish(
        CHECKPOINT | {"pytorch_model.bin": WEIGHTS, "original/model.safetensors": WEIGHTS}
    )
    seen: list[Progress] = []
    folder = pull(find(MODEL), seen.append)
    assert contents(folder) == CHECKPOINT
    total = sum(map(len, CHECKPOINT.values()))
    assert seen[-1] == Progress(total, total, "Hugging Face Hub")
    assert installed(find(MODEL)) == folder


def test_it_goes_on_after_its_finished_files(repository: Repository) -> None:
    repository.publish(CHECKPOINT)

    def stop_in_the_second_part(progress: Progress) -> None:
        if progress.done > 2_100_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(find(MODEL), stop_in_the_second_part)
    assert installed(find(MODEL)) is None
    repository.asked.clear()
    assert contents(pull(find(MODEL), quiet)) == CHECKPOINT
    assert repository.asked == ["name?blobs=true", *list(CHECKPOINT)[2:]]


def test_a_truncated_part_is_damage_until_the_next_pull(repository: Repository) -> None:
    repository.publish(CHECKPOINT)
    folder = pull(find(MODEL), quiet)
    os.truncate(folder / "model-00002-of-00002.safetensors", 10)
    with pytest.raises(ModelDamaged, match="00002-of-00002"):
        installed(find(MODEL))
    assert contents(pull(find(MODEL), quiet)) == CHECKPOINT


def test_wrong_weights_are_deleted_and_said(repository: Repository) -> None:
    repository.publish(CHECKPOINT)
    (repository.files / "model-00002-of-00002.safetensors").write_bytes(WEIGHTS[:1_000_000])
    with pytest.raises(ModelDamaged, match=r"model-00002-of-00002\.safetensors is not the publ"):
        pull(find(MODEL), quiet)
    assert installed(find(MODEL)) is None


def test_a_repository_of_ggufs_says_how_to_name_one(repository: Repository) -> None:
    repository.publish({"README.md": b"", "model.Q4_K_M.gguf": WEIGHTS})
    with pytest.raises(FetchError, match=r"no model\*\.safetensors; .* owner/name:model\.Q4_K_M"):
        pull(find(MODEL), quiet)


def test_an_unknown_repository_and_a_page_that_is_no_hub(repository: Repository) -> None:
    with pytest.raises(FetchError, match="HTTP 404: File not found"):
        pull(find(MODEL), quiet)
    repository.listing.write_text("<html>Sign in to this network</html>")
    with pytest.raises(FetchError, match="does not answer as the Hub does"):
        pull(find(MODEL), quiet)
