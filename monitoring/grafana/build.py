"""Writes Grafana's JSON of `monitoring/grafana/panels.py`: `python -m monitoring.grafana.build`, by `make docs`.

The shape is that of Grafana's own schema, version 39 (Grafana 11): https://grafana.com/docs/grafana/latest/dashboards.
"""

import json
from pathlib import Path
from typing import Any

from monitoring.grafana.panels import ROWS, Panel

FILE = Path(__file__).parent / "dashboards" / "projector.json"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
PLACEHOLDERS = {
    "SELF": 'job="$job", instance=~"$instance"',
    "JOB": 'job="$job"',
    "[RATE]": "[$__rate_interval]",
}
COLUMNS = 24
HEIGHTS = {"stat": 4, "timeseries": 8, "state-timeline": 8, "table": 8, "heatmap": 8}
RUNBOOK = "https://runbook.example/runbook.md"
VARIABLES = {
    "job": "label_values(projector_build_info, job)",
    "group": 'label_values(projector_build_info{job="$job"}, group)',
    "instance": 'label_values(projector_build_info{job="$job", group=~"$group"}, instance)',
}


def as_json() -> str:
    """What stands in the file."""
    return json.dumps(dashboard(), indent=1) + "\n"


def dashboard() -> dict[str, Any]:
    """All of it."""
    return {
        "title": "Neon Projector",
        "uid": "neon-projector",
        "description": "From Kafka to Neon: what is applied, how late, what waits and what is wrong.",
        "tags": ["neon-projector", "kafka", "postgres"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "links": [
            {
                "title": "Runbook", "type": "link", "url": RUNBOOK, "icon": "doc", "targetBlank": True,
                "tooltip": "What to do about each alert", "asDropdown": False, "includeVars": False, "keepTime": False,
                "tags": [],
            }
        ],
        "templating": {"list": [_source(), *(_variable(name, query) for name, query in VARIABLES.items())]},
        "annotations": {"list": []},
        "panels": _panels(),
    }  # fmt: skip


def _source() -> dict[str, Any]:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0}


def _variable(name: str, query: str) -> dict[str, Any]:
    chosen = {"text": "All", "value": ["$__all"]} if name != "job" else {}
    return {
        "name": name, "label": name.capitalize(), "type": "query", "datasource": SOURCE,
        "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1, "hide": 0,
        "multi": name != "job", "includeAll": name != "job", "current": chosen,
    }  # fmt: skip


def _panels() -> list[dict[str, Any]]:
    """Rows and panels, each with its place: from left to right, and down."""
    made, y = list[dict[str, Any]](), 0
    for heading, panels in ROWS.items():
        row = {"id": len(made) + 1, "type": "row", "title": heading, "collapsed": False, "panels": []}
        made.append(row | {"gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}})
        x, y, height = 0, y + 1, 0
        for panel in panels:
            if x + panel.width > COLUMNS:
                x, y = 0, y + height
            height = HEIGHTS[panel.kind]
            place = {"x": x, "y": y, "w": panel.width, "h": height}
            made.append(_panel(panel) | {"id": len(made) + 1, "gridPos": place})
            x += panel.width
        y += height
    return made


def _panel(panel: Panel) -> dict[str, Any]:
    at_once = panel.kind in ("stat", "table")
    targets = [
        {
            "refId": chr(ord("A") + number), "datasource": SOURCE, "expr": _expression(query), "legendFormat": legend,
            "instant": at_once, "range": not at_once,
            "format": {"table": "table", "heatmap": "heatmap"}.get(panel.kind, "time_series"),
        }
        for number, (legend, query) in enumerate(panel.queries.items())
    ]  # fmt: skip
    return {
        "type": panel.kind, "title": panel.title, "description": panel.says, "datasource": SOURCE, "targets": targets,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []}, "options": _options(panel),
        "transformations": _joined(panel) if panel.kind == "table" else [],
    }  # fmt: skip


def _expression(query: str) -> str:
    for word, meant in PLACEHOLDERS.items():
        query = query.replace(word, meant)
    return query


def _defaults(panel: Panel) -> dict[str, Any]:
    """Unit, colours, and how a value is drawn."""
    words = {str(value): {"text": text, "color": colour} for value, (text, colour) in panel.words.items()}
    drawn = {
        "timeseries": {
            "drawStyle": "line", "lineWidth": 1, "showPoints": "never", "fillOpacity": 25 if panel.stacked else 8,
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "line" if panel.lines else "off"},
        },
        "state-timeline": {"fillOpacity": 80, "lineWidth": 0},
    }.get(panel.kind, {})  # fmt: skip
    steps = [{"value": value, "color": colour} for value, colour in panel.colours]
    by_value = panel.kind in ("stat", "state-timeline")
    return {
        "unit": panel.unit,
        **({"min": 0} if panel.kind == "timeseries" else {}),
        "color": {"mode": "thresholds" if by_value else "palette-classic"},
        "thresholds": {"mode": "absolute", "steps": steps},
        "mappings": [{"type": "value", "options": words}] if words else [],
        "custom": drawn,
    }  # fmt: skip


def _options(panel: Panel) -> dict[str, Any]:
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
    options: dict[str, dict[str, Any]] = {
        "stat": {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "value", "graphMode": "none", "textMode": "value", "justifyMode": "center",
        },
        "timeseries": {
            "legend": legend | {"calcs": ["lastNotNull", "max"]}, "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "state-timeline": {
            "legend": legend | {"showLegend": False}, "mergeValues": True, "showValue": "never", "rowHeight": 0.8,
            "tooltip": {"mode": "single", "sort": "none"},
        },
        "table": {"showHeader": True, "cellHeight": "sm"},
        "heatmap": {
            "calculate": False, "yAxis": {"unit": panel.unit}, "cellGap": 1,
            "color": {"mode": "scheme", "scheme": "Blues", "steps": 64}, "tooltip": {"mode": "single"},
        },
    }  # fmt: skip
    return options[panel.kind]


def _joined(panel: Panel) -> list[dict[str, Any]]:
    """One line for each set of labels, a column for each query."""
    names = {f"Value #{chr(ord('A') + number)}": legend for number, legend in enumerate(panel.queries)}
    if len(names) == 1:
        return [{"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True}}}]
    organized = {"excludeByName": {"Time": True}, "renameByName": names}
    return [{"id": "merge", "options": {}}, {"id": "organize", "options": organized}]


if __name__ == "__main__":
    FILE.write_text(as_json())
