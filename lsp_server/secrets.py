"""What looks like a credential is never suggested: it is somebody's, out of the training data."""

from __future__ import annotations

import re

PATTERNS = {
    "private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "AWS access key": r"\b(?:AKIA|ASIA|AGPA|AROA)[A-Z0-9]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})",
    "GitLab token": r"\bglpat-[A-Za-z0-9_-]{18,}",
    "Slack token": r"\bxox[abeprs]-[A-Za-z0-9-]{10,}",
    "Slack webhook": r"hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/\w{16,}",
    "Google API key": r"\bAIza[A-Za-z0-9_-]{30,}",
    "Stripe key": r"\b[rs]k_live_[A-Za-z0-9]{16,}",
    "OpenAI or Anthropic key": r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{20,}",
    "Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}",
    "npm token": r"\bnpm_[A-Za-z0-9]{30,}",
    "PyPI token": r"\bpypi-[A-Za-z0-9_-]{30,}",
    "JSON Web Token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "password in a URL": r"\b[a-z][a-z0-9+]*://[^\s/:@'\"{}$<>]+:[^\s/@'\"{}$<>]{6,}@",
    "value of a secret": (
        r"(?i:\b\w*(?:secret|api_?key|access_?key|auth_?token|private_?key)\w*)[\"']?\s*[:=]+\s*"
        r"[\"'](?=[^\"']*\d)(?=[^\"']*[A-Za-z])[A-Za-z0-9+/=_-]{20,}[\"']"
    ),
}
"""What it is, and the regular expression that finds it."""
_ANY = re.compile("|".join(f"(?:{pattern})" for pattern in PATTERNS.values()))


def first_secret(text: str, start: int = 0) -> int | None:
    """Offset of the first credential that ends behind `start`, or None.

    >>> key = "AKIA" + "Q" * 16
    >>> first_secret(f"id = {key}"), first_secret("id = os.environ['AWS_ID']")
    (5, None)
    >>> first_secret(f"id = {key} ", len(f"id = {key}"))
    """
    ends_later = (found for found in _ANY.finditer(text) if found.end() > start)
    return next((found.start() for found in ends_later), None)
