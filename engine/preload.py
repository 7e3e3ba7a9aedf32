"""What loads models, brought in while the engine starts: torch takes longer than all the rest."""

from __future__ import annotations

import ctypes
import gc
import os
import threading
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path


def begin() -> None:
    """Import `engine.runtime` on a thread of its own; who imports it later waits for that."""
    threading.Thread(target=_load, name="preload", daemon=True).start()


def _load() -> None:
    # What cannot be imported is reported where it is needed.
    with suppress(ImportError, OSError):
        _link_torch()
        _import()


def _link_torch() -> None:
    """Load torch's largest library, a sixth of its import, beside Python rather than within it.

    `import` holds Python's lock meanwhile, as `ctypes.CDLL` does; a foreign function does not.
    """
    found = find_spec("torch")
    library = Path(found.origin if found and found.origin else "").parent / "lib/libtorch_cpu.so"
    if library.is_file():  # on Linux
        ctypes.CDLL(None).dlopen(os.fsencode(library), os.RTLD_NOW)


def _import() -> None:
    """Without a search for garbage: there is none, and what is imported stays."""
    gc.disable()
    try:
        import engine.runtime  # noqa: F401 - what matters is that it is loaded
    finally:
        gc.enable()
        gc.freeze()
