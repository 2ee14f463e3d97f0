"""All metrics of the service, each with its meaning, its unit, and the values of its labels."""

from collections.abc import Iterable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from neon_projector.consumer.telemetry.histogram import BatchHistogram
from neon_projector.consumer.telemetry.state import CHECKS
from neon_projector.projections.contract.outcome import TOTALS

FRESHNESS_BUCKETS = (
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400,
)  # fmt: skip
"""Seconds, from 1 ms to 1 day."""
INTAKE_STOPS = ("paused", "fuse")
"""All reasons for which intake can be stopped."""


class Metrics:
    """One instance's metrics in a registry of their own. Gauges of tables count the whole database.

    What is counted by topic begins with 0 for each of `topics`: Prometheus sees no increase in a series that begins
    with another number.
    """

    def __init__(self, topics: Iterable[str] = ()) -> None:
        self.registry = CollectorRegistry()
        counter, gauge = partial(Counter, registry=self.registry), partial(Gauge, registry=self.registry)
        histogram = partial(Histogram, registry=self.registry)
        self.events = counter(
            "projector_events",
            "Records by what became of them at their first commit: applied, superseded, parked, rejected, ignored, "
            "and skipped for offsets without a record.",
            ["topic", "outcome"],
        )
        self.rejections = counter(
            "projector_rejections", "Rejected records by reason (projections/contract/outcome.py).", ["topic", "reason"]
        )
        self.unknown_types = counter(
            "projector_unknown_types",
            "Records that were ignored because of their type, by the type of the contract that it resembles, or none.",
            ["topic", "resembles"],
        )
        self.misnamed_fields = counter(
            "projector_misnamed_fields",
            "Events that were read without this field, as it stands under another name (isActive for is_active).",
            ["topic", "field"],
        )
        self.rejected_ratio = gauge(
            "projector_rejected_ratio",
            "Part of the last FUSE_MIN_RECORDS records of a topic that was rejected, 0 to 1. Records rejected "
            "before do not count.",
            ["topic"],
        )
        self.released = counter(
            "projector_parked_released",
            "Events and states that no longer wait, by what became of them: applied, superseded, rejected.",
            ["outcome"],
        )
        self.freshness = BatchHistogram(
            "projector_event_freshness_seconds",
            "From a record's timestamp (or from reading it, where that is unknown) to the commit that applied it.",
            FRESHNESS_BUCKETS,
            self.registry,
        )
        self.position = gauge(
            "projector_position", "Offset of the next record to be applied, as committed.", ["topic", "partition"]
        )
        self.lag = gauge(
            "projector_consumer_lag",
            "Records between the position and the last stable offset; 0 when caught up.",
            ["topic", "partition"],
        )
        self.lag_seconds = gauge(
            "projector_consumer_lag_seconds",
            "Age of the oldest record that is read but not committed; 0 when caught up. By its timestamp, or since it "
            "came next where that is unknown or in the future.",
            ["topic", "partition"],
        )
        self.open_records = gauge(
            "projector_open_transaction_records",
            "Records that wait behind an open transaction of a publisher: from the last stable offset to the high "
            "watermark; only where there are any.",
            ["topic", "partition"],
        )
        self.open_seconds = gauge(
            "projector_open_transaction_seconds",
            "For how long the last stable offset of such a partition has not moved.",
            ["topic", "partition"],
        )
        self.batch_events = histogram(
            "projector_batch_events",
            "Records in a transaction.",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000),
        )
        self.batch_seconds = histogram(
            "projector_batch_seconds",
            "Time of a batch by stage: collect (first record to hand-over), write (transaction, with retries).",
            ["stage"],
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60),
        )
        self.batches = counter("projector_batches", "Batches by what closed them: count, bytes, age.", ["trigger"])
        self.retries = counter(
            "projector_retries", "Failed tries that are made again (consumer/recovery/table.py, TROUBLES).", ["reason"]
        )
        self.fenced = counter(
            "projector_fenced",
            "Transactions that changed nothing, because a position was moved or its epoch raised: by another instance, "
            "a stop, a reset, or a database that was put back.",
        )
        self.rebalances = counter("projector_rebalances", "Times that partitions of this instance were revoked.")
        self.partition_stopped = gauge(
            "projector_partition_stopped",
            "1 for a partition that is not read until an operator decides: position_not_in_topic, topic_changed, "
            "unreadable.",
            ["topic", "partition", "reason"],
        )
        self.partition_unread = gauge(
            "projector_partition_unread",
            "1 for a partition that is not read: no_member (nobody in the group has it), no_leader, no_answer (to this "
            "instance).",
            ["topic", "partition", "reason"],
        )
        self.topic_missing = gauge(
            "projector_topic_missing", "1 for a topic of the settings that does not exist any more.", ["topic"]
        )
        self.intake_stopped = gauge(
            "projector_intake_stopped",
            "1 while this instance reads nothing of a topic: paused, fuse.",
            ["topic", "reason"],
        )
        self.parked = gauge(
            "projector_parked_events",
            "What waits in the database: for a parent (a document before its user), for versions (a partial event), "
            "for a unique value (contested), for an operator (the database refused it when its turn came).",
            ["waiting_for"],
        )
        self.oldest_parked = gauge(
            "projector_oldest_parked_seconds",
            "How long the oldest of these has waited; 0 where nothing waits.",
            ["waiting_for"],
        )
        self.hidden = gauge("projector_hidden_documents", "Documents of deleted users, kept aside.")
        self.dead_letters = gauge(
            "projector_dead_letters",
            "Dead letters with the status new, by reason (projections/contract/outcome.py).",
            ["reason"],
        )
        self.members = gauge(
            "projector_group_members", "Members of the consumer group, by the coordinator's last word to this instance."
        )
        self.hints_stale = gauge(
            "projector_hints_stale_seconds",
            "For how long Kafka has not taken the group's offsets, which lag tools read; 0 when it has.",
        )
        self.healthy = gauge(
            "projector_healthy", "1 while a check of /health/ready passes, 0 while it fails.", ["check"]
        )
        self.db_up = gauge("projector_db_up", "1 when the last use of the database succeeded.")
        self.kafka_up = gauge("projector_kafka_up", "1 while Kafka answers this instance.")
        self.kafka_answer = gauge(
            "projector_kafka_last_answer_timestamp_seconds", "When Kafka last answered, Unix time."
        )
        self.kafka_clients = counter(
            "projector_kafka_clients_renewed",
            "Kafka clients that got no answer from any broker and were replaced, starting from the bootstrap list.",
        )
        self.last_commit = gauge(
            "projector_last_commit_timestamp_seconds", "When the last transaction was committed, Unix time."
        )
        self.build_info = gauge(
            "projector_build_info", "1, with what is running, and its consumer group.", ["version", "revision", "group"]
        )
        ProcessCollector(registry=self.registry)
        self.pool_in_use = gauge("projector_db_pool_in_use", "Database connections in use.")
        self.pool_idle = gauge("projector_db_pool_idle", "Database connections open and idle.")
        for waiting_for in ("parent", "version", "unique", "operator"):
            self.parked.labels(waiting_for)
        for check in CHECKS:
            self.healthy.labels(check)
        for topic in topics:
            for outcome in TOTALS:
                self.events.labels(topic, outcome)
            for reason in INTAKE_STOPS:
                self.intake_stopped.labels(topic, reason)
