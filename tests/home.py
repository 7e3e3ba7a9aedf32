"""A CARET_HOME of the tests' own: its engine and what it writes, and none of the user's."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from engine import launch
from engine.paths import packed_dir

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def own_home(folder: Path, models: Path, *, packed: bool = True) -> Iterator[Path]:
    """`CARET_HOME` is `folder` within this block, and its engine ends with it.

    Models are those in `models`, the user's. So are packed weights, since packing them anew would
    tell nothing more, unless `packed` is false, where that is what is tested.
    """
    (folder / "models").symlink_to(models)
    if packed:
        (folder / "packed").symlink_to(packed_dir())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARET_HOME", str(folder))
        try:
            yield folder
        finally:
            asyncio.run(launch.stop())
