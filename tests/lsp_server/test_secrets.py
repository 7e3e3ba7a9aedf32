"""What looks like a credential, and what looks like one but is a name, a path or a placeholder."""

from __future__ import annotations

import pytest

from lsp_server.secrets import first_secret

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
        f'"Authorization": "Bearer {HEX}"',
        "SG." + "x1" * 11 + "." + "y2" * 20,
        "AccountKey=" + "Zm9v" * 20 + "==",
        "sk-" + "proj-" + MIXED,
        "AKIA" + "Q" * 16,
        "postgres://bob:hunter22@db/x",
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
    ],
)
def test_others(text: str) -> None:
    assert first_secret(text) is None
