"""Names of files that hold secrets: the default of `caret.privacy.exclude`."""

from __future__ import annotations

SECRET_FILES = tuple(
    """
    id_rsa* id_dsa* id_ecdsa* id_ed25519* id_xmss* !id_*.[ch] !id_*.cc !id_*.cpp !id_*.hpp !id_*.cs
    !id_*.css !id_*.dart !id_*.ex !id_*.exs !id_*.go !id_*.html !id_*.java !id_*.[jt]s !id_*.[jt]sx
    !id_*.[cm][jt]s !id_*.kt !id_*.lua !id_*.md !id_*.php !id_*.pl !id_*.ps1 !id_*.py !id_*.pyi
    !id_*.rb !id_*.rs !id_*.rst !id_*.scala !id_*.sh !id_*.sql !id_*.svg !id_*.swift !id_*.vue
    !id_*.zig id_*.pub *_rsa *_dsa *_ecdsa *_ed25519 !*_rsa/ !*_dsa/ !*_ecdsa/ !*_ed25519/
    deploy_key *_deploy_key ssh_host_*_key ssh_host_*_key.pub
    *.env .env .env.* .env-* .env_* .env[0-9]* *.env.local .envrc .envrc.local .envrc.private
    env.local .flaskenv .dev.vars .dev.vars.* !.env.example !.env.sample !.env.template !.env.dist
    !.env.defaults !.env.schema !.env.d.ts !.env.*.example !.env.*.sample !.env.*.template
    !.dev.vars.example !example.env !sample.env !template.env !*.example.env !*.sample.env
    .secrets .secrets.* *.secret *.secrets secret.yaml secret.yml secret.json secret.toml secret.txt
    secrets.yaml secrets.yml secrets.json secrets.toml secrets.txt secrets.ini secrets.properties
    secrets[-_.]*.yaml secrets[-_.]*.yml secrets[-_.]*.json *[-_.]secret.yaml *[-_.]secret.yml
    *[-_.]secrets.yaml *[-_.]secrets.yml *[-_.]secrets.json !secrets.example.* !secrets.sample.*
    !secrets.template.* passwords.txt passwords.csv passwords.json password.txt password.csv
    api[-_]key.txt api[-_]keys.txt apikey.txt apikeys.txt api[-_]keys.json token.txt .token
    *credentials.json credentials.yaml credentials.yml credentials.toml credentials.ini
    credentials.xml *credentials.csv *accessKeys.csv rootkey.csv .credentials credentials
    *[-_]credentials !credentials/ !*[-_]credentials/ client_secret*.json *service[-_]account*.json
    serviceaccount*.json *firebase-adminsdk*.json gcp[-_]key.json sa[-_]key.json local.settings.json
    wp-config*.php !wp-config-sample.php *.publishsettings key.properties keystore.properties
    **/group_vars/**/vault.yml .vault_pass* .vault-pass* .vault_password* vault_pass.txt
    vault_password.txt .vault-token
    *.tfvars !example.tfvars !*.example.tfvars *.tfvars.json *.tfstate *.tfstate.* .terraformrc
    terraform.rc credentials.tfrc.json
    kubeconfig *.kubeconfig kubeconfig-* kubeconfig.yaml kubeconfig.yml kubeconfig.json
    kubeconfig.*.yaml kubeconfig.*.yml k3s.yaml .dockercfg .dockerconfigjson
    .netrc _netrc .authinfo .curlrc .wgetrc .npmrc .pypirc pip.conf .htpasswd .htdigest
    .git-credentials .pgpass pgpass.conf .my.cnf .mylogin.cnf .s3cfg .boto .databrickscfg .msmtprc
    .fetchmailrc .Renviron rclone.conf .rclone.conf kaggle.json sasl_passwd wpa_supplicant.conf
    wg[0-9]*.conf *.nmconnection .*_history ConsoleHost_history.txt
    *.pem *.key *.p8 *.p12 *.pfx *.pk8 *.ppk *.jks *.jceks *.bcfks *.keystore *.keytab *.kdb *.kdbx
    *.psafe3 *.ovpn *.agekey *.gpg *.pgp secring.* *secret*.asc *private*.asc *.key.asc
    **/.ssh/** **/.gnupg/** **/.aws/credentials **/.aws/config **/.aws/sso/** **/.aws/cli/cache/**
    **/.azure/** **/.config/gcloud/** **/.config/gh/hosts.yml **/.config/glab-cli/config.yml
    **/.config/doctl/config.yaml **/.config/hcloud/cli.toml **/.config/git/credentials
    **/.git/config **/.oci/config **/.snowsql/config **/.config/hub **/.config/containers/auth.json
    **/.kube/** **/.docker/config.json **/.cargo/credentials **/.cargo/credentials.toml
    **/.gem/credentials **/.bundle/config **/.composer/auth.json **/.m2/settings.xml
    **/.m2/settings-security.xml **/.gradle/gradle.properties **/.dbt/profiles.yml
    **/.cache/huggingface/token **/.huggingface/token **/.password-store/**
    **/.local/share/keyrings/** **/sops/age/keys.txt **/etc/shadow
    """.split()  # noqa: SIM905 - a list of two hundred quoted words reads worse
)
"""Program sources have a suffix where private keys have none, and templates are there to be read.
The last pattern that matches decides."""
