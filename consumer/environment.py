"""Reads the settings from the environment, once. A secret may stand in a file (`*_FILE`)."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from neon_projector.consumer.errors import WrongSettings
from neon_projector.consumer.settings import EventSettings, GivenDatabaseSettings, KafkaSettings, Settings
from neon_projector.models.settings import DatabaseSettings
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.registry import REGISTRY

AnySettings = TypeVar("AnySettings", bound=BaseSettings)
AnyKafkaSettings = TypeVar("AnyKafkaSettings", bound=KafkaSettings)

FILE_SUFFIX = "_FILE"


def load_settings(environment: Mapping[str, str] | None = None, registry: Registry = REGISTRY) -> Settings:
    """The settings in `environment` (default: the process's). WrongSettings names each variable at fault."""
    return _with_topics(Settings, environment, registry)


def load_kafka_settings(environment: Mapping[str, str] | None = None, registry: Registry = REGISTRY) -> KafkaSettings:
    """Kafka's part alone, for those who publish and have no database. Errors as in `load_settings`."""
    return _with_topics(KafkaSettings, environment, registry)


def load_event_settings(environment: Mapping[str, str] | None = None) -> EventSettings:
    """What an event may be, for a check that needs no server. Errors as in `load_settings`."""
    return _checked(EventSettings, _known(EventSettings, _with_files(EventSettings, environment)))


def load_database_settings(environment: Mapping[str, str] | None = None) -> DatabaseSettings:
    """The data layer's part alone, for commands that don't need Kafka. Errors as in `load_settings`."""
    given = _with_files(GivenDatabaseSettings, environment)
    return _checked(GivenDatabaseSettings, _known(GivenDatabaseSettings, given))


def _with_topics(
    kind: type[AnyKafkaSettings], environment: Mapping[str, str] | None, registry: Registry
) -> AnyKafkaSettings:
    given = _with_files(kind, environment)
    topics = {p.topic_setting: given.get(p.topic_setting) or p.default_topic for p in registry}
    return _checked(kind, {**_known(kind, given), "topics": topics})


def _known(kind: type[BaseSettings], given: Mapping[str, str]) -> dict[str, Any]:
    return {name: given[name.upper()] for name in kind.model_fields if given.get(name.upper(), "") != ""}


def _checked(kind: type[AnySettings], values: dict[str, Any]) -> AnySettings:
    try:
        return kind(**values)
    except ValidationError as error:
        raise WrongSettings("; ".join(_problem(p["loc"], p["msg"]) for p in error.errors())) from None


def _with_files(kind: type[BaseSettings], environment: Mapping[str, str] | None) -> dict[str, str]:
    """`environment` (default: the process's), with each `NAME` of `kind` read from the file that `NAME_FILE` names."""
    given = dict(os.environ if environment is None else environment)
    for field in kind.model_fields:
        name = field.upper()
        if (path := given.get(name + FILE_SUFFIX)) and not given.get(name):
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
