"""What looks like a credential is never suggested: it is somebody's, out of the training data."""

from __future__ import annotations

import re

_PLACEHOLDER = r"(?i:example|placeholder|your|change_?me|dummy|fake|sample|x{4})"
_DRAWN = r"[A-Za-z0-9+]"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
_RANDOM = (
    rf"(?![^\s\"']*{_PLACEHOLDER})"
    rf"(?={_UUID}|[\w+/=.-]*?(?<!{_DRAWN})(?={_DRAWN}*\d[A-Za-z+]+\d){_DRAWN}{{12,}})"
    r"[A-Za-z0-9_+/=.-]{16,}"
)
"""Letters between digits in a row that no `-`, `_` or `/` parts: no name, path or version."""
_NAME = (
    r"(?i:\b[\w.-]{0,40}(?:secret|api[_-]?key|access[_-]?key|private[_-]?key|token|passw(?:or)?d)"
    r"(?!\w*(?:path|file|name|ur[il]|header)\b)\w*)"
)
_IS = r"[\"']?\]?\s*(?::\s*&?\w+\s*)?[:=]+>?\s*[bru]?"
_ALLOTTED = r"(?i:pass|pwd|secret|user|postgres|root|admin|guest|test)"
"""In the passwords of servers that run on one's own machine."""

PATTERNS = {
    "private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "AWS access key": r"\b(?:AKIA|ASIA|AGPA|AROA)(?!\w*EXAMPLE)[A-Z0-9]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})",
    "GitLab token": r"\bglpat-[A-Za-z0-9_-]{18,}",
    "Slack token": r"\bxox[abeprs]-[A-Za-z0-9-]{10,}",
    "Slack webhook": r"hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/\w{16,}",
    "Google API key": r"\bAIza[A-Za-z0-9_-]{30,}",
    "Stripe key": r"\b[rs]k_live_[A-Za-z0-9]{16,}",
    "OpenAI or Anthropic key": r"\bsk-(?=[\w-]*\d)(?=[\w-]*[A-Za-z0-9]{12})[A-Za-z0-9_-]{20,}",
    "Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}",
    "npm token": r"\bnpm_[A-Za-z0-9]{30,}",
    "PyPI token": r"\bpypi-[A-Za-z0-9_-]{30,}",
    "JSON Web Token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "SendGrid key": r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    "Azure storage key": r"\bAccountKey=[A-Za-z0-9+/]{40,}",
    "bearer token": rf"(?i:\bbearer)\s+{_RANDOM}",
    "password in a URL": (
        r"\b[a-z][a-z0-9+]*://(?P<user>[^\s/:@'\"{}$<>]+):(?!(?P=user)@)"
        rf"(?![^\s/@]*(?:{_PLACEHOLDER}|{_ALLOTTED}))[^\s/@'\"{{}}$<>]{{6,}}@"
    ),
    "value of a password, token or secret": (
        rf"(?:{_NAME}{_IS}|\([\"']{_NAME}[\"'],\s*)[\"']{_RANDOM}[\"']"
        rf"|(?m:^[ \t]*(?:export[ \t]+|-[ \t]+)?{_NAME}[ \t]*[:=][ \t]*{_RANDOM}[ \t]*$)"
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
