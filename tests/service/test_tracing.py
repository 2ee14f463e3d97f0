"""Traces: what a receiver is sent, and that a receiver that is slow, broken or away harms nothing."""

import time
import urllib.request
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from neon_projector.consumer.demo.servers.ports import free_port
from tests.operate.test_traces import GOOD, SPAN, TRACE
from tests.support.factories import a_document_event, a_record, a_user_event
from tests.support.projector import Projector, eventually, running_projector
from tests.support.prometheus import Prometheus, prometheus
from tests.support.receiver import Receiver, attributes, receiver
from tests.support.world import World

SOON = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
"""Spans are sent at once, and an answer is waited for one second."""
ADA, EVE = UUID(int=1), UUID(int=2)
BUCKETS = "projector_event_freshness_seconds_bucket"
HEADER = (("traceparent", GOOD.encode()),)


def traced(world: World, receiver: Receiver, **more: str) -> dict[str, str]:
    return world.settings | {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url} | SOON | more


def of_topic(own: Receiver, topic: str) -> Span | None:
    """The last batch of this topic, when all of its spans have come."""
    return next((span for span in reversed(own.batches()) if span.name == f"process {topic}"), None)


def scraped(projector: Projector, accept: str) -> tuple[str, str]:
    """What `/metrics` answers, and as what."""
    asked = urllib.request.Request(f"http://127.0.0.1:{projector.port}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return answer.read().decode(), answer.headers["content-type"]


async def test_a_batch_is_a_trace_that_names_its_publishers_and_no_content(world: World, tmp_path: Path) -> None:
    await world.create_topics()
    with (
        receiver() as own,
        running_projector(traced(world, own, OTEL_RESOURCE_ATTRIBUTES="deployment=test")) as projector,
    ):
        await world.until("SELECT count(*)::int FROM projector.offsets", 2)
        await world.publish([a_record(a_user_event(id=ADA, name="Secret Ada"), headers=HEADER)])
        await world.until_consumed(1)
        users = eventually("the users' batch", lambda: of_topic(own, world.users))
        began = time.time_ns()
        await world.publish([a_record(a_document_event(owner=ADA, title="Secret Notes"))])
        await world.until_consumed(2)
        documents = eventually("the documents' batch", lambda: of_topic(own, world.documents))
        text, kind = scraped(projector, "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;q=0.5")
        assert kind.startswith("application/openmetrics-text")
        for accept in ("", "*/*", "text/plain", "text/plain;q=1, application/openmetrics-text;q=0.1"):
            plain, kind = scraped(projector, accept)
            assert kind.startswith("text/plain")
            assert "trace_id" not in plain
        with prometheus(tmp_path, projector.port, options=("--enable-feature=exemplar-storage",)) as stored:
            found = eventually("Prometheus has exemplars", lambda: exemplars(stored))
        assert projector.terminate() == 0
        assert [one.name for one in own.batches() if b"GET" in one.name.encode()] == [], "no trace of the sidecar"
    trace_ids = {span.trace_id.hex() for span in (users, documents)}
    families = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]  # the library's own gap
    samples = [sample for family in families for sample in family.samples if sample.exemplar is not None]
    shown = {sample.exemplar.labels["trace_id"] for sample in samples}
    assert shown <= trace_ids
    assert shown, text
    assert {one["labels"]["trace_id"] for one in found} == shown
    assert began < documents.end_time_unix_nano < time.time_ns()
    assert users.kind == Span.SPAN_KIND_CONSUMER
    assert [(link.trace_id.hex(), link.span_id.hex()) for link in users.links] == [(TRACE, SPAN)]
    assert not documents.links
    assert attributes(users) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": world.group,
        "messaging.batch.message_count": 1,
        "messaging.destination.name": world.users,
        "messaging.destination.partition.id": "0",
        "projector.batch.trigger": "age",
        "projector.partitions": 1,
        "projector.offsets": [f"{world.users}:0 0 to 0"],
    }
    below = own.below(users)
    assert [span.name for span in below] == ["collect", "decode", "transaction"]
    assert all(
        users.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano <= users.end_time_unix_nano
        for span in below
    )
    told = attributes(below[-1])
    assert 0 < told.pop("projector.statements") < 20
    assert told == {
        "db.system.name": "postgresql", "projector.retries": 0, "projector.records": 1, "projector.records.applied": 1,
    }  # fmt: skip
    resource = attributes(own.messages[0].resource_spans[0].resource)
    assert (resource["service.name"], resource["deployment"]) == ("neon-projector", "test")
    for body in own.bodies:
        assert not any(word in body for word in (b"Secret", str(ADA).encode(), b"example.com", b"/tests"))


def exemplars(stored: Prometheus) -> list[dict[str, Any]]:
    """What Prometheus has of the last minutes; nothing while it does not answer yet."""
    now = time.time()
    try:
        series = stored.ask("query_exemplars", query=BUCKETS, start=str(now - 600), end=str(now + 60))
    except OSError:
        return []
    return [one for own in series for one in own["exemplars"]]


async def test_a_retry_is_an_event_and_a_divided_batch_has_several_transactions(world: World) -> None:
    await world.create_topics()
    refuse = "ALTER TABLE users ADD CONSTRAINT no_eve CHECK (name <> 'Eve')"
    settings = {"BATCH_MAX_WAIT_MS": "400", "DB_STATEMENT_TIMEOUT": "1"}
    with receiver() as own, running_projector(traced(world, own, **settings)) as projector:
        await world.until("SELECT count(*)::int FROM projector.offsets", 2)
        await world.rows(refuse)
        await world.publish([a_record(a_user_event(name=name)) for name in ("Ada", "Eve", "Bob")])
        await world.until_consumed(3)
        divided = eventually("the divided batch", lambda: of_topic(own, world.users))
        await world.rows("ALTER TABLE users DROP CONSTRAINT no_eve")
        async with world.locked("users"):
            await world.publish_users(1)
            eventually("it is tried again", lambda: 'retries_total{reason="timeout"}' in projector.get("/metrics")[1])
        await world.until_consumed(4)
        retried = eventually("the batch that was tried again", lambda: next((s for s in own.spans if s.events), None))
    parts = [attributes(span) for span in own.below(divided) if span.name == "transaction"]
    assert sum(part["projector.records"] for part in parts) == 3
    assert len(parts) >= 2
    assert {"projector.records.rejected", "projector.records.applied"} <= {name for part in parts for name in part}
    assert retried.name == "transaction"
    assert {event.name for event in retried.events} == {"retry"}
    assert attributes(retried)["projector.retries"] == len(retried.events)
    assert {attributes(event)["projector.reason"] for event in retried.events} == {"timeout"}
    assert divided.status.code == Status.STATUS_CODE_UNSET


@pytest.mark.parametrize("away", [True, False], ids=["away", "broken, then silent"])
async def test_a_receiver_that_does_not_take_them_harms_nothing(world: World, away: bool) -> None:
    await world.create_topics()
    few = {"OTEL_BSP_MAX_QUEUE_SIZE": "8", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1"}
    with receiver() as own:
        own.answer = 500
        nobody = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}/?key=secret"} if away else {}
        nobody |= {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=secret"}
        nobody |= {} if away else {"OTEL_EXPORTER_OTLP_TIMEOUT": "60"}  # longer than the SDK waits at its end
        with running_projector(traced(world, own, **few) | nobody) as projector:
            for number in range(1, 11):
                await world.publish_users(1)
                await world.until_consumed(number)
                if number == 5 and not away:
                    eventually("spans were refused", lambda: own.requests)
                    own.answer = 0
            eventually("it is said", lambda: "traces are not delivered" in projector.logged())
            assert projector.failed() == {}
            assert projector.terminate(20) == 0, "the SDK alone would wait for 30 seconds"
            log = projector.logged()
    assert log.count("traces are not delivered") == 1
    assert [line for line in log.splitlines() if '"level":"error"' in line or "secret" in line] == []
    assert "neon_projector" in log
