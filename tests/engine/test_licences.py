"""Which models ask their users to accept something, and how long an answer holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine import licences
from engine.errors import LicenceNotAccepted
from engine.fetch import Progress, pull
from engine.models import DEFAULT_FIM, DEFAULT_INSTRUCT, MODELS, find
from engine.paths import licences_path

if TYPE_CHECKING:
    from pathlib import Path

LLAMA = find("codellama-7b")
LICENCE = licences.LLAMA2


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARET_HOME", str(tmp_path))
    monkeypatch.delenv(licences.VARIABLE, raising=False)


def never(_progress: Progress) -> None:
    pytest.fail("nothing is to be downloaded")


def test_apache_models_ask_for_nothing() -> None:
    asking = {name for name, entry in MODELS.items() if licences.wanted(entry.licence)}
    open_ones = MODELS.keys() - asking
    assert {DEFAULT_FIM, DEFAULT_INSTRUCT, "qwen2.5-coder-0.5b", "smollm2-135m"} <= open_ones
    assert {MODELS[name].licence for name in open_ones} == {licences.APACHE}
    assert licences.wanted(find("owner/name").licence) is None


def test_a_download_waits_for_the_licence() -> None:
    with pytest.raises(LicenceNotAccepted, match=r"Llama 2 .*USE_POLICY\.md.*--accept-licence"):
        pull(LLAMA, never)


def test_what_is_on_disk_is_not_asked_about() -> None:
    LLAMA.path.write_bytes(b"GGUF")
    assert pull(LLAMA, never) == LLAMA.path


def test_an_answer_holds_for_every_model_under_the_licence() -> None:
    licences.accept(LICENCE)
    assert licences.wanted(find("codellama-70b-instruct").licence) is None
    assert licences.wanted(find("starcoder2-3b").licence)
    assert LICENCE.url in licences_path().read_text()


@pytest.mark.parametrize("damage", ["{", "[]", '"Llama 2"'])
def test_a_damaged_record_is_no_answer(damage: str) -> None:
    licences_path().write_text(damage)
    assert licences.wanted(LICENCE)
    licences.accept(LICENCE)
    assert licences.wanted(LICENCE) is None


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        ("all", True),
        ("OpenRAIL-M, llama 2", True),
        ("OpenRAIL-M", False),
        ("", False),
        ("1", False),
    ],
)
def test_the_environment_answers(
    monkeypatch: pytest.MonkeyPatch, value: str, accepted: bool
) -> None:
    monkeypatch.setenv(licences.VARIABLE, value)
    assert (licences.wanted(LICENCE) is None) == accepted
    assert not licences_path().exists()
