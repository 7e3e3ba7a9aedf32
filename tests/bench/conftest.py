"""The test with the real llama.cpp is collected only where LLAMA_SERVER says that there is one."""

from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("LLAMA_SERVER") else ["test_bench_real_peer.py"]
