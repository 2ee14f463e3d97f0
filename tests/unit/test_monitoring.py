"""Alerts name metrics, labels and values that the service has, and sections that the runbook has."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from neon_projector.consumer.telemetry.state import CHECKS, ServiceState
from tests.support.documents import ROOT, prose
from tests.support.monitored import ALERTS, DECLARED, MONITORING, PROMETHEUS_LABELS, RULE_FILES, RULES, loaded, wrong
from tests.support.promql import grouping_labels, selectors
from tests.support.promtool import promtool

SCENARIOS = sorted((MONITORING / "tests").glob("*.yml"))
RUNBOOK = prose(ROOT / "docs" / "runbook.md")
ALERTMANAGER = loaded(MONITORING / "alertmanager.yml")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_names_metrics_and_labels_that_the_service_has(rule: dict[str, Any]) -> None:
    named = selectors(rule["expr"])
    assert named
    assert [error for selector in named for error in wrong(selector)] == []
    assert grouping_labels(rule["expr"]) <= set[str]().union(*(DECLARED[selector.metric] for selector in named))


@pytest.mark.parametrize(
    ("expression", "errors"),
    [
        ('sum by (job) (rate(projector_fenced_total[5m])) > 1 and on (job) up{job="projector"} == 1', []),
        ("max(projector_fenced)", ["projector_fenced"]),
        ('projector_consumer_lag{shard="0"} > 0', ["projector_consumer_lag: shard"]),
        ('projector_healthy{check="database"} == 0', ["projector_healthy: check=database"]),
        ('rate(projector_event_freshness_seconds_bucket{le="5"}[5m])',
         ["projector_event_freshness_seconds_bucket: le=5"]),
        ('projector_db_up unless on (job) job:no_such_rule:sum', ["job:no_such_rule:sum"]),
    ],
)  # fmt: skip
def test_a_name_that_the_service_does_not_have_is_found(expression: str, errors: list[str]) -> None:
    assert [error for selector in selectors(expression) for error in wrong(selector)] == errors


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_a_scenario_has_series_as_the_service_exposes_them(path: Path) -> None:
    for scenario in loaded(path)["tests"]:
        for line in scenario["input_series"]:
            (selector,) = selectors(line["series"])
            given = {label for label, _, _ in selector.matchers}
            assert given == DECLARED[selector.metric], line["series"]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_whom_it_wakes_what_is_wrong_and_where_to_read_on(alert: dict[str, Any]) -> None:
    assert {"for", "keep_firing_for"} <= alert.keys()
    assert alert["labels"]["severity"] in {"page", "ticket", "none"}
    notes = alert["annotations"]
    assert notes.keys() == {"summary", "description", "runbook_url"}
    used = set(re.findall(r"\$labels\.(\w+)", notes["summary"] + notes["description"]))
    assert used <= grouping_labels(alert["expr"]) | PROMETHEUS_LABELS
    assert notes["runbook_url"] == f"https://runbook.example/runbook.md#{alert['alert'].lower()}"


def test_the_runbook_has_a_section_for_each_alert_and_none_besides() -> None:
    alerts = RUNBOOK.partition("\n## Alerts\n")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^### (\w+)$", alerts, re.MULTILINE)) == sorted({alert["alert"] for alert in ALERTS})


@pytest.mark.parametrize("section", RUNBOOK.split("\n### ")[1:], ids=lambda section: section.splitlines()[0])
def test_a_section_says_what_users_see_where_to_look_what_to_do_and_when_it_is_over(section: str) -> None:
    asked = re.findall(r"^\*\*(.+?)\.?\*\*", section, re.MULTILINE)
    assert asked == ["For users", "Look", "Do", "It is over when"]


def fired() -> list[dict[str, str]]:
    """The labels of all alerts that the scenarios expect to fire."""
    found = list[dict[str, str]]()
    for scenario in [scenario for path in SCENARIOS for scenario in loaded(path)["tests"]]:
        for one in scenario.get("promql_expr_test", []):
            series = [selectors(sample["labels"])[0].matchers for sample in one["exp_samples"]]
            found += [{label: value for label, _, value in matchers} for matchers in series]
        for one in scenario.get("alert_rule_test", []):
            found += [
                {"alertname": one["alertname"], "alertstate": "firing"} | a["exp_labels"] for a in one["exp_alerts"]
            ]
    return [labels for labels in found if labels.get("alertstate") == "firing"]


@pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_fires_in_a_scenario(alert: dict[str, Any]) -> None:
    own = {"alertname": alert["alert"]} | alert["labels"]
    assert any(own.items() <= labels.items() for labels in fired())


def test_alertmanager_routes_and_inhibits_by_labels_that_alerts_have() -> None:
    values: dict[str, set[str]] = {"alertname": {alert["alert"] for alert in ALERTS}}
    for alert in ALERTS:
        for label, value in alert["labels"].items():
            values.setdefault(label, set()).add(value)
    route = ALERTMANAGER["route"]
    lists = [one["matchers"] for one in route["routes"]]
    for rule in ALERTMANAGER["inhibit_rules"]:
        lists += [rule["source_matchers"], rule["target_matchers"]]
    for matcher in [matcher for matchers in lists for matcher in matchers]:
        label, _, value = re.split(r"\s*(=~|!~|=)\s*", matcher)
        assert set(value.strip('"').split("|")) <= values[label], matcher
    used = {one["receiver"] for one in (route, *route["routes"])}
    assert used == {one["name"] for one in ALERTMANAGER["receivers"]}


def test_each_check_of_readiness_can_fail_by_its_name() -> None:
    source = Path(ServiceState.ready_checks.__code__.co_filename).read_text()
    assert {"loop", *re.findall(r'failed\["(\w+)"\]', source)} == set(CHECKS)


def test_promtool_finds_nothing_wrong_with_rules_and_settings() -> None:
    said = promtool("check", "rules", "--lint=all", "--lint-fatal", *map(str, RULE_FILES))
    assert said.count("SUCCESS") == len(RULE_FILES)
    assert "SUCCESS" in promtool("check", "config", str(MONITORING / "prometheus.yml"))


def test_the_address_of_the_runbook_is_set_by_the_line_that_alerts_begin_with(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(MONITORING, tmp_path / "monitoring"))
    (line,) = re.findall(r"^#   (sed .*)$", (copy / "alerts.yml").read_text(), re.MULTILINE)
    subprocess.run(line, shell=True, check=True, cwd=copy)
    for name in ("alerts.yml", "grafana/dashboards/projector.json"):
        text = (copy / name).read_text()
        assert "https://your.own/docs/runbook.md" in text
        assert "https://runbook.example" not in re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
    assert "SUCCESS" in promtool("check", "rules", str(copy / "alerts.yml"))


def test_each_alert_fires_in_time_and_ordinary_life_fires_none() -> None:
    said = promtool("test", "rules", *map(str, SCENARIOS))
    assert said.count("SUCCESS") == len(SCENARIOS) == 3
