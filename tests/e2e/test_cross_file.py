"""What stands in another file of the workspace is completed right, by a small model in real use."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bench.evals.cross_file import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from bench.evals.cross_file import Sample
    from tests.editor import Editor, StartEditor

pytestmark = pytest.mark.asyncio(loop_scope="module")
SMALL = {"fim": {"model": "qwen2.5-coder-0.5b"}}
OFF = {"context": {"recent": False, "definitions": False, "search": False}}
LOADING_S = 120.0
ASKED = SAMPLES[::2]
FEWEST = 4
"""Samples of these 7 that this model must complete right."""


async def _score(editor: Editor) -> dict[str, bool]:
    return {sample.name: await _is_right(editor, sample) for sample in ASKED}


async def _is_right(editor: Editor, sample: Sample) -> bool:
    uri = editor.open(sample.text, f"{sample.name}/{sample.path}", sample.language)
    texts = await editor.texts(uri, *sample.caret, invoked=True)
    editor.close(uri)
    return bool(texts) and sample.hole().right(texts[0])


async def _indexed(editor: Editor, files: int) -> None:
    async with asyncio.timeout(LOADING_S):
        while (await editor.command("caret.status"))["context"]["files"] != files:
            await asyncio.sleep(0.05)


async def test_context_makes_the_difference(start: StartEditor, tmp_path: Path) -> None:
    for sample in SAMPLES:
        sample.write(tmp_path / sample.name)
    editor = await start(SMALL, folder=tmp_path, deadline_s=LOADING_S)
    await _indexed(editor, sum(len(sample.files) for sample in SAMPLES))
    with_context = await _score(editor)
    assert with_context["python-inherited"]  # of an object whose type is told by other files
    editor = await start(SMALL | OFF, folder=tmp_path, deadline_s=LOADING_S)
    without = await _score(editor)
    assert sum(with_context.values()) >= FEWEST
    assert sum(without.values()) <= 1
