"""Settings: ``watercooler.toml`` and ``WATERCOOLER_*`` variables over it. Every setting stands here, once.

A secret may also lie in a file of its own: ``WATERCOOLER_<NAME>_FILE`` names it (the convention of container images).
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from services.common.bus.kafka_settings import KafkaSettings
from services.common.errors import Stop

PREFIX = "WATERCOOLER_"
_OF_UP = ("GIT_TOKEN", "MATRIX_ACCESS_TOKEN", "MATRIX_HS_TOKEN", "MEDIAWIKI_PASSWORD")
ELSEWHERE = frozenset(
    {PREFIX + name for name in ("CONFIG", "CACHE", "JAVA_HOME", "MAVEN", "REQUIRE", "DEMO", *_OF_UP)}
    | {f"{PREFIX}{name}_FILE" for name in _OF_UP}
)
"""Variables that are read where they are needed, before or beside the settings."""


def _parts(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Texts = Annotated[list[str], NoDecode, BeforeValidator(_parts)]
"""A list in the file; in a variable with a comma between several, as the servers of Kafka are written."""


class Source(BaseModel):
    """One configured source. What else it takes is the connector's own (docs/connectors.md)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$", description="Short name, part of every id from this source."
    )
    kind: str = Field(description="Connector: git, mediawiki, matrix, webhook, or one of another package.")
    enabled: bool = Field(default=True, description="Off keeps the settings and reads nothing.")

    def options(self) -> dict[str, Any]:
        """Return what is meant for the connector."""
        return dict(self.model_extra or {})


class Settings(BaseSettings):
    """All settings of all services."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", toml_file="watercooler.toml", extra="forbid", frozen=True
    )

    kafka: str = Field("127.0.0.1:9092", description="Bootstrap servers of Kafka, host:port, comma between several.")
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How to speak to Kafka."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="SASL mechanism."
    )
    kafka_username: str = Field("", description="SASL user.")
    kafka_password: SecretStr = Field(SecretStr(""), description="SASL password.")
    kafka_ca_file: str = Field(
        "", description="File with the certificate authority of Kafka (PEM); empty: the system's."
    )
    kafka_partitions: int = Field(12, ge=1, le=1000, description="Partitions of every topic, fixed at creation.")
    kafka_replication: int = Field(3, ge=1, le=7, description="Replicas of every topic.")
    kafka_session_seconds: float = Field(
        15, ge=1, le=300, description="Silence after which a worker of enrich or score loses its partitions to others."
    )
    topic_prefix: str = Field(
        "watercooler.", pattern=r"^[A-Za-z0-9.-]{0,100}$", description="Prefix of every topic's name."
    )
    schema_registry: SecretStr = Field(
        SecretStr(""),
        description="URL of a Confluent-compatible schema registry, with user and password where it needs them;"
        " empty: the checked-in ids, which the gateway serves at /registry.",
    )
    elasticsearch: str = Field("http://127.0.0.1:9200", description="URL of Elasticsearch.")
    elasticsearch_ca_file: str = Field("", description="File with the certificate authority of Elasticsearch (PEM).")
    elasticsearch_api_key: SecretStr = Field(SecretStr(""), description="API key for Elasticsearch.")
    index_prefix: str = Field(
        "watercooler-", pattern=r"^[a-z0-9][a-z0-9.-]{0,100}$", description="Prefix of every index and alias."
    )
    state: Path = Field(Path(".watercooler"), description="Folder for local state that can be rebuilt.")
    host: str = Field("127.0.0.1", description="Address that services listen on; loopback unless told otherwise.")
    gateway_port: int = Field(8080, ge=0, le=65535, description="Port of the page and the API.")
    ingest_port: int = Field(
        8081, ge=0, le=65535, description="Port for webhooks of sources; health and metrics of ingest."
    )
    ingest_deliveries_per_address: float = Field(
        1_000,
        gt=0,
        description="Deliveries a second from one address that are looked at, signed or not; behind a reverse proxy all"
        " senders share its address, so let that one limit them.",
    )
    enrich_port: int = Field(8082, ge=0, le=65535, description="Port for health and metrics of enrich.")
    score_port: int = Field(8083, ge=0, le=65535, description="Port for health and metrics of score.")
    index_port: int = Field(8084, ge=0, le=65535, description="Port for health and metrics of the indexer.")
    kafka_port: int = Field(9092, ge=1, le=65535, description="Port of the Kafka that `up` starts.")
    kafka_heap: str = Field(
        "512m", pattern=r"^[0-9]+[mg]$", description="Memory for objects of the Kafka that `up` starts."
    )
    elasticsearch_port: int = Field(9200, ge=1, le=65535, description="Port of the Elasticsearch that `up` starts.")
    elasticsearch_heap: str = Field(
        "1g", pattern=r"^[0-9]+[mg]$", description="Memory for objects of the Elasticsearch that `up` starts."
    )
    auth: Literal["demo", "none", "oidc"] = Field(
        "none",
        description="oidc: people log in at an identity provider. demo: view the page as any person, on loopback only."
        " none: nobody may read.",
    )
    public_url: str = Field(
        "", description="Where browsers reach the page, such as https://watercooler.example; empty: host and port."
    )
    oidc_issuer: str = Field("", description="Issuer of the identity provider, exactly as it calls itself (a URL).")
    oidc_client_id: str = Field("", description="What the page is registered as there; redirect: /login/callback.")
    oidc_client_secret: SecretStr = Field(
        SecretStr(""), description="Secret of a confidential client; empty: a public one (PKCE is used either way)."
    )
    oidc_scopes: str = Field("openid profile", description="Scopes asked for at login.")
    oidc_audience: str = Field(
        "", description="Audience of the access tokens that programs may send as Bearer; empty: none are taken."
    )
    oidc_person_claim: str = Field(
        "sub", description="Claim that names the person; take one that people cannot change themselves."
    )
    oidc_account: str = Field(
        "{}",
        description="Source account of the person, {} standing for the claim, such as matrix:@{}:example.org: whose"
        " account that is in account.v1 is who logs in. Where it is nobody's, the claim is the person's id.",
    )
    oidc_groups_claim: str = Field(
        "groups", description="Claim with the person's groups; a dot goes deeper, as in realm_access.roles."
    )
    oidc_email_claim: str = Field(
        "email",
        description="Claim with the person's mail address, for digests; add `email` to `oidc_scopes` to be given it.",
    )
    oidc_reader_groups: str = Field(
        "", description="Groups that may read, comma between several; empty: everyone who can log in."
    )
    oidc_admin_groups: str = Field("", description="Groups that administer, comma between several.")
    session_hours: float = Field(8, gt=0, le=720, description="Hours after which one has to log in again.")
    session_key: SecretStr = Field(
        SecretStr(""),
        description="Key that seals the cookies of the page, the same for all gateways; made once and kept in the state"
        " folder when empty.",
    )
    sealing_key: SecretStr = Field(
        SecretStr(""),
        description="Key that the secrets of rules' webhooks are made from and mail addresses sealed with, the same for"
        " all gateways; made once and kept in the state folder when empty. With another one every webhook is signed"
        " with another secret, and addresses are not known until their people log in again.",
    )
    smtp_host: str = Field("", description="Mail server that takes the digests of rules; empty: none are sent.")
    smtp_port: int = Field(
        587, ge=1, le=65535, description="Port of the mail server: mostly 587 for starttls, 465 for tls, 25 for none."
    )
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the mail server is spoken to; none only to one on this machine or network."
    )
    smtp_ca_file: str = Field(
        "",
        description="File with the certificate authority of the mail server, PEM; without it the system's are trusted.",
    )
    smtp_username: str = Field(
        "", description="User at the mail server, where it asks for one; never sent without TLS, nor is the password."
    )
    smtp_password: SecretStr = Field(SecretStr(""), description="Password at the mail server.")
    mail_from: str = Field("", description="Whom digests come from, such as `Watercooler <water@cooler.example>`.")
    mail_hour: int = Field(7, ge=0, le=23, description="Hour (UTC) at which digests are due; weekly ones on Monday.")
    webhook_hours: float = Field(
        24,
        gt=0,
        le=720,
        description="Hours that a receiver may take nothing before the rule that sends is switched off.",
    )
    webhook_loopback: bool = Field(
        False, description="For development: rules may send to this machine, also by http and at any port."
    )
    gateway_streams: int = Field(10_000, ge=1, description="Live streams that one gateway process serves at most.")
    gateway_streams_per_person: int = Field(50, ge=1, description="Live streams of one person at most.")
    gateway_streams_per_address: int = Field(200, ge=1, description="Live streams to one address at most.")
    gateway_says_per_minute: int = Field(
        30, ge=1, description="Notes, replies, corrections and changes of groups of one person a minute at most."
    )
    recommendations_daily: int = Field(
        5, ge=0, le=1000, description="Things recommended to a person for one day of event time; 0 recommends nothing."
    )
    recommendations_held_out: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Share of recommendations and of people to meet that is computed and logged, and shown to nobody,"
        " so that what showing does can be measured.",
    )
    gateway_requests_per_minute: int = Field(
        1_200, ge=1, description="Requests of one person (or of one address, where nobody is named) a minute at most."
    )
    gateway_turns: int = Field(
        8,
        ge=1,
        description="Requests that ask the index at once, of one gateway process: twice the processors of Elasticsearch"
        " is a good number. Others wait a moment for their turn; where it does not come they are answered 503.",
    )
    gateway_proxies: Texts = Field(
        default_factory=list,
        description="Addresses or networks of our own reverse proxies: whom they name in `X-Forwarded-For` counts as"
        " the address of a request.",
    )
    gateway_cors_origins: Texts = Field(
        default_factory=list,
        description="Origins whose pages may ask the API, such as `https://portal.example`; never with cookies.",
    )
    gateway_stream_seconds: int = Field(
        3_600, ge=5, description="Seconds that a live stream may last; its reader then comes back with its last id."
    )
    gateway_drain_seconds: float = Field(
        3.0,
        ge=0,
        le=60,
        description="Seconds over which a stopping gateway ends its live streams, one after the other.",
    )
    deadletters_in_a_row: int = Field(
        100, ge=1, description="Records given up one after another at which a service stops instead."
    )
    deadletters_of_thousand: int = Field(
        200, ge=1, le=1000, description="Records given up among the last thousand above which a service stops."
    )
    hash_key: SecretStr = Field(
        SecretStr(""),
        description="Key for hashes of mail addresses; made once and kept in the state folder when empty.",
    )
    log_format: Literal["json", "console"] = Field("json", description="How logs are written (to standard error).")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    sources: list[Source] = Field(default_factory=list, description="What is read from where.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then variables, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def kafka_settings(self) -> KafkaSettings:
        """Return what the bus needs."""
        return KafkaSettings(
            bootstrap=self.kafka,
            security=self.kafka_security,
            sasl_mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_username,
            password=self.kafka_password.get_secret_value(),
            ca_file=self.kafka_ca_file,
            partitions=self.kafka_partitions,
            replication=self.kafka_replication,
        )


def config_file() -> Path:
    """Return the file that settings are read from."""
    return Path(os.environ.get(PREFIX + "CONFIG", "watercooler.toml"))


def load(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Return the settings; raises Stop with one line a mistake, each with its place."""
    from services.common.settings_mistakes import explain

    path = config_file()
    if PREFIX + "CONFIG" in os.environ and not path.is_file():
        raise Stop(f"WATERCOOLER_CONFIG names {path}, which is no file")

    class FromFile(Settings):
        model_config = SettingsConfigDict(**{**Settings.model_config, "toml_file": path})

    try:
        return FromFile(**{**_secrets_in_files(environ or os.environ), **overrides})
    except tomllib.TOMLDecodeError as error:
        raise Stop(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        raise Stop(explain(error, path)) from error
    except SettingsError as error:
        raise Stop(f"a variable {PREFIX}* cannot be read: {error}; sources are written as JSON there") from error


def secrets() -> list[str]:
    """Return the names of the settings that hold a secret."""
    return [name for name, info in Settings.model_fields.items() if info.annotation is SecretStr]


def _secrets_in_files(environ: Mapping[str, str]) -> dict[str, str]:
    found = {name: environ.get(f"{PREFIX}{name.upper()}_FILE") for name in secrets()}
    try:
        return {name: Path(path).read_text(encoding="utf-8").strip() for name, path in found.items() if path}
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(f"a secret cannot be read from its file: {error}") from error
