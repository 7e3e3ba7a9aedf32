"""Evaluations of what Caret writes: is it right? `caret bench` asks how fast."""
