"""The text of `/metrics`: Prometheus' own format, or OpenMetrics, which has exemplars, for those who ask for it."""

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

OPENMETRICS, PLAIN = "application/openmetrics-text", "text/plain"


def exposition(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """The metrics and their media type. `accept` is the header of that name (RFC 9110, 12.5.1): OpenMetrics where it is
    named, and text is not wanted more."""
    wanted = _weights(accept)
    weight = wanted.get(OPENMETRICS, 0.0)
    if weight > 0 and weight >= wanted.get(PLAIN, 0.0):
        body: bytes = openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]  # the library's own gap
        return body, openmetrics.CONTENT_TYPE_LATEST
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _weights(accept: str) -> dict[str, float]:
    """By media type, how much it is wanted, from 0 to 1; of several versions of one the highest."""
    found: dict[str, float] = {}
    for one in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in one.split(";"))
        found[kind] = max(found.get(kind, 0.0), _weight(parameters))
    return found


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
