"""Metrics as text: Prometheus' own format as ever, and OpenMetrics with the traces of slow events."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from neon_projector.consumer.telemetry.exposition import exposition
from neon_projector.consumer.telemetry.histogram import BatchHistogram
from neon_projector.consumer.telemetry.metrics import Metrics

OPEN, PLAIN = "application/openmetrics-text", "text/plain"
ONE, TWO = {"trace_id": "1" * 32, "span_id": "1" * 16}, {"trace_id": "2" * 32, "span_id": "2" * 16}
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (OPEN, OPEN), (f"{PLAIN}, {OPEN}", OPEN), (f"{OPEN};version=1.0.0;q=0.5, {PLAIN};q=0.4", OPEN),
        (f" {OPEN.upper()} ; Q=0.9", OPEN), (PROMETHEUS, OPEN),
        ("", PLAIN), ("*/*", PLAIN), ("text/html,*/*;q=0.8", PLAIN), (PLAIN, PLAIN), (f"{OPEN};q=0", PLAIN),
        (f"{OPEN};q=0.1, {PLAIN};q=0.2", PLAIN), (f"{OPEN};q=much", PLAIN), (";;=,", PLAIN),
    ],
)  # fmt: skip
def test_openmetrics_is_for_those_who_ask_for_it(accept: str, kind: str) -> None:
    registry = Metrics(["users"]).registry
    body, said = exposition(registry, accept)
    assert said.startswith(kind)
    assert body.endswith(b"# EOF\n") == (kind == OPEN)


def test_each_bucket_has_the_last_trace_that_came_into_it_and_plain_text_none() -> None:
    registry = CollectorRegistry()
    histogram = BatchHistogram("age_seconds", "How old.", (1.0, 5.0), registry)
    histogram.observe_all([(0.5, 2), (7.0, 1)])
    histogram.observe_all([(0.25, 1), (0.5, 3), (2.0, 1)], ONE)
    histogram.observe_all([(0.6, 1), (0.75, 1)], TWO)
    histogram.observe_all([(0.9, 1), (3.0, 1)])
    body, _ = exposition(registry, OPEN)
    (family,) = text_string_to_metric_families(body.decode())  # type: ignore[no-untyped-call]  # the library's own gap
    found = {one.labels["le"]: (one.exemplar.labels, one.exemplar.value) for one in family.samples if one.exemplar}
    assert found == {"1.0": (TWO, 0.75), "5.0": (ONE, 2.0)}
    plain, _ = exposition(registry, "")
    untraced = CollectorRegistry()
    same = BatchHistogram("age_seconds", "How old.", (1.0, 5.0), untraced)
    same.observe_all([(0.5, 2), (7.0, 1), (0.25, 1), (0.5, 3), (2.0, 1), (0.6, 1), (0.75, 1), (0.9, 1), (3.0, 1)])
    assert plain == generate_latest(untraced)
