"""What whole sessions share: a home with the 0.5B in it, and editors that know it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.editor import editors
from tests.home import own_home

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.editor import StartEditor


@pytest.fixture(scope="module")
def home(qwen_small_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Locks, logs, numbers and an engine of the file's own; the models are the user's."""
    with own_home(tmp_path_factory.mktemp("home"), qwen_small_path.parent) as home:
        yield home


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def start(home: Path) -> AsyncIterator[StartEditor]:
    """Editors whose servers, and their engine, live in `home`."""
    assert os.environ["CARET_HOME"] == str(home)
    async with editors(dict(os.environ)) as start:
        yield start
