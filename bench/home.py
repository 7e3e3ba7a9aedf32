"""A CARET_HOME of a benchmark's own: its engine, and of the user's only models, packed or not."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from engine.paths import models_dir, packed_dir

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLE = "CARET_HOME"


@contextmanager
def private_home(*, packed: bool = True) -> Iterator[Path]:
    """A folder for this process and all that it starts, gone afterwards.

    The user's own engine is neither used nor disturbed, and what Caret keeps from one start to
    the next is kept within this block only. Models that the user's Caret has packed already are
    used as they are, unless `packed` is false, where packing belongs to what is measured.
    """
    models, kept, before = models_dir(), packed_dir(), os.environ.get(_VARIABLE)
    with tempfile.TemporaryDirectory(prefix="caret-bench-", ignore_cleanup_errors=True) as folder:
        (Path(folder) / "models").symlink_to(models.resolve())
        (Path(folder) / "packed").mkdir()
        for path in kept.glob("*.safetensors") if packed else ():
            (Path(folder) / "packed" / path.name).symlink_to(path)
        os.environ[_VARIABLE] = folder
        try:
            yield Path(folder)
        finally:
            if before is None:
                del os.environ[_VARIABLE]
            else:
                os.environ[_VARIABLE] = before
