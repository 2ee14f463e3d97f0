"""All settings, checked and frozen. `consumer.environment` reads them."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, FilePath, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from neon_projector.consumer.broker_list import broker_list
from neon_projector.models.settings import DatabaseSettings
from neon_projector.projections.contract.decode import EVENT_MAX_BYTES

NOT_A_GROUP = "operation:"
"""No consumer group's name begins so: positions under such a name are of an operator's command."""
MOST_BYTES = 128 * 1024 * 1024
"""The highest limit for bytes in a batch: Postgres takes 1 GB in a message, and 256 MB in a JSON document."""


def _group(name: str) -> str:
    if name.startswith(NOT_A_GROUP):
        raise ValueError(f"may not begin with {NOT_A_GROUP}, which is the name of commands' own positions")
    return name


class Given(BaseSettings):
    """Settings from what is handed over, and from nowhere else."""

    model_config = DatabaseSettings.model_config

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


class GivenDatabaseSettings(Given, DatabaseSettings):
    """The data layer's settings."""


class EventSettings(Given):
    """What an event may be."""

    event_max_bytes: int = Field(EVENT_MAX_BYTES, ge=1024, le=MOST_BYTES)
    """Longer values are rejected."""
    contract_strict: bool = False
    """Whether an event with a field under another name than its own (`isActive`) is rejected, not read without it."""


class KafkaSettings(EventSettings):
    """How to reach Kafka, and what stands there: all that somebody who publishes needs to know."""

    kafka_bootstrap_servers: Annotated[str, AfterValidator(broker_list)]
    """`host:port`, several with commas."""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ssl_cafile: FilePath | None = None
    """Certificates to trust. Default: the system's."""
    kafka_ssl_certfile: FilePath | None = None
    kafka_ssl_keyfile: FilePath | None = None

    topics: Mapping[str, str] = Field(default_factory=dict)
    """The topic of each projection, by the name of its setting (`<ENTITY>_TOPIC`)."""

    @model_validator(mode="after")
    def _sasl_is_whole(self) -> Self:
        given = (self.kafka_sasl_username, self.kafka_sasl_password)
        if self.kafka_security_protocol.startswith("SASL") and None in given:
            protocol = self.kafka_security_protocol
            raise ValueError(f"KAFKA_SECURITY_PROTOCOL={protocol} needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD")
        return self


class Settings(KafkaSettings, GivenDatabaseSettings):
    """What a running service needs to know. `models.settings` has the database's part."""

    kafka_group_id: Annotated[str, AfterValidator(_group)] = Field("neon-projector", min_length=1)
    """The consumer group; positions are kept under its name."""
    kafka_group_instance_id: str = ""
    """Static membership (KIP-345): a name of this instance that survives a restart. Empty: dynamic."""
    kafka_isolation_level: Literal["read_committed", "read_uncommitted"] = "read_committed"
    """Whether records of aborted transactions are left out."""

    batch_max_events: int = Field(5_000, ge=1, le=100_000)
    """Records in one transaction: enough to make its fixed cost small, few enough for short locks."""
    batch_max_bytes: int = Field(12 * 1024 * 1024, ge=1024, le=MOST_BYTES)
    """Bytes of keys, values and headers of all batches under way. Five sixths of that are read ahead."""
    batches_at_once: int = Field(8, ge=1, le=16)
    """Transactions under way at the same time, each over partitions of its own. Each needs a connection."""
    batch_max_wait_ms: int = Field(0, ge=0, le=60_000)
    """How long a batch that is not full waits for more while nothing is being written. 0: not at all."""

    cascade_grace_seconds: int = Field(7 * 24 * 3600, ge=0)
    """How long documents of a deleted user can come back."""
    changes_kept_hours: int = Field(7 * 24, ge=1)
    """How long the change log keeps its rows, once `projector changes enable` has begun one."""
    fuse_min_records: int = Field(1_000, ge=1)
    """How many consecutive records of a topic the fuse looks at."""
    fuse_ratio: float = Field(0.9, gt=0, le=1)
    """If at least this part of them is rejected, intake of that topic stops."""
    ready_max_lag_seconds: float | None = Field(None, gt=0, allow_inf_nan=False)
    """With more lag than this the service is not ready. Default: lag does not matter."""

    http_host: str = "0.0.0.0"  # noqa: S104  a container's sidecar is asked from outside
    http_port: int = Field(8080, ge=0, le=65535)
    """0: a free one, named in the log."""
    http_path_prefix: str = Field("", pattern=r"^(/[A-Za-z0-9._~-]+)*$", max_length=200)
    """Where a reverse proxy shows the sidecar; its paths are then answered below this one too."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "text"] = "json"
