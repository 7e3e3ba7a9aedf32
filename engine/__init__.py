"""Text in, text out: models, tokenizers, prompts, decoding, and the process that serves them."""
