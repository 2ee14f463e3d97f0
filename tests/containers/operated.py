"""What an operator does with the running system: looks at its page, is alerted, heals a row and puts it back."""

import json
import re
from typing import Any

from neon_projector.consumer.telemetry.page.handbook import DOCUMENTS
from tests.containers.tools import Failed, compose, eventually, got, must, projector, tell

TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "json": "application/json"}
ALERT = "IntakeStopped"
PRODUCE = "echo {} | /opt/kafka/bin/kafka-console-producer.sh --bootstrap-server kafka:9092 --topic users"


def the_page() -> None:
    """It has the verdict without a script, and all that it asks for is in the image: files, and the documents."""
    kind, page = got("projector", 8080, "")
    must(kind == "text/html" and '<strong id="word">' in page and "Asking:" not in page, f"the page: {page[:2000]}")
    files = set(re.findall(r'(?:href|src)="(page/[^"]+)"', page))
    must(len(files) > 5, f"the page names few files: {files}")
    for path in sorted(files):
        kind, text = got("projector", 8080, path)
        must(kind == TYPES[path.partition("?")[0].rpartition(".")[2]] and text != "", f"{path}: {kind}")
    for name in DOCUMENTS:
        kind, text = got("projector", 8080, f"page/{name}.html")
        must(kind == "text/html" and "<h2" in text, f"{name}.html: {text[:200]}")
    tell(f"the page has its verdict, {len(files)} files and {len(DOCUMENTS)} documents")


def alerted() -> None:
    """Prometheus has loaded the rules, and an alert of theirs comes to Alertmanager with the example's routes."""
    compose("up", "--detach", "--no-recreate", "alertmanager")
    rules = [rule for group in asked("rules")["groups"] for rule in group["rules"]]
    ill = [rule["name"] for rule in rules if rule["health"] == "err"]
    must(len(rules) > 20 and not ill, f"{len(rules)} rules, with errors: {ill}")
    eventually("Prometheus knows Alertmanager", lambda: bool(asked("alertmanagers")["activeAlertmanagers"]))
    projector("pause", "--topic", "users")
    compose("exec", "--no-TTY", "kafka", "bash", "-c", PRODUCE)  # a service that reads nothing notices with a record
    eventually(f"Alertmanager has {ALERT}", lambda: "nobody" in receivers())
    projector("resume", "--topic", "users")
    tell(f"{len(rules)} rules are loaded; paused, Alertmanager has {ALERT} for: {', '.join(receivers())}")


def asked(path: str) -> Any:
    """The data of an answer of Prometheus' API."""
    return json.loads(got("prometheus", 9090, f"api/v1/{path}")[1])["data"]


def receivers() -> list[str]:
    """To whom the alert goes; none while Alertmanager does not answer or has none."""
    try:
        alerts = json.loads(got("alertmanager", 9093, "api/v2/alerts")[1])
    except (OSError, Failed):
        return []
    found = (alert for alert in alerts if alert["labels"]["alertname"] == ALERT)
    return [receiver["name"] for alert in found for receiver in alert["receivers"]]


def healed_and_put_back() -> None:
    """A row changed by hand is healed in one container, and put back from the undo file in another."""
    change = "UPDATE users SET name = 'by hand' WHERE id = (SELECT id FROM users LIMIT 1)"
    compose("exec", "--no-TTY", "postgres", "psql", "--username=projector", "--quiet", "--command", change)
    healed = json.loads(projector("rebuild", "--execute", "--yes", "--json"))
    must(healed["healed"] == 1 and healed["verdict"] == "equal", f"rebuild: {healed}")
    once = ("run", "--rm", "--no-deps", "--no-TTY", "projector")
    back = json.loads(compose(*once, "undo", healed["undo"], "--execute", "--yes", "--json"))
    must(back["put_back"] == 1, f"undo: {back}")
    tell(f"rebuild heals what was changed by hand; another container puts it back from {healed['undo']}")
