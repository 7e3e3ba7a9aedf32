"""A model under a licence: the editor is asked before anything is downloaded, once."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from engine import launch
from engine.errors import FetchError, LicenceNotAccepted
from engine.paths import licences_path
from tests.editor import editors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.editor import StartEditor

LLAMA = {"fim": {"model": "codellama-7b"}}
UNREACHABLE = "http://127.0.0.1:9"


@pytest_asyncio.fixture
async def start(tmp_path: Path) -> AsyncIterator[StartEditor]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARET_HOME", str(tmp_path))
        patch.setenv("HF_ENDPOINT", UNREACHABLE)
        patch.delenv("CARET_ACCEPT_LICENCE", raising=False)
        async with editors(dict(os.environ)) as start:
            yield start
        await launch.stop()


async def test_a_licence_is_asked_for_once(start: StartEditor) -> None:
    refusing = await start(LLAMA, until="error")
    await refusing.until(lambda: len(refusing.asked) == 1)
    (question,) = refusing.asked
    assert "Llama 2" in question.message
    assert "USE_POLICY.md" in question.message
    assert [action.title for action in question.actions or ()][::2] == ["Accept", "Not now"]
    codes = {status.detail.code for status in refusing.statuses if status.state == "error"}
    assert codes == {LicenceNotAccepted.code}
    assert not licences_path().exists()

    willing = await start(LLAMA, until=None, choice="Accept")
    await willing.until(
        lambda: any(
            status.state == "error" and status.detail.code == FetchError.code
            for status in willing.statuses
        )
    )
    assert list(json.loads(licences_path().read_text())) == ["Llama 2"]
    assert len(willing.asked) == 1

    third = await start(LLAMA, until="error")
    assert third.asked == []
