"""What stands in another file of the workspace is completed right, by a small model in real use."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from bench.evals.cross_file import SAMPLES
from engine import launch
from engine.paths import models_dir
from tests.editor import editors

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from bench.evals.cross_file import Sample
    from tests.editor import Editor

SMALL = {"fim": {"model": "qwen2.5-coder-0.5b"}}
OFF = {"context": {"recent": False, "definitions": False, "search": False}}
LOADING_S = 120.0
FEWEST = 8
"""Samples of 13 that this model must complete right; 10 when this was written."""


async def _score(editor: Editor) -> int:
    right = [await _is_right(editor, sample) for sample in SAMPLES]
    return sum(right)


async def _is_right(editor: Editor, sample: Sample) -> bool:
    uri = editor.open(sample.text, f"{sample.name}/{sample.path}", sample.language)
    texts = await editor.texts(uri, *sample.caret, invoked=True)
    editor.close(uri)
    return bool(texts) and sample.hole().right(texts[0])


async def _indexed(editor: Editor, files: int) -> None:
    async with asyncio.timeout(LOADING_S):
        while (await editor.command("caret.status"))["context"]["files"] != files:
            await asyncio.sleep(0.05)


async def test_context_makes_the_difference(
    qwen_small_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert qwen_small_path.parent == models_dir()
    home, workspace = tmp_path / "home", tmp_path / "workspace"
    home.mkdir()
    (home / "models").symlink_to(models_dir())
    monkeypatch.setenv("CARET_HOME", str(home))
    for sample in SAMPLES:
        sample.write(workspace / sample.name)
    async with editors(dict(os.environ)) as start:
        editor = await start(SMALL, folder=workspace, deadline_s=LOADING_S)
        await _indexed(editor, 2 * len(SAMPLES))
        with_context = await _score(editor)
        editor = await start(SMALL | OFF, folder=workspace, deadline_s=LOADING_S)
        without = await _score(editor)
    await launch.stop()
    assert with_context >= FEWEST
    assert without <= 1
