"""What tests share: the real models, fetched once into the user's own models folder."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from engine.fetch import pull
from engine.models import find

if TYPE_CHECKING:
    from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# As the engine: a thread that spins while it waits takes the core that another process needs.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# A shell ignores SIGINT for what it starts in the background, and so would each process of a test.
signal.signal(signal.SIGINT, signal.default_int_handler)
# What is green stays green, however busy the machine; `make fuzz` looks for what nobody thought of.
settings.register_profile("caret", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None, max_examples=3_000)
settings.load_profile("caret")


def _fetched(name: str) -> Path:
    return pull(find(name), lambda _: None)


@pytest.fixture(scope="session")
def smollm2_path() -> Path:
    """SmolLM2-135M, a Llama, as GGUF Q4_1 and Q8_0 (98 MB)."""
    return _fetched("smollm2-135m")


@pytest.fixture(scope="session")
def qwen_small_path() -> Path:
    """Qwen2.5-Coder-0.5B as GGUF Q5_0, Q8_0, Q4_K and Q6_K (491 MB)."""
    return _fetched("qwen2.5-coder-0.5b")
