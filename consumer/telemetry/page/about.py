"""Settings that are not at their defaults: the values of those that can be no secret."""

from typing import Any, Literal, get_args, get_origin

from neon_projector.consumer.settings import Settings

NAMES_TO_SHOW = {
    "kafka_bootstrap_servers", "kafka_group_id", "kafka_group_instance_id", "http_host", "http_path_prefix",
}  # fmt: skip
"""Settings of any letters whose values are shown; of all others only that they are set."""


def changed_settings(settings: Settings) -> dict[str, str]:
    """By the variable's name; a value that may be a secret is `set`."""
    found = {}
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if name == "topics" or value == field.get_default(call_default_factory=True):
            continue
        if name in NAMES_TO_SHOW or _is_plain(field.annotation):
            found[name.upper()] = said(value)
        elif not field.is_required():
            found[name.upper()] = "set"
    return found | {entity.upper(): topic for entity, topic in settings.topics.items()}


def said(value: Any) -> str:
    """As a variable says it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _is_plain(annotation: Any) -> bool:
    """Whether it takes numbers, true and false, or one of some words."""
    if get_origin(annotation) is Literal or annotation in (int, float, bool):
        return True
    some = [one for one in get_args(annotation) if one is not type(None)]
    return bool(some) and all(one in (int, float, bool) for one in some)
