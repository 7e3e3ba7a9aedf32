"""Benchmarks against llama.cpp on the same machine, in the same run. Nothing imports this."""
