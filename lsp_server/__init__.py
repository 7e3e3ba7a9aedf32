"""The language server: the only package that knows the Language Server Protocol."""

import os
import sys

# `python -m lsp_server` and `PYTHONPATH=.` put the folder that the editor shows first in sys.path.
# Nothing may be imported from there, so nothing is imported before it is gone: not even __future__.
_found = sys.path[:]
sys.path[:] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]  # noqa: PTH100, PTH120
from engine.search_path import without_workspace  # noqa: E402

sys.path[:] = without_workspace(_found)

__version__ = "0.1.0"
