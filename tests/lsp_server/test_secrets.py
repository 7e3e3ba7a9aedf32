"""What looks like a credential, and what looks like one but is a name, a path or a placeholder."""

from __future__ import annotations

from random import Random

import pytest

from lsp_server.secrets import first_secret, redacted, without_keys
from lsp_server.workspace.definitions import definitions
from tests.credentials import FORMS, credential

HEX = "a1b2c3d4e5f60718" * 2
MIXED = "wJ4lrXUt5nFE7MDENG9bPxRfiCY2"


@pytest.mark.parametrize(
    "text",
    [
        f'password = "{MIXED}"',
        f"connect(passwd='{MIXED}')",
        f'token = "{HEX}"',
        f'token: str = "{HEX}"',
        f'const apiKey: string = "{HEX}";',
        f'apiKey := "{HEX}"',
        f'os.environ["API_KEY"] = "{HEX}"',
        f"'secret' => '{HEX}',",
        f"define('API_KEY', '{HEX}');",
        f'"X-Api-Key": "{HEX[:8]}-{HEX[:4]}-{HEX[:4]}-{HEX[:4]}-{HEX[:12]}"',
        f"SECRET_KEY={HEX}",
        f"export AUTH_TOKEN={HEX}\n",
        f"    api_key: {MIXED}",
        f"spring.datasource.password={MIXED}",
        f"# export AUTH_TOKEN={HEX}",
        f"def f():\n    # was api_key: {MIXED}\n",
        f'"Authorization": "Bearer {HEX}"',
        "SG." + "x1" * 11 + "." + "y2" * 20,
        "AccountKey=" + "Zm9v" * 20 + "==",
        "sk-" + "proj-" + MIXED,
        "AKIA" + "Q" * 16,
        "postgres://bob:hunter22@db/x",
        "redis://:p4ssw0rdX9@cache:6379",
        "https://ci:" + HEX + "@git.corp.io/x.git",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----",
        "PuTTY-User-Key-File-3: ssh-ed25519",
        "AGE-SECRET-KEY-1" + "Q" * 58,
        "ASIA" + "Z7" * 8,
        f"aws_secret_access_key = {MIXED}",
        "ghp_" + "a1B2" * 9,
        "github_pat_" + "a1B2_" * 12,
        "glpat-" + "a1B2-" * 4,
        "xoxb-" + "1234567890-" * 2 + "a1B2c3",
        "https://hooks.slack.com/services/T0123ABCD/B0123ABCD/" + "a1B2" * 6,
        "https://discord.com/api/webhooks/" + "1" * 18 + "/" + "a1B2" * 17,
        "M" + "a1B2" * 6 + "." + "a1B2c3" + "." + "a1B2" * 7,
        "123456789:AA" + "a1B" * 11,
        "AIza" + "a1B2-" * 7,
        "GOCSPX-" + "a1B2" * 7,
        "ya29." + "a1B2" * 10,
        "sk_live_" + "a1B2" * 6,
        "whsec_" + "a1B2" * 8,
        "sk-ant-api03-" + "a1B2" * 20,
        "hf_" + "aBcD" * 9,
        "npm_" + "a1B2" * 9,
        "pypi-AgEIcHlwaS5vcmc" + "a1B2" * 9,
        "gsk_" + "a1B2" * 13,
        "shpat_" + "a1b2" * 8,
        "dop_v1_" + "a1b2" * 16,
        "dckr_pat_" + "a1B2" * 7,
        "hvs." + "a1B2" * 8,
        "figd_" + "a1B2" * 10,
        "sntrys_" + "a1B2" * 20,
        "dapi" + "a1b2" * 8,
        "ATATT3" + "a1B2" * 20,
        "SK" + "a1b2" * 8,
        "key-" + "a1b2" * 8,
        "a1b2" * 8 + "-us12",
        "SharedAccessKey=" + "Zm9v" * 11 + "=",
        "sv=2022-11-02&ss=b&srt=sco&sig=" + "a1B2" * 11,
        "eyJ" + "a1B2" * 5 + ".eyJ" + "a1B2" * 5 + "." + "a1B2" * 5,
        "curl -H 'Authorization: Bearer " + MIXED + "'",
        "Server=db;User Id=sa;Password=Xk29fjs81q;",
    ],
)
def test_credentials(text: str) -> None:
    assert first_secret(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        'class="sk-loading-indicator-large-screen"',
        'class="sk-loading-indicator-large-2-columns"',
        "postgres://postgres:postgres@localhost:5432/db",
        "amqp://myapp:myapp@broker",
        'f"https://{user}:{password}@host"',
        'private_key_path = "/home/me1/keys/server2/id_rsa_a1b2c3d4e5f6"',
        'secret_name = "projects/my-project-123/secrets/db-v2"',
        "id = 'AKIA" + "IOSFODNN7EXAMPLE'",
        'API_KEY = "your-api-key-here-12345"',
        'API_KEY = "YOUR_API_KEY_a1b2c3d4e5f6a7"',
        'api_key_header = "X-Custom-Api-Key-Header-V2"',
        'password = "correct horse battery staple 42"',
        'password = "${DB_PASSWORD_2}"',
        'token = os.environ["GITHUB_TOKEN_2"]',
        "token = get_token(v1, key2)",
        "token = tokenizer.special_tokens_v1beta2",
        'tokenizer = "meta-llama/Llama-3.1-8B-Instruct"',
        'token_url = "https://login.example.com/oauth2/v2/token"',
        "secretName: my-tls-secret-2024-01-01",
        f'revision = "{HEX}"',
        f"sha256:{HEX * 2}",
        "e3b0c442-98fc-4c14-9afb-f4c8996fb924",
        "def test_a_token_is_refused_when_it_is_2_days_old(): ...",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "integrity sha512-" + "Zm9v" * 20 + "==",
        "SKIP_THIS_TEST_ON_WINDOWS_11",
        "Password=${DB_PASSWORD_1};",
        "the bearer of this document",
        "https://user:password@example.com",
        "key-value-store-with-a-long-name-2024",
        "secret_sauce_of_the_kitchen_number_12_is_salt",
        "sk_test" + "_helper",
    ],
)
def test_others(text: str) -> None:
    assert first_secret(text) is None


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("around", ["{}", "x = 1\n    {}\ny = 2\n", "# see {}\n", '"""Use {}\n"""'])
def test_drawn_credentials_in_code_and_comments(form: str, around: str) -> None:
    text, parts = credential(form, Random(form))
    shown = redacted(around.format(text))
    assert not any(part in shown for part in parts)


def test_what_is_redacted_keeps_its_lines() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow/abc+1\nxyz==\n-----END RSA PRIVATE KEY-----"
    text = f"before = 1\n{key}\nafter = 2\n"
    shown = redacted(text)
    assert shown.splitlines()[0] == "before = 1"
    assert shown.splitlines()[-1] == "after = 2"
    assert len(shown) == len(text)
    assert set(shown[11:-11]) == {"*", "\n"}


BODIES = [
    "MIIEpAIBAAKCAQEA",  # RSA
    "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgw",
    "MHcCAQEEIBU6MAic",  # of elliptic curves
    "MIGkAgEBBDCrMV2G",
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49",
    "MC4CAQAwBQYDK2VwBCIEIHBe",
    "b3BlbnNzaC1rZXktdjEAAAAA",
]


@pytest.mark.parametrize("start", BODIES)
@pytest.mark.parametrize("join", ["\n", "\\n", '",\n    "', '" +\n"'])
def test_a_private_key_is_known_without_its_first_line(start: str, join: str) -> None:
    body = join.join([start + "aB3/" * 10, "cD4+" * 16, "eF5g" * 4 + "=="])
    for text in (body, "-----BEGIN PRIVATE KEY-----" + join + body):
        shown = without_keys(f'key = "{text}"\nlast = 1\n')
        assert set(shown.removeprefix('key = "').removesuffix('"\nlast = 1\n')) <= {"*", "\n"}


@pytest.mark.parametrize(
    "start",
    ["MIIDdzCCAl+gAwIBAgIE", "MIIBIjANBgkqhkiG9w0BAQEFAAOC", "MFkwEwYHKoZIzj0CAQYI", "iVBORw0KGgo"],
)
def test_certificates_public_keys_and_pictures_are_no_secrets(start: str) -> None:
    text = "\n".join([start + "aB3/" * 10, "cD4+" * 16, "eF5g=="])
    assert redacted(text) == text


@pytest.mark.parametrize("length", range(140, 175, 9))
def test_a_line_is_not_cut_within_a_credential(length: int) -> None:
    key = "ghp_" + "a1B2c3D4" * 5
    text = f"def f(a={'a' * length!r}, key={key!r}): pass\n"
    found = definitions(text, "python")[0]
    assert "ghp_" not in found.text + found.brief
    assert "***" in found.text
