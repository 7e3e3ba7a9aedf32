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

_KEY = r"(?<![\w-])"
"""Before the key of a service: no name or longer key."""
_BODY = r"(?:(?:\\[nr]|[\s\"'+,]){1,32}[A-Za-z0-9+/]{16,}={0,2})*"
"""Further lines of Base64, perhaps in strings."""
_PRIVATE_KEY = (
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
    rf"(?:(?:[\w+/=:,\s\"']|\\[nr]|-(?!----))*-----END [A-Z0-9 ]+-----|{_BODY})"
    r"|(?<![A-Za-z0-9+/])(?:MII\w[\w+/][AQgw]IBA(?:A[JK][BC]|DANBgkq)|M\w\wCAQ(?:EE[HI]|AwBQYDK2V)"
    r"|MI[GH]\wAgE(?:BB[CDE]|AMB[AMQ]GByqGSM49)|b3BlbnNzaC1rZXkt)"
    rf"[A-Za-z0-9+/]{{16,}}={{0,2}}{_BODY}"
)
"""Also without its first line: its Base64 begins as that of no certificate and no public key."""

PATTERNS = {
    "private key": _PRIVATE_KEY,
    "PuTTY or age key": r"PuTTY-User-Key-File-\d|\bAGE-SECRET-KEY-1[0-9A-Z]{50,}",
    "AWS access key": r"\b(?:AKIA|ASIA|AGPA|AROA|ABIA|ACCA)(?!\w*EXAMPLE)[A-Z0-9]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})",
    "GitLab token": rf"{_KEY}(?:glpat|gldt|glrt|glcbt|glptt|glsoat)-[A-Za-z0-9_-]{{18,}}",
    "Slack token": rf"{_KEY}(?:xox[abceoprs]|xapp)-[A-Za-z0-9-]{{10,}}",
    "Slack, Discord or Teams webhook": (
        r"hooks\.slack\.com/(?:services|workflows)/T[A-Z0-9]{6,}/[AB][A-Z0-9]{6,}/\w{16,}"
        r"|discord(?:app)?\.com/api/webhooks/\d{15,}/[\w-]{40,}"
        r"|\.webhook\.office\.com/webhookb2/[\w@-]{40,}/"
    ),
    "Discord or Telegram token": (
        r"\b[MNO][A-Za-z\d_-]{23,27}\.[A-Za-z\d_-]{6}\.[A-Za-z\d_-]{27,}"
        r"|\b\d{8,10}:AA[A-Za-z0-9_-]{33}(?![\w-])"
    ),
    "Google key": (
        rf"{_KEY}AIza[A-Za-z0-9_-]{{30,}}|{_KEY}GOCSPX-[A-Za-z0-9_-]{{20,}}"
        rf"|{_KEY}ya29\.[A-Za-z0-9_-]{{30,}}"
    ),
    "Stripe key": r"\b(?:[rs]k_(?:live|test)|whsec)_[A-Za-z0-9]{16,}",
    "OpenAI, Anthropic or OpenRouter key": (
        rf"{_KEY}sk-(?=[\w-]{{0,200}}?\d)(?=[\w-]{{0,200}}?[A-Za-z0-9]{{12}})[A-Za-z0-9_-]{{20,}}"
    ),
    "key of a service": (
        rf"{_KEY}(?:hf_[A-Za-z0-9]{{30,}}|npm_[A-Za-z0-9]{{30,}}|pypi-[A-Za-z0-9_-]{{30,}}"
        r"|gsk_[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{35,}|pplx-[A-Za-z0-9]{40,}|nvapi-[\w-]{40,}"
        r"|xai-[A-Za-z0-9]{40,}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|sq0(?:atp|csp)-[\w-]{22,}"
        r"|EAAA[\w-]{60}|do[opr]_v1_[a-f0-9]{64}|dckr_pat_[\w-]{20,}|hv[sbr]\.[\w-]{24,}"
        r"|dp\.(?:pt|st|ct|sa)\.[\w.-]{40,}|lin_api_[A-Za-z0-9]{36,}|ntn_[A-Za-z0-9]{40,}"
        r"|secret_[A-Za-z0-9]{43}\b|figd_[\w-]{36,}|PMAK-[a-f0-9]{24}-[a-f0-9]{34}"
        r"|NRAK-[A-Z0-9]{27}|NRJS-[a-f0-9]{19}|sntrys_[\w+/=-]{60,}|sntryu_[a-f0-9]{64}"
        r"|glsa_\w{32}_[a-f0-9]{8}|glc_[\w+/=]{40,}|dapi[a-f0-9]{32}|rubygems_[a-f0-9]{48}"
        r"|cio[A-Za-z0-9]{32}\b|tskey-(?:auth|api)-[\w-]{20,}|ATATT3[\w=-]{60,}|ATBB\w{28,}"
        r"|CFPAT-[\w-]{43}|fly?o?1_[\w-]{43,}|FlyV1 fm\d_[\w+/=,]{40,}|pul-[a-f0-9]{40}"
        r"|[a-z0-9]{14}\.atlasv1\.[\w-]{60,}|key-[a-f0-9]{32}\b|SK[a-f0-9]{32}\b"
        r"|[a-f0-9]{32}-us\d{1,2}\b|xkeysib-[a-f0-9]{64}-\w{16}|rk?ey_prod_[\w-]{20,}"
        r"|AccountKey=[A-Za-z0-9+/]{40,}|SharedAccessKey=[A-Za-z0-9+/]{40,}"
        r"|sv=\d{4}-\d\d-\d\d&[^\s\"']{0,400}sig=[\w%+/-]{40,}|\w{3}8Q~[\w.~-]{34}"
        r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,})"
    ),
    "JSON Web Token": (
        rf"{_KEY}eyJ[A-Za-z0-9_-]{{10,}}\.eyJ[A-Za-z0-9_-]{{10,}}\.[A-Za-z0-9_-]{{10,}}"
    ),
    "bearer token": rf"(?i:\b(?:bearer|basic))\s{{1,4}}{_RANDOM}",
    "password in a URL": (
        r"\b[a-z][a-z0-9+]{0,20}://(?P<user>[^\s/:@'\"{}$<>]{0,80}):(?!(?P=user)@)"
        rf"(?![^\s/@]{{0,200}}?(?:{_PLACEHOLDER}|{_ALLOTTED}))[^\s/@'\"{{}}$<>]{{6,200}}@"
    ),
    "password in a connection string": (
        rf"(?i:;\s?(?:password|pwd)=)(?![^;\"']{{0,80}}?{_PLACEHOLDER})(?=[^;\"'\s]{{0,80}}?\d)"
        r"[^;\"'\s{}$<>]{8,}(?=[;\"'])"
    ),
    "value of a password, token or secret": (
        rf"(?:{_NAME}{_IS}|\([\"']{_NAME}[\"'],\s*)[\"']{_RANDOM}[\"']"
        rf"|(?m:{_NAME}[ \t]*[:=][ \t]*{_RANDOM}[ \t]*$)"
    ),
}
"""What it is, and the regular expression that finds it."""
_ANY = re.compile("|".join(f"(?:{pattern})" for pattern in PATTERNS.values()))
_LINES = re.compile(_PRIVATE_KEY)


def first_secret(text: str, start: int = 0) -> int | None:
    """Offset of the first credential that ends behind `start`, or None.

    >>> key = "AKIA" + "Q" * 16
    >>> first_secret(f"id = {key}"), first_secret("id = os.environ['AWS_ID']")
    (5, None)
    >>> first_secret(f"id = {key} ", len(f"id = {key}"))
    """
    ends_later = (found for found in _ANY.finditer(text) if found.end() > start)
    return next((found.start() for found in ends_later), None)


def redacted(text: str) -> str:
    """Return a text with a mark for each character of its credentials, but for line ends.

    >>> redacted("id = AKIA" + "Q" * 16 + " # mine")
    'id = ******************** # mine'
    """
    return _ANY.sub(_marks, text)


def without_keys(text: str) -> str:
    """Return a text with only its private keys redacted.

    They alone stand on many lines, so it is called before a text is cut: no part of one is known
    for what it is.
    """
    return _LINES.sub(_marks, text)


def _marks(found: re.Match[str]) -> str:
    return re.sub(r"[^\r\n]", "*", found[0])
