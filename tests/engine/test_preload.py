from __future__ import annotations

import subprocess
import sys

_PRELUDE = "import gc, sys, threading; from engine import preload; "
_AWAITED = "preload.begin(); [t.join() for t in threading.enumerate() if t.name == 'preload']; "


def _printed(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", _PRELUDE + program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_what_loads_models_is_there_and_left_alone_by_the_collector() -> None:
    told = "print('engine.runtime' in sys.modules, gc.isenabled(), gc.get_freeze_count() > 100_000)"
    assert _printed(_AWAITED + told) == "True True True"


def test_who_imports_it_at_once_waits_for_the_same_import() -> None:
    program = "preload.begin(); import torch; print((torch.ones(2, 2) @ torch.ones(2, 2)).sum())"
    assert _printed(program + "; from engine.runtime import Runtime") == "tensor(8.)"


def test_where_there_is_no_torch_the_thread_says_nothing() -> None:
    program = f"sys.modules['torch'] = None; {_AWAITED}print('engine.runtime' in sys.modules)"
    assert _printed(program) == "False"
