"""Numbers about suggestions, counted and kept on this machine. Never code, names or paths."""
