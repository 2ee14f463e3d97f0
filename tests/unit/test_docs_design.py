"""docs/design.md lists what the code has, no more and no less: reasons, settings, metrics."""

import re

from prometheus_client import Counter

from neon_projector.consumer.settings import Settings
from neon_projector.consumer.telemetry.metrics import Metrics
from neon_projector.projections.contract.outcome import Outcome, Reason
from neon_projector.projections.registry import REGISTRY
from tests.support.documents import metrics_of_the_design, names_of_rows, section


def test_every_reason_of_rejection_has_its_row() -> None:
    assert names_of_rows(section("Reasons of rejection")) == sorted(Reason)


def test_every_outcome_has_its_row() -> None:
    assert names_of_rows(section("What a record counts as")) == sorted(Outcome)


def test_every_metric_has_its_row() -> None:
    metrics = Metrics()
    counters = {one._name for one in vars(metrics).values() if isinstance(one, Counter)}
    declared = {family.name for family in metrics.registry.collect() if family.name.startswith("projector_")}
    full = [f"{name}_total" if name in counters else name for name in declared]
    assert metrics_of_the_design() == sorted(full)


def test_every_setting_is_in_the_list() -> None:
    rows = [line for line in section("9. Settings").splitlines() if line.startswith("| ")]
    listed = sorted(name for row in rows for name in re.findall(r"`([A-Z_]+)`", row))
    topics = [projection.topic_setting for projection in REGISTRY]
    assert listed == sorted([name.upper() for name in Settings.model_fields if name != "topics"] + topics)
