"""The panels of the dashboard as they are in the file, and what they ask Prometheus."""

import json
from typing import Any

from monitoring.grafana.build import FILE

PANELS: list[dict[str, Any]] = [one for one in json.loads(FILE.read_text())["panels"] if one["type"] != "row"]
QUERIES: list[str] = [target["expr"] for panel in PANELS for target in panel["targets"]]
CHOSEN = {"$job": "projector", "$instance": ".*", "$group": ".*", "$__rate_interval": "20s", "$__range": "1h"}
"""As Grafana fills a query in."""


def as_asked(query: str) -> str:
    """The query as Grafana sends it."""
    for variable, value in CHOSEN.items():
        query = query.replace(variable, value)
    return query
