"""All settings, from the environment, read once, checked, and frozen. A secret may stand in a file (`*_FILE`)."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, FilePath, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from neon_projector.consumer.broker_list import broker_list
from neon_projector.consumer.errors import WrongSettings
from neon_projector.models.settings import DatabaseSettings
from neon_projector.projections.contract.decode import EVENT_MAX_BYTES
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.registry import REGISTRY

AnySettings = TypeVar("AnySettings", bound=DatabaseSettings)

FILE_SUFFIX = "_FILE"
MOST_BYTES = 128 * 1024 * 1024
"""Of values in a batch: a message to Postgres may have 1 GB, a JSON document's text 256 MB."""


class GivenDatabaseSettings(DatabaseSettings):
    """The data layer's settings, from what is handed over and from nowhere else."""

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


class Settings(GivenDatabaseSettings):
    """What a running service needs to know. `models.settings` has the database's part."""

    kafka_bootstrap_servers: Annotated[str, AfterValidator(broker_list)]
    """`host:port`, several with commas."""
    kafka_group_id: str = Field("neon-projector", min_length=1)
    """The consumer group; positions are kept under its name."""
    kafka_group_instance_id: str = ""
    """Static membership (KIP-345): a name of this instance that survives a restart. Empty: dynamic."""
    kafka_isolation_level: Literal["read_committed", "read_uncommitted"] = "read_committed"
    """Whether records of aborted transactions are left out."""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ssl_cafile: FilePath | None = None
    """Certificates to trust. Default: the system's."""
    kafka_ssl_certfile: FilePath | None = None
    kafka_ssl_keyfile: FilePath | None = None

    batch_max_events: int = Field(5_000, ge=1, le=100_000)
    """Records in one transaction: enough to make its fixed cost small, few enough for short locks."""
    batch_max_bytes: int = Field(12 * 1024 * 1024, ge=1024, le=MOST_BYTES)
    """Bytes of values in one transaction, give or take what one fetch brings."""
    batches_at_once: int = Field(8, ge=1, le=16)
    """Transactions under way at the same time, over partitions of their own: each needs a connection. Measured: with
    four, two cores are busy, and a database far away is not waited for."""
    batch_max_wait_ms: int = Field(0, ge=0, le=60_000)
    """How long a batch that is not full waits for more while nothing is being written. 0: not at all."""
    event_max_bytes: int = Field(EVENT_MAX_BYTES, ge=1024, le=MOST_BYTES)
    """Longer values are rejected."""

    cascade_grace_seconds: int = Field(7 * 24 * 3600, ge=0)
    """How long documents of a deleted user can come back."""
    fuse_min_records: int = Field(1_000, ge=1)
    """Consecutive records the fuse looks at."""
    fuse_ratio: float = Field(0.9, gt=0, le=1)
    """Part of them that may be rejected before intake stops."""
    ready_max_lag_seconds: float | None = Field(None, gt=0, allow_inf_nan=False)
    """With more lag than this the service is not ready. Default: lag does not matter."""

    http_host: str = "0.0.0.0"  # noqa: S104  a container's sidecar is asked from outside
    http_port: int = Field(8080, ge=0, le=65535)
    """0: a free one, named in the log."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "text"] = "json"

    topics: Mapping[str, str] = Field(default_factory=dict)
    """The topic of each projection, by the name of its setting (`<ENTITY>_TOPIC`)."""

    @model_validator(mode="after")
    def _sasl_is_whole(self) -> Self:
        given = (self.kafka_sasl_username, self.kafka_sasl_password)
        if self.kafka_security_protocol.startswith("SASL") and None in given:
            protocol = self.kafka_security_protocol
            raise ValueError(f"KAFKA_SECURITY_PROTOCOL={protocol} needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD")
        return self


def load_settings(environment: Mapping[str, str] | None = None, registry: Registry = REGISTRY) -> Settings:
    """The settings in `environment` (default: the process's). WrongSettings names each variable at fault."""
    given = _with_files(os.environ if environment is None else environment)
    topics = {p.topic_setting: given.get(p.topic_setting) or p.default_topic for p in registry}
    return _checked(Settings, {**_known(Settings, given), "topics": topics})


def load_database_settings(environment: Mapping[str, str] | None = None) -> DatabaseSettings:
    """The data layer's part alone, for commands that don't need Kafka. Errors as in `load_settings`."""
    given = _with_files(os.environ if environment is None else environment)
    return _checked(GivenDatabaseSettings, _known(GivenDatabaseSettings, given))


def _known(kind: type[DatabaseSettings], given: Mapping[str, str]) -> dict[str, Any]:
    return {name: given[name.upper()] for name in kind.model_fields if given.get(name.upper(), "") != ""}


def _checked(kind: type[AnySettings], values: dict[str, Any]) -> AnySettings:
    try:
        return kind(**values)
    except ValidationError as error:
        raise WrongSettings("; ".join(_problem(p["loc"], p["msg"]) for p in error.errors())) from None


def _with_files(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment`, with `NAME` read from the file that `NAME_FILE` names."""
    given = dict(environment)
    for field in Settings.model_fields:
        name = field.upper()
        if (path := environment.get(name + FILE_SUFFIX)) and not environment.get(name):
            try:
                given[name] = Path(path).read_text().strip()
            except OSError as error:
                raise WrongSettings(f"{name}{FILE_SUFFIX}: {error.strerror}: {path}") from None
            except UnicodeDecodeError:
                raise WrongSettings(f"{name}{FILE_SUFFIX}: not text in UTF-8: {path}") from None
    return given


def _problem(location: tuple[int | str, ...], message: str) -> str:
    said = message.removeprefix("Value error, ")
    if not location:
        return said
    name = str(location[0]).upper()
    if message == "Field required":
        return f"{name} is not set"
    return f"{name}: {said}"
