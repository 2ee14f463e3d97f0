"""Whether there are traces: by the standard variables of OpenTelemetry, and by what is installed.

The names are those of the specification (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
and …/protocol/exporter/). Whatever is wrong with them is a warning, and then there are no traces: on many clusters they
are set for every container, and a service must not stay down for its telemetry.
"""

import logging
from collections.abc import Mapping

from neon_projector.consumer.telemetry.tracing.none import NoTracing, Tracing

log = logging.getLogger(__name__)

SWITCH = "OTEL_SDK_DISABLED"
EXPORTER = "OTEL_TRACES_EXPORTER"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"


def tracing_of(environment: Mapping[str, str], group_id: str) -> Tracing:
    """The tracing that these variables ask for. Nothing of OpenTelemetry's SDK is imported where they ask for none."""
    if not _wanted(environment):
        return NoTracing()
    if problem := _problem(environment):
        log.warning(f"there are no traces: {problem}")
        return NoTracing()
    try:
        from neon_projector.consumer.telemetry.tracing.sending import sending  # noqa: PLC0415  only where it is on
    except ImportError as error:
        named = error.name or "a library"
        log.warning(f"there are no traces: {named} is not installed (pip install 'neon-projector[otel]')")
        return NoTracing()
    try:
        return sending(environment, group_id)
    except Exception as error:  # whatever the SDK has against a variable; its text may quote that
        log.warning(
            "there are no traces: OpenTelemetry does not take the variables OTEL_*",
            extra={"error": type(error).__name__},
        )
        return NoTracing()


def _wanted(environment: Mapping[str, str]) -> bool:
    """Whether an exporter is asked for, or a receiver named."""
    exporter = _first(environment, EXPORTER).lower()
    off = _first(environment, SWITCH).lower() == "true" or exporter == "none"
    return not off and bool(exporter or _first(environment, *ENDPOINTS))


def _problem(environment: Mapping[str, str]) -> str:
    """What of it this service can't do; nothing where it can."""
    if _first(environment, EXPORTER).lower() not in ("", "otlp"):
        return f"{EXPORTER}: only otlp and none are known here"
    if _first(environment, *PROTOCOLS).lower() not in ("", PROTOCOL):
        return f"{PROTOCOLS[1]}: only {PROTOCOL} is spoken here (port 4318 of most receivers, not 4317)"
    endpoint = _first(environment, *ENDPOINTS)
    if endpoint and not endpoint.lower().startswith(("http://", "https://")):
        return f"{ENDPOINTS[1]} is no URL of http or https"
    return ""


def _first(environment: Mapping[str, str], *names: str) -> str:
    return next((value.strip() for name in names if (value := environment.get(name, "").strip())), "")
