"""Credentials of fifty forms, drawn at random."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

FORMS = [
    'password = "<28w>"',
    "connect(passwd='<28w>')",
    'token = "<32h>"',
    'token: str = "<32h>"',
    'const apiKey: string = "<32h>";',
    'os.environ["API_KEY"] = "<32h>"',
    "'secret' => '<32h>',",
    "define('API_KEY', '<32h>');",
    "SECRET_KEY=<32h>",
    "export AUTH_TOKEN=<32h>",
    "spring.datasource.password=<28w>",
    '"Authorization": "Bearer <32h>"',
    "curl -H 'Authorization: Bearer <28w>'",
    "Server=db;User Id=sa;Password=<12w>;",
    "postgres://bob:<12w>@db/x",
    "https://ci:<32h>@git.corp.io/x.git",
    "SharedAccessKey=<44w>=",
    "AccountKey=<80w>==",
    "AKIA<16U>",
    "ASIA<16U>",
    "aws_secret_access_key = <40w>",
    "ghp_<36w>",
    "github_pat_<40w>",
    "glpat-<20w>",
    "xoxb-<12d>-<12d>-<24w>",
    "https://hooks.slack.com/services/T<9U>/B<9U>/<24w>",
    "https://discord.com/api/webhooks/<18d>/<68w>",
    "M<24w>.<6w>.<28w>",
    "<9d>:AA<33w>",
    "AIza<35w>",
    "GOCSPX-<28w>",
    "ya29.<40w>",
    "sk_live_<24w>",
    "whsec_<32w>",
    "sk-<48w>",
    "sk-ant-api03-<80w>",
    "hf_<36w>",
    "npm_<36w>",
    "pypi-AgEIcHlwaS5vcmc<36w>",
    "gsk_<52w>",
    "shpat_<32h>",
    "dop_v1_<64h>",
    "dckr_pat_<28w>",
    "hvs.<32w>",
    "SG.<22w>.<40w>",
    "figd_<40w>",
    "dapi<32h>",
    "SK<32h>",
    "key-<32h>",
    "<32h>-us12",
    "eyJ<20w>.eyJ<20w>.<20w>",
]
"""`<28w>` stands for 28 characters of a kind, each of which has digits among its letters."""
_KINDS = {
    "w": (string.digits, string.ascii_lowercase, string.ascii_uppercase, string.ascii_lowercase),
    "h": (string.digits, "abcdef"),
    "U": (string.digits, string.ascii_uppercase),
    "d": (string.digits,),
}
_LONG = 12
_DRAWN = re.compile(r"<(\d+)(\w)>")


def credential(form: str, random: Random) -> tuple[str, list[str]]:
    """Return a credential of this form, and the parts of it that nobody may see."""
    parts: list[str] = []

    def draw(found: re.Match[str]) -> str:
        kinds = _KINDS[found[2]]
        drawn = "".join(random.choice(kinds[at % len(kinds)]) for at in range(int(found[1])))
        parts.append(drawn)
        return drawn

    return _DRAWN.sub(draw, form), [part for part in parts if len(part) >= _LONG]
