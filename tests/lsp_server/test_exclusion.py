"""Patterns of `caret.privacy.exclude` as people write them, and paths as editors have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import RequestError
from lsp_server.asking import ask_of, files_of
from lsp_server.commands.complete import Place, read_site
from lsp_server.consultation import Consultation, Lines
from lsp_server.documents import Document
from lsp_server.exclusion import Exclusion
from lsp_server.instruct.commands import COMMANDS
from lsp_server.policy import names_of, placed, printable, relative_path, withheld
from lsp_server.settings import PrivacySettings, Settings, read_settings
from lsp_server.snapshot import EditorSnapshot
from lsp_server.workspace.privacy import shareable
from tests.steps import steps

DEFAULT = Exclusion(Settings().privacy.exclude, ["/w"])
HOME = Path.home().as_posix()


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("config/secrets.yml", "/w/config/secrets.yml"),
        ("config/**", "/w/config/deep/a.py"),
        ("config/", "/w/src/config/a.py"),
        ("secrets/", "/w/secrets/a.py"),
        ("secrets", "/w/secrets/deep/a.py"),
        ("src/*.py", "/w/src/a.py"),
        ("/rooted.py", "/w/rooted.py"),
        ("/abs/x/**", "/abs/x/a.py"),
        ("/w/config/**", "/w/config/a.py"),
        ("~/x/**", f"{HOME}/x/a.py"),
        ("${userHome}/x/", f"{HOME}/x/a.py"),
        ("${workspaceFolder}/x/**", "/w/x/a.py"),
        ("./x/**", "/w/x/a.py"),
        ("**/.ssh/**", "/home/other/.ssh/config"),
        ("C:\\Users\\me\\x\\**", "/c:/Users/me/x/a.py"),
        ("c:/users/me/x", "/C:/Users/me/x/a.py"),
        ("\\\\server\\share\\x\\**", "/share/x/a.py"),
        ("config\\deep\\*", "/w/config/deep/a.py"),
        ("*.PEM", "/w/key.pem"),
        ("caf\u00e9/", "/w/cafe\u0301/a.py"),
        ("config/**", "/elsewhere/config/a.py"),
        (".env", ".env"),
        ("*.pem", "/w/.key.pem.swp"),
        ("*.pem", "/w/#key.pem#"),
        ("notes/", "\\w\\notes\\a.py"),
        ("**/*.{pem,key}", "/w/a.key"),
        ("{private, config}/{a,b}.py", "/w/config/b.py"),
        ("{secrets,private}", "/w/private/a.py"),
        ("a{,.b{1,2}}", "/w/a.b2"),
        ("{~/x,y}/**", f"{HOME}/x/a.py"),
        ("config\\{a,b}\\*", "/w/config/b/a.py"),
        ("*.{x,y}", "/w/a.{x,y}"),
    ],
)
def test_a_pattern_excludes(pattern: str, path: str) -> None:
    assert Exclusion([pattern], ["/w"]).pattern_for(path) == pattern


@pytest.mark.parametrize(
    ("patterns", "path"),
    [
        (["config/**"], "/w/src/config.py"),
        (["config/*.yml"], "/w/src/config/a.yml"),
        (["/rooted.py"], "/w/src/rooted.py"),
        (["*.pem", "!ok.pem"], "/w/ok.pem"),
        (["work"], "/w/a.py"),
        (["w"], "/w/a.py"),
        ([""], "/w/a.py"),
        (["!"], "/w/a.py"),
        (["/"], "/w/a.py"),
        (["["], "/w/["),
        (["*", "!*.{py,js}"], "/w/a.js"),
        (["*.{py}"], "/w/a.py"),
        (["a${b,c}"], "/w/ab"),
    ],
)
def test_a_pattern_leaves(patterns: list[str], path: str) -> None:
    assert Exclusion(patterns, ["/w"]).pattern_for(path) is None


def test_what_is_in_an_excluded_folder_is_not_brought_back() -> None:
    assert Exclusion(["private/", "!a.py"], ["/w"]).pattern_for("/w/private/a.py") == "private/"


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "!", "/", "[a", "~nobody-here/x", "${env:X}/y", "a//b", "../x", "http://x"),
        *("$XDG_DATA_HOME/x", "%APPDATA%\\x", "{a,b}" * 9),
        pytest.param("{" + "a," * 200_000, id="long braces"),
        pytest.param("{a," * 20_000, id="many braces"),
    ],
)
def test_a_pattern_that_matches_nothing_is_told(pattern: str) -> None:
    settings, problems = read_settings({"privacy": {"exclude": ["ok/**", pattern]}})
    assert settings.privacy.exclude == ("ok/**", pattern)
    [problem] = problems
    assert problem.startswith(f"caret.privacy.exclude: {pattern!r} can never match:")


def test_the_default_patterns_can_all_match() -> None:
    assert DEFAULT.problems == []


@pytest.mark.parametrize(
    "name",
    """
    .env .env.local .env.production prod.env env.local .envrc .env~ .env.bak .env.swp .ENV
    key.pem key.pem~ .key.pem.swp server.key id_rsa id_rsa.pub id_ed25519 id_rsa_work id_rsa.old
    .git-credentials .pgpass .my.cnf .s3cfg .netrc _netrc .npmrc .pypirc .htpasswd .boto
    terraform.tfvars prod.tfvars.json terraform.tfstate terraform.tfstate.backup .terraformrc
    .dockerconfigjson .dockercfg .docker/config.json .aws/credentials .kube/config kubeconfig
    credentials.json gcp-credentials.json service-account.json service-account-prod.json
    client_secret_123.json secrets.yaml secrets.yml secrets.json secrets.toml secret.yaml
    .vault_pass .vault_pass.txt .vault-token local.settings.json wp-config.php
    x.p12 x.pfx x.jks x.keystore x.kdbx x.ppk x.gpg secret-key.asc .bash_history
    .config/gcloud/application_default_credentials.json .ssh/config .gnupg/x
    id_rsa.github id_rsa.txt id_ed25519.gitlab id_ed25519_work id_ed25519-work github_rsa
    work_ed25519 deploy_key ssh_host_rsa_key .env1 prod.env.local .envrc.local .dev.vars .flaskenv
    .authinfo pip.conf .git/config .oci/config .credentials credentials aws_credentials
    aws-credentials.csv rootkey.csv secrets.txt my-secrets.yaml secrets-prod.yaml api_key.txt
    token.txt key.properties wg0.conf my-service-account.json kubeconfig-prod kubeconfig.prod.yaml
    x.pem.1 secrets.yaml.2024-01-01 wp-config.local.php
    """.split(),  # noqa: SIM905 - a list of sixty quoted words reads worse
)
def test_secrets_are_excluded_by_default(name: str) -> None:
    assert DEFAULT.pattern_for(f"/w/deep/{name}")
    assert DEFAULT.pattern_for(f"/home/me/{name}")


@pytest.mark.parametrize(
    "name",
    """
    book/ch1.asc id_rsa_helper.py id_ed25519_test.go .env.example .env.sample .env.template
    .env.production.example env.py keys.py secrets.py credentials.py config.json package.json
    settings.json tokenizer.json appsettings.json main.tf kubeconfig.go passwords.py vault.py
    environment.ts src/env/a.py wp-config-sample.php id_rsa.go id_ed25519.service.ts id_rsa.md
    id_generator.py test_rsa/a.go credentials/a.py env.d.ts .env.d.ts .env.defaults example.tfvars
    config.example.env secrets.example.yaml tokens.json auth.json public.asc monkey.py
    """.split(),  # noqa: SIM905 - the same
)
def test_sources_are_not(name: str) -> None:
    assert DEFAULT.pattern_for(f"/w/{name}") is None


@pytest.mark.parametrize(
    "name",
    [
        *(
            ".env copy",
            ".env copy 2",
            ".env (copy)",
            ".env - Copy",
            ".env - Copy (2)",
            "id_rsa (1)",
        ),
        *("Copy of .env", "credentials (1).json", "credentials copy.json", ".env (another copy)"),
    ],
)
def test_copies_that_a_desktop_makes_are_excluded_too(name: str) -> None:
    assert DEFAULT.pattern_for(f"/w/{name}")


def test_a_link_is_judged_by_its_target_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1")
    (tmp_path / "notes.txt").symlink_to(tmp_path / ".env")
    (tmp_path / ".env.example").symlink_to(tmp_path / ".env")
    for name in ("notes.txt", ".env.example"):
        names = names_of((tmp_path / name).as_uri(), [tmp_path.as_posix()])
        document = Document.open(names[0], "plaintext", "A=1", others=names[1:])
        assert withheld(document, Settings(), [tmp_path.as_posix()])


@pytest.mark.parametrize(
    "uri",
    [
        "file:///w/.env",
        "untitled:.env",
        "untitled:/w/.env",
        "git:/w/.env?%7B%22path%22%7D",
        "vscode-notebook-cell:/w/secrets/a.ipynb#W0",
        "vscode-remote://ssh-remote%2Bhost/home/me/.env",
        "file:///w/c#/.env",
        "file:///w/%2Eenv",
        "zipfile:///w/a.zip::.aws/credentials",
    ],
)
def test_documents_of_every_kind_of_uri_are_excluded(uri: str) -> None:
    names = names_of(uri, ["/w"])
    settings = Settings(privacy=PrivacySettings((*Settings().privacy.exclude, "secrets/")))
    document = Document.open(names[0], "plaintext", "", others=names[1:])
    assert withheld(document, settings, ["/w"])


def test_a_workspace_opened_by_a_link_is_the_same_workspace(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    (real / "src").mkdir(parents=True)
    link.symlink_to(real)
    for root, other in ((link, real), (real, link)):
        path, *others = names_of((other / "src" / "a.py").as_uri(), [root.as_posix()])
        assert path == (root / "src" / "a.py").as_posix()
        assert (real / "src" / "a.py").as_posix() in (path, *others)
        assert relative_path(path, [root.as_posix()]) == "src/a.py"
    both = [link.as_posix(), real.as_posix()]
    assert placed((real / "a.py").as_posix(), both) == (link / "a.py").as_posix()


def test_a_path_in_no_encoding_is_printable() -> None:
    [path, *_] = names_of("file:///w/caf%E9%0A.py", ["/w"])
    assert path == "/w/caf\udce9\n.py"
    assert relative_path(path, ["/w"]) == printable("caf\udce9\n.py") == "caf\ufffd\ufffd.py"


def test_caretignore_counts_by_the_real_path_too(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "a.py").write_text("x = 1")
    (tmp_path / ".caretignore").write_text("!\nprivate/\n")
    (tmp_path / "shown.py").symlink_to(tmp_path / "private" / "a.py")
    root = tmp_path.as_posix()
    names = names_of((tmp_path / "shown.py").as_uri(), [root])
    document = Document.open(names[0], "python", "x = 1", others=names[1:])
    snapshot = EditorSnapshot(Settings(), [root])
    assert not shareable(document, snapshot)


def test_a_question_reads_no_open_document_by_a_link_to_a_private_file(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "a.py").write_text("x = 1")
    (tmp_path / "shown.py").symlink_to(tmp_path / "private" / "a.py")
    (tmp_path / ".caretignore").write_text("private/\n")
    root, uri = tmp_path.as_posix(), (tmp_path / "shown.py").as_uri()
    names = names_of(uri, [root])
    document = Document.open(names[0], "python", "x = 1", others=names[1:])
    snapshot = EditorSnapshot(Settings(), [root], documents={uri: document})
    assert files_of(snapshot).read(root, "shown.py") is None


@pytest.mark.parametrize("roots", [["", "/sub"], ["/sub"], []])
def test_caretignore_counts_below_it_whichever_folders_are_opened(
    tmp_path: Path, roots: list[str]
) -> None:
    (tmp_path / "sub" / ".git").mkdir(parents=True)
    (tmp_path / ".caretignore").write_text("private.py\n")
    folders = [f"{tmp_path}{root}" for root in roots]
    document = Document.open(f"{tmp_path}/sub/private.py", "python", "x = 1")
    assert not shareable(document, EditorSnapshot(Settings(), folders))
    other = Document.open(f"{tmp_path}/sub/other.py", "python", "x = 1")
    assert shareable(other, EditorSnapshot(Settings(), folders))


@pytest.mark.parametrize("name", [".env", "plain.txt"])
def test_the_command_line_judges_a_link_by_its_name_and_its_target(
    tmp_path: Path, name: str
) -> None:
    target = tmp_path / ("values" if name == ".env" else ".env")
    target.write_text("A = 1\n")
    link = tmp_path / name
    link.symlink_to(target)
    with pytest.raises(RequestError, match=r"privacy\.exclude has \.env"):
        read_site(Place(link, 1, 1), Settings())
    (tmp_path / "sub").mkdir()
    lines = Lines(tmp_path / "sub" / ".." / name, 1, 1)
    snapshot, arguments = Consultation(COMMANDS["explain"], lines).given()
    assert next(iter(snapshot.documents.values())).path == link.as_posix()
    with pytest.raises(RequestError, match=r"privacy\.exclude has \.env"):
        ask_of(COMMANDS["explain"], arguments, snapshot)


def test_a_document_that_was_judged_costs_nothing_more() -> None:
    exclusion = Exclusion(Settings().privacy.exclude, ["/w"])
    first = steps(lambda: exclusion.pattern_for("/w/deep/down/here/a.py"))
    assert steps(lambda: exclusion.pattern_for("/w/deep/down/here/a.py")) < 5 < first


def test_patterns_are_read_for_the_folders_that_are_asked_about() -> None:
    folders = [f"/w/{n}" for n in range(200)]

    def work(patterns: int) -> int:
        written = [f"a{n}/**" for n in range(patterns)]
        return steps(lambda: Exclusion(written, folders).pattern_for("/w/1/x"))

    assert work(40) - work(20) < 20 * 1_000  # for all folders it was 60,000


def test_many_patterns_without_an_ending_are_compared_together() -> None:
    names = Exclusion([f"*secret{n}*" for n in range(600)], ["/w"])
    names.prepare()
    assert steps(lambda: names.pattern_for("/w/a.py")) < 600
    assert names.pattern_for("/w/a-secret599-b") == "*secret599*"
