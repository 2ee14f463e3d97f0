"""A real Alertmanager tells the right people, and keeps quiet what follows from something else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.alertmanager import EXAMPLE, Alertmanager, alertmanager, amtool
from tests.support.monitored import ALERTS
from tests.support.projector import eventually

Labels = dict[str, str]
USERS = {"topic": "users"}
FUSE = {"alertname": "IntakeStopped", "severity": "page", "reason": "fuse", **USERS}
PAUSED = {"alertname": "IntakeStopped", "severity": "none", "reason": "paused", **USERS}
NO_PROGRESS = {"alertname": "Stalled", "severity": "page", "symptom": "no_progress", **USERS}
NO_MEMBER = {"alertname": "Stalled", "severity": "page", "symptom": "no_member"}
WRITES_FAIL = {"alertname": "Stalled", "severity": "page", "symptom": "writes_fail", "instance": "a"}
GROWING = {"alertname": "LagGrowing", "severity": "ticket", **USERS}
SLOW = {"alertname": "FreshnessSlow", "severity": "page", "window": "1h"}
REJECTIONS = {"alertname": "RejectionsHigh", "severity": "ticket", **USERS}
ABSENT = {"alertname": "ProjectorMetricsAbsent", "severity": "page"}
DOWN = {"alertname": "ProjectorDown", "severity": "ticket", "instance": "a"}
KAFKA = {"alertname": "KafkaDown", "severity": "page"}
UNREAD = {"alertname": "PartitionUnread", "severity": "page", "partition": "0", "reason": "no_leader", **USERS}
DATABASE = {"alertname": "DatabaseDown", "severity": "ticket", "instance": "a"}
DOCUMENTS = {"topic": "documents"}

TOGETHER: dict[str, tuple[list[Labels], set[str]]] = {
    "no instance at all": ([ABSENT, DOWN], {"ProjectorDown"}),
    "one of several instances": ([DOWN], set()),
    "a pause": ([PAUSED, NO_PROGRESS, GROWING, SLOW], {"Stalled", "LagGrowing", "FreshnessSlow"}),
    "a pause of another topic": ([PAUSED | DOCUMENTS, NO_PROGRESS, GROWING], {"LagGrowing"}),
    "a pause, and no member": ([PAUSED, NO_MEMBER], set()),
    "a pause, and writes fail": ([PAUSED, WRITES_FAIL], set()),
    "the fuse": ([FUSE, REJECTIONS, NO_PROGRESS], {"RejectionsHigh", "Stalled"}),
    "a pause hides no bad records": ([PAUSED, REJECTIONS], set()),
    "nothing moves": ([NO_PROGRESS, GROWING, SLOW], {"LagGrowing", "FreshnessSlow"}),
    "no Kafka": ([KAFKA, NO_MEMBER, UNREAD], {"Stalled", "PartitionUnread"}),
    "no database, for long": ([DATABASE, WRITES_FAIL], set()),
}
"""What fires together in a job of that name, and which of it Alertmanager keeps quiet."""


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    """One that has got all of these at once, each from a job of its own."""
    with alertmanager(tmp_path_factory.mktemp("alertmanager")) as one:
        one.post([labels | {"job": job} for job, (alerts, _) in TOGETHER.items() for labels in alerts])
        yield one


@pytest.mark.parametrize("job", TOGETHER)
def test_what_follows_from_another_alert_is_kept_quiet_and_nothing_else(manager: Alertmanager, job: str) -> None:
    alerts, quiet = TOGETHER[job]

    def seen() -> dict[str, bool]:
        found = [one for one in manager.ask("alerts") if one["labels"]["job"] == job]
        return {one["labels"]["alertname"]: bool(one["status"]["inhibitedBy"]) for one in found}

    expected = {labels["alertname"]: labels["alertname"] in quiet for labels in alerts}
    eventually(f"in {job!r}, {quiet or 'nothing'} is kept quiet", lambda: seen() == expected)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")
def test_who_is_told_depends_on_the_severity(rule: dict[str, dict[str, str]]) -> None:
    labels = [f"{label}={value}" for label, value in rule["labels"].items()]
    said = amtool("config", "routes", "test", f"--config.file={EXAMPLE}", f"alertname={rule['alert']}", *labels)
    assert said.strip() == {"page": "on-call", "ticket": "tickets", "none": "nobody"}[rule["labels"]["severity"]]


def test_the_example_is_one(tmp_path: Path) -> None:
    assert "SUCCESS" in amtool("check-config", str(EXAMPLE))
    broken = tmp_path / "broken.yml"
    broken.write_text(EXAMPLE.read_text().replace("receiver: tickets", "receiver: someone"))
    with pytest.raises(AssertionError, match="someone"):
        amtool("check-config", str(broken))
