"""Names of files that hold secrets: the default of `caret.privacy.exclude`."""

from __future__ import annotations

SECRET_FILES = tuple(
    """
    id_rsa* id_dsa* id_ecdsa* id_ed25519* id_xmss* !id_*.* id_*.pub
    *.env .env .env.* .env-* .env_* .envrc env.local !.env.example !.env.sample !.env.template
    !.env.dist !.env.schema !.env.*.example !.env.*.sample !.env.*.template !example.env
    !sample.env !template.env
    .secrets .secrets.* *.secret *.secrets secret.yaml secret.yml secret.json secret.toml
    secrets.yaml secrets.yml secrets.json secrets.toml secrets.ini secrets.properties
    secrets.*.yaml secrets.*.yml *.secrets.yaml *.secrets.yml *.secrets.json passwords.txt
    passwords.csv password.txt *credentials.json credentials.yaml credentials.yml
    credentials.toml credentials.ini credentials.xml credentials.csv client_secret*.json
    service-account*.json service_account*.json serviceaccount*.json *firebase-adminsdk*.json
    local.settings.json wp-config.php .vault_pass* .vault-pass* .vault_password* vault_pass.txt
    vault_password.txt .vault-token
    *.tfvars *.tfvars.json *.tfstate *.tfstate.* .terraformrc terraform.rc credentials.tfrc.json
    kubeconfig *.kubeconfig kubeconfig.yaml kubeconfig.yml kubeconfig.json .dockercfg
    .dockerconfigjson
    .netrc _netrc .npmrc .pypirc .htpasswd .htdigest .git-credentials .pgpass pgpass.conf
    .my.cnf .mylogin.cnf .s3cfg .boto .databrickscfg .msmtprc .fetchmailrc .Renviron rclone.conf
    kaggle.json sasl_passwd wpa_supplicant.conf *.nmconnection .*_history
    *.pem *.key *.p8 *.p12 *.pfx *.pk8 *.ppk *.jks *.jceks *.bcfks *.keystore *.keytab *.kdb
    *.kdbx *.psafe3 *.ovpn *.agekey *.gpg *.pgp secring.* *secret*.asc *private*.asc *.key.asc
    **/.ssh/** **/.gnupg/** **/.aws/credentials **/.aws/config **/.aws/sso/**
    **/.aws/cli/cache/** **/.azure/** **/.config/gcloud/** **/.config/gh/hosts.yml
    **/.config/hub **/.config/containers/auth.json **/.kube/** **/.docker/config.json
    **/.cargo/credentials **/.cargo/credentials.toml **/.gem/credentials **/.bundle/config
    **/.composer/auth.json **/.m2/settings.xml **/.m2/settings-security.xml
    **/.gradle/gradle.properties **/.dbt/profiles.yml **/.cache/huggingface/token
    **/.huggingface/token **/.password-store/** **/.local/share/keyrings/** **/sops/age/keys.txt
    **/etc/shadow
    """.split()  # noqa: SIM905 - a list of a hundred quoted words reads worse
)
"""Program sources have a suffix where private keys have none, and templates are there to be read.
The last pattern that matches decides, so `*.pem` comes after `!id_*.*`."""
