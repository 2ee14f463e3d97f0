"""The dashboard asks for what the service has, says what it shows, and fits on the screen."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from monitoring.grafana.build import COLUMNS, FILE, VARIABLES, as_json
from tests.support.documents import metrics_of_the_design
from tests.support.monitored import DECLARED, MONITORING, RECORDED, loaded, wrong
from tests.support.panels import PANELS, QUERIES, as_asked
from tests.support.promql import Selector, grouping_labels, selectors
from tests.support.promtool import promtool

DASHBOARD: dict[str, Any] = json.loads(FILE.read_text())
GRAFANA = MONITORING / "grafana"
CHOSEN = [("job", "=", "$job"), ("instance", "=~", "$instance")]
UNITS = {"none", "short", "s", "percentunit", "cps", "cpm", "bytes"}
"""Of Grafana's, those that are used: @grafana/data, valueFormats."""


def named(query: str) -> list[Selector]:
    """The metrics of a query, with their matchers but for those of what is chosen above the dashboard."""
    found = selectors(query)
    return [Selector(one.metric, [m for m in one.matchers if m not in CHOSEN]) for one in found]


def test_the_file_is_what_the_table_of_panels_makes() -> None:
    assert FILE.read_text() == as_json(), "run `make docs`"


@pytest.mark.parametrize("query", QUERIES)
def test_a_panel_asks_for_metrics_labels_and_values_that_there_are(query: str) -> None:
    assert [error for selector in named(query) for error in wrong(selector)] == []
    assert grouping_labels(query) <= set[str]().union(*(DECLARED[selector.metric] for selector in named(query)))


@pytest.mark.parametrize("query", QUERIES)
def test_a_panel_shows_the_job_and_the_instances_that_are_chosen(query: str) -> None:
    for selector in selectors(query):
        must = CHOSEN[:1] if selector.metric in {"ALERTS", *RECORDED} else CHOSEN
        assert all(matcher in selector.matchers for matcher in must), selector


def test_a_query_that_names_what_there_is_not_is_found() -> None:
    query = (
        'sum by (topic) (rate(projector_events_total{job="$job", outcome="lost"}[1m])) / projector_fenced{shard="1"}'
    )
    errors = [error for selector in named(query) for error in wrong(selector)]
    assert errors == ["projector_events_total: outcome=lost", "projector_fenced"]


def test_every_query_is_promql(tmp_path: Path) -> None:
    rules = [{"record": f"query{number}", "expr": as_asked(query)} for number, query in enumerate(QUERIES)]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"SUCCESS: {len(QUERIES)} rules found" in promtool("check", "rules", str(file))
    assert not any("$" in rule["expr"] for rule in rules)


def test_every_metric_of_the_service_is_on_the_dashboard() -> None:
    shown = {re.sub(r"_(bucket|count|sum)$", "", selector.metric) for query in QUERIES for selector in selectors(query)}
    assert set(metrics_of_the_design()) - shown == set()


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_says_what_it_shows_in_which_unit(panel: dict[str, Any]) -> None:
    assert len(panel["description"]) > 10
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    for target in panel["targets"]:
        labels = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        whole = set[str]().union(*(DECLARED[selector.metric] for selector in selectors(target["expr"])))
        assert labels <= (grouping_labels(target["expr"]) or whole), target["legendFormat"]


def test_panels_lie_beside_and_below_each_other() -> None:
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    for one in places:
        assert 0 <= one["x"] < one["x"] + one["w"] <= COLUMNS
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)


def test_source_job_group_and_instances_can_be_chosen() -> None:
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert list(variables) == ["datasource", "job", "group", "instance"]
    for query in VARIABLES.values():
        assert (found := re.fullmatch(r"label_values\((\w+)(?:\{.*\})?, (\w+)\)", query))
        assert found[2] in DECLARED[found[1]]
    sources = [panel["datasource"]["uid"] for panel in PANELS]
    assert set(sources) == {"${datasource}"}


def test_grafana_is_given_the_source_and_the_dashboard() -> None:
    (source,) = loaded(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
    pace = loaded(MONITORING / "prometheus.yml")["global"]
    assert (source["type"], source["jsonData"]["timeInterval"]) == ("prometheus", pace["scrape_interval"])
    (provider,) = loaded(GRAFANA / "provisioning" / "dashboards" / "projector.yml")["providers"]
    compose = loaded(MONITORING.parent / "docker-compose.yml")["services"]["grafana"]
    mounted = dict(reversed(volume.removesuffix(":ro").split(":")) for volume in compose["volumes"])
    assert mounted[f"{provider['options']['path']}/{FILE.name}"] == f"./{FILE.relative_to(MONITORING.parent)}"
    home = compose["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home in mounted
    assert all((MONITORING.parent / source).is_file() for source in mounted.values())
