"""Pulls from a real HTTP server that speaks as the Hugging Face Hub does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace as altered
from typing import TYPE_CHECKING

import pytest

from engine.errors import DiskFull, FetchError, ModelDamaged
from engine.fetch import Progress, installed, pull
from engine.fetch.partial import partial_path
from engine.models import ModelEntry, find
from tests.hub import BLOB, MODEL, REPO, Handler, Hub, serving, sha256

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("CARET_HOME", str(tmp_path))
    with serving(hub := Hub()):
        yield hub


def quiet(_progress: Progress) -> None:
    """A report for tests that look at files."""


def leftovers(entry: ModelEntry) -> set[str]:
    return {path.name for path in entry.path.parent.iterdir() if path.suffix != ".lock"}


def test_a_file_arrives_whole_and_is_reported() -> None:
    seen: list[Progress] = []
    path = pull(find(MODEL), seen.append)
    assert path.read_bytes() == BLOB
    assert seen[-1] == Progress(len(BLOB), len(BLOB), "Hugging Face Hub")
    assert [p.done for p in seen] == sorted(p.done for p in seen)
    assert installed(find(MODEL)) == path
    assert leftovers(find(MODEL)) == {path.name, f".{path.name}.receipt"}


def test_the_token_stays_with_the_hub(hub: Hub) -> None:
    pull(find(MODEL), quiet)
    assert hub.tokens == {("hub", "Bearer hf_secret"), ("storage", None)}


def test_a_renamed_repository_is_followed(hub: Hub) -> None:
    hub.moved_to = "new-owner/new-name"
    assert pull(find(MODEL), quiet).read_bytes() == BLOB


def test_a_broken_connection_is_taken_up_at_its_last_byte(hub: Hub) -> None:
    hub.cut_at = [1_000_000, 2_500_000]
    assert pull(find(MODEL), quiet).read_bytes() == BLOB
    assert hub.downloads == ["", "bytes=1000000-", "bytes=2500000-"]


def test_a_server_without_ranges_starts_over(hub: Hub) -> None:
    hub.cut_at, hub.knows_ranges = [1_000_000], False
    assert pull(find(MODEL), quiet).read_bytes() == BLOB


def test_a_server_that_brings_nothing_more_is_given_up_resumably(hub: Hub) -> None:
    hub.cut_at = [1_000_000, 1_000_000]
    with pytest.raises(FetchError, match="stopped after 1000000 of 3000000 bytes: peer closed"):
        pull(find(MODEL), quiet)
    assert leftovers(find(MODEL)) == {"owner--name-GGUF--model.gguf.partial"}
    assert pull(find(MODEL), quiet).read_bytes() == BLOB
    assert hub.downloads[-1] == "bytes=1000000-"


PULL = f"""
import sys
from engine.errors import CaretError
from engine.fetch import pull
from engine.models import find
if sys.argv[1:]:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
try:
    print(pull(find({MODEL!r}), lambda progress: print(progress.done, flush=True)))
except CaretError as error:
    sys.exit(f"{{error.code}}: {{error}}")
"""


def wait_for(size: int, path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists() or path.stat().st_size < size:
        assert time.monotonic() < deadline, "the download does not get on"
        time.sleep(0.01)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_pull_goes_on_where_it_was(hub: Hub, sign: signal.Signals) -> None:
    hub.held_at = 1_200_000
    entry = find(MODEL)
    half = partial_path(entry.path)
    with subprocess.Popen([sys.executable, "-c", PULL], stderr=subprocess.DEVNULL) as process:
        wait_for(1 << 20, half)
        process.send_signal(sign)
    assert not entry.path.exists()
    kept = half.stat().st_size
    assert BLOB.startswith(half.read_bytes())
    hub.held_at = 0
    assert pull(entry, quiet).read_bytes() == BLOB
    assert hub.downloads[-1] == f"bytes={kept}-"


def test_of_two_pulls_the_second_waits_for_the_first(hub: Hub) -> None:
    hub.held_at = 1_200_000
    sources = set()

    def report(progress: Progress) -> None:
        sources.add(progress.source)
        hub.released.set()

    with subprocess.Popen([sys.executable, "-c", PULL], stdout=subprocess.PIPE) as other:
        wait_for(1 << 20, partial_path(find(MODEL).path))
        assert pull(find(MODEL), report).read_bytes() == BLOB
    assert other.returncode == 0
    assert sources == {"another Caret"}
    assert len(hub.downloads) == 1


def test_a_disk_that_fills_up_is_said_and_what_came_is_kept(hub: Hub) -> None:
    # A limit on the size of a file stands for the full disk: the same failing write().
    full = subprocess.run(
        [sys.executable, "-c", PULL, "1500000"], capture_output=True, text=True, check=False
    )
    assert full.returncode == 1
    assert "disk_full: The disk became full while downloading into" in full.stderr
    assert "Traceback" not in full.stderr
    assert pull(find(MODEL), quiet).read_bytes() == BLOB
    assert hub.downloads == ["", "bytes=1500000-"]


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("place", ["{}.partial", ".{}.lock", "{}"])
def test_what_is_in_the_way_is_said(place: str) -> None:
    path = find(MODEL).path
    path.with_name(place.format(path.name)).mkdir()
    with pytest.raises(FetchError, match=r"cannot be written: .* Remove what is in the way"):
        pull(find(MODEL), quiet)


def test_too_little_room_is_said_before_the_download(hub: Hub) -> None:
    hub.stated = {"X-Linked-Size": str(10**18)}
    with pytest.raises(DiskFull, match=r"No room in .*models: .* needs 1\.0 EB, .* are free"):
        pull(find(MODEL), quiet)
    assert hub.downloads == []


def test_wrong_bytes_are_deleted_and_said(hub: Hub) -> None:
    hub.stated = {"X-Linked-ETag": f'"{"0" * 64}"'}
    with pytest.raises(ModelDamaged, match=r"not the published file \(SHA-256 [0-9a-f]{12}…, not"):
        pull(find(MODEL), quiet)
    assert leftovers(find(MODEL)) == set()


def test_another_file_than_the_registry_knows_is_not_downloaded(hub: Hub) -> None:
    entry = altered(find(MODEL), sha256="0" * 64, size=len(BLOB))
    with pytest.raises(FetchError, match="another than the one that Caret's registry knows"):
        pull(entry, quiet)
    assert hub.downloads == []


def test_a_file_without_a_digest_is_not_trusted(hub: Hub) -> None:
    hub.stated = {"X-Linked-ETag": '"0123456789abcdef"'}
    with pytest.raises(FetchError, match="does not tell the SHA-256"):
        pull(find(MODEL), quiet)
    known = altered(find(MODEL), sha256=sha256(BLOB), size=len(BLOB))
    assert pull(known, quiet).read_bytes() == BLOB


def test_a_truncated_model_is_damaged_until_it_is_pulled_again() -> None:
    os.truncate(pull(find(MODEL), quiet), 1000)
    with pytest.raises(ModelDamaged, match=r"\(1000 bytes\) of 3\.0 MB .* Run `caret pull owner"):
        installed(find(MODEL))
    assert pull(find(MODEL), quiet).read_bytes() == BLOB


def test_an_unreachable_hub_and_an_offline_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(FetchError) as caught:
        pull(find(MODEL), quiet)
    text = str(caught.value)
    assert "owner/name-GGUF:model.gguf could not be downloaded." in text
    assert f"Hugging Face Hub (http://127.0.0.1:9/{REPO}): cannot be reached: " in text
    assert f"http://127.0.0.1:9/{REPO}/resolve/main/model.gguf\n  by hand at {tmp_path}" in text
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(FetchError, match="HF_HUB_OFFLINE is set"):
        pull(find(MODEL), quiet)


def test_a_refusal_is_said_with_the_hubs_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FetchError, match="HTTP 404: Entry not found"):
        pull(find(f"{REPO}:other.gguf"), quiet)
    said = {"X-Error-Message": "Access to model owner/name-GGUF is restricted."}
    monkeypatch.setattr(Handler, "do_HEAD", lambda handler: handler.answer(401, said))
    with pytest.raises(FetchError, match=r"HTTP 401: Access .* is restricted\. If .* set HF_TOKEN"):
        pull(find(MODEL), quiet)
