"""Tensors in, packed tensors and their matmuls out; knows no tokenizer, prompt or request."""
