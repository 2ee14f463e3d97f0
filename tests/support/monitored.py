"""What the service and Prometheus have: metrics, labels and values, by which rules and the dashboard are checked."""

from pathlib import Path
from typing import Any

import yaml
from prometheus_client import Counter, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from neon_projector.consumer.telemetry.metrics import Metrics
from tests.support.documents import ROOT
from tests.support.promql import Selector, grouping_labels

MONITORING = ROOT / "monitoring"
RULE_FILES = [MONITORING / "recording.yml", MONITORING / "alerts.yml"]
PROMETHEUS_LABELS = {"job", "instance"}
"""What Prometheus adds to each series."""


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


RULES: list[dict[str, Any]] = [
    rule for path in RULE_FILES for group in loaded(path)["groups"] for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"]: rule["expr"] for rule in RULES if "record" in rule}


def exposed() -> dict[str, list[dict[str, str]]]:
    """By name, the labels of all series that a service has before it has done anything, and of all alerts."""
    text = generate_latest(Metrics(["users"]).registry).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    found = {name: [s.labels for s in samples if s.name == name] for name in {s.name for s in samples}}
    states = [{"alertstate": state} for state in ("pending", "firing")]
    return found | {"ALERTS": [{"alertname": one["alert"]} | one["labels"] | s for one in ALERTS for s in states]}


def declared() -> dict[str, set[str]]:
    """By the name of its series, the labels of each metric of ours, of each recorded one, and of Prometheus' own."""
    known = {"up": set[str]()}
    for one in vars(Metrics()).values():
        if own := getattr(one, "_labelnames", None):
            known |= {f"{one._name}{end}": set(own) | more for end, more in _series(one).items()}
    for name, series in exposed().items():
        known.setdefault(name, set[str]().union(*series))
    known["ALERTS"] |= set[str]().union(*(grouping_labels(one["expr"]) for one in ALERTS))
    ours = {name: labels | PROMETHEUS_LABELS for name, labels in known.items()}
    return ours | {name: grouping_labels(expression) for name, expression in RECORDED.items()}


def _series(metric: object) -> dict[str, set[str]]:
    """What is added to a metric's name and labels in its series."""
    if isinstance(metric, Histogram):
        return {"_bucket": {"le"}, "_count": set(), "_sum": set()}
    return {"_total" if isinstance(metric, Counter) else "": set()}


DECLARED, EXPOSED = declared(), exposed()


def wrong(selector: Selector) -> list[str]:
    """What is wrong with the name of a metric, a label of it, or a label's value."""
    if selector.metric not in DECLARED:
        return [selector.metric]
    labels = DECLARED[selector.metric]
    strange = [f"{selector.metric}: {label}" for label, _, _ in selector.matchers if label not in labels]
    never = [
        f"{selector.metric}: {label}={value}"
        for label, _, value in selector.matchers
        if label not in PROMETHEUS_LABELS and all(one.get(label) != value for one in EXPOSED.get(selector.metric, []))
    ]
    return strange or never
