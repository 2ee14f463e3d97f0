"""What the dashboard shows, from top to bottom. `monitoring/grafana/build.py` makes Grafana's JSON of it.

In a query, SELF stands for the job and the instances that are chosen above the dashboard, JOB for the job alone, and
RATE for a range that fits the zoom.
"""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["stat", "timeseries", "state-timeline", "table", "heatmap"]
Colours = tuple[tuple[float | None, str], ...]

GOOD_IF_LOW: Colours = ((None, "green"), (1, "red"))
GOOD_IF_HIGH: Colours = ((None, "red"), (1, "green"))
ALARM = {1: ("pending", "orange"), 2: ("firing", "red")}
PASSES = {0: ("fails", "red"), 1: ("passes", "green")}
STOPPED = {0: ("runs", "green"), 1: ("stopped", "red")}
NEWEST = (
    "and on (instance) (projector_last_commit_timestamp_seconds{SELF} == "
    "on () group_left () max(projector_last_commit_timestamp_seconds{SELF}))"
)
"""Each instance counts tables after its own commits: the one that committed last knows best."""


@dataclass(frozen=True)
class Panel:
    """One panel. `queries` has PromQL by legend; of 24 columns it takes `width`."""

    title: str
    says: str
    queries: dict[str, str]
    unit: str = "short"
    kind: Kind = "timeseries"
    width: int = 8
    colours: Colours = ((None, "green"),)
    words: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Of a value: what is shown instead, and its colour."""
    stacked: bool = False
    lines: bool = False
    """Whether `colours` above the first are shown as lines that must not be crossed."""


def freshness(part: str) -> str:
    return f"histogram_quantile({part}, sum by (le) (rate(projector_event_freshness_seconds_bucket{{SELF}}[RATE])))"


def in_time(window: str) -> str:
    good = f'sum(increase(projector_event_freshness_seconds_bucket{{SELF, le="5.0"}}[{window}]))'
    return f"{good} / sum(increase(projector_event_freshness_seconds_count{{SELF}}[{window}]))"


def batches(part: str, metric: str, by: str = "le") -> str:
    return f"histogram_quantile({part}, sum by ({by}) (rate({metric}_bucket{{SELF}}[RATE])))"


ROWS: dict[str, list[Panel]] = {
    "Is it well?": [
        Panel("Alerts that fire", "How many alerts fire now, of severity page or ticket. Each has a section in "
              "docs/runbook.md.",
              {"firing": 'count(ALERTS{JOB, alertstate="firing", severity!="none"}) or vector(0)'},
              "none", "stat", 4, GOOD_IF_LOW),
        Panel("Instances", "How many instances Prometheus can scrape.", {"up": "sum(up{SELF})"},
              "none", "stat", 4, GOOD_IF_HIGH),
        Panel("Behind", "Age of the oldest record that is read, but not committed. 0: caught up.",
              {"behind": "max(projector_consumer_lag_seconds{SELF})"}, "s", "stat", 4, ((None, "green"), (60, "red"))),
        Panel("Records not applied", "Records between the positions and the ends of the topics.",
              {"records": "sum(max by (topic, partition) (projector_consumer_lag{SELF}))"}, "short", "stat", 4),
        Panel("In time", "Which part of the events of the range that is shown was applied within 5 seconds. The "
              "objective is 99 %.",
              {"in time": in_time("$__range")}, "percentunit", "stat", 4, ((None, "red"), (0.99, "green"))),
        Panel("Budget left, 30 days", "1 % of the events of 30 days may be late. What is left of that; below 0 the "
              "objective is missed.",
              {"left": f"1 - (1 - {in_time('30d')}) / 0.01"},
              "percentunit", "stat", 4, ((None, "red"), (0, "orange"), (0.25, "green"))),
        Panel("Alerts", "What was pending or fired, and when.",
              {"{{alertname}} {{topic}} ({{severity}})":
               'max by (alertname, severity, topic) (2 * ALERTS{JOB, alertstate="firing"} or '
               'ALERTS{JOB, alertstate="pending"})'},
              "none", "state-timeline", 12, words=ALARM),
        Panel("Checks of readiness", "Fails where the check fails on any instance. /health/ready says what is wrong.",
              {"{{check}}": "min by (check) (projector_healthy{SELF})"}, "none", "state-timeline", 12, words=PASSES),
    ],
    "Freshness": [
        Panel("From publishing to commit", "How long it takes from a record's timestamp to the commit that applies it. "
              "The red line is the objective for 99 % of them.",
              {"half of them within": freshness("0.5"), "99 % within": freshness("0.99")},
              "s", colours=((None, "green"), (5, "red")), lines=True),
        Panel("How fast the budget is used up", "1: in exactly 30 days. FreshnessSlow fires above 14.4 over 1 hour, or "
              "above 6 over 6 hours. For the whole job.",
              {f"over {window}": f"job:projector_freshness_slow:ratio_rate{window}{{JOB}} / 0.01"
               for window in ("5m", "1h", "6h")},
              "short", colours=((None, "green"), (6, "orange"), (14.4, "red")), lines=True),
        Panel("All times to commit", "How many events took how long. A backlog that is worked off is a falling line.",
              {"{{le}}": "sum by (le) (increase(projector_event_freshness_seconds_bucket{SELF}[RATE]))"},
              "s", "heatmap"),
    ],
    "Records": [
        Panel("By what became of them", "Records per second, at their first commit.",
              {"{{outcome}}": "sum by (outcome) (rate(projector_events_total{SELF}[RATE]))"}, "cps", stacked=True),
        Panel("By topic", "Records per second, at their first commit.",
              {"{{topic}}": "sum by (topic) (rate(projector_events_total{SELF}[RATE]))"}, "cps", stacked=True),
        Panel("Part that is rejected", "Of the last 1,000 records of each topic (FUSE_MIN_RECORDS). From the red line "
              "on the fuse stops the topic (FUSE_RATIO).",
              {"{{topic}}": "max by (topic) (projector_rejected_ratio{SELF})"},
              "percentunit", colours=((None, "green"), (0.9, "red")), lines=True),
        Panel("Rejected, by reason", "Each is kept as a dead letter.",
              {"{{topic}}: {{reason}}": "sum by (topic, reason) (rate(projector_rejections_total{SELF}[RATE]))"},
              "cps", stacked=True),
        Panel("Ignored because of their type", "`none`: the type is for others. Anything else: a publisher probably "
              "meant that type.",
              {"{{topic}}: {{resembles}}":
               "sum by (topic, resembles) (rate(projector_unknown_types_total{SELF}[RATE]))"}, "cps"),
        Panel("Fields under a wrong name", "Events that were read without this field.",
              {"{{topic}}: {{field}}": "sum by (topic, field) (rate(projector_misnamed_fields_total{SELF}[RATE]))"},
              "cps"),
    ],
    "Partitions": [
        Panel("Records not applied, by topic", "From the positions to the ends of the topics.",
              {"{{topic}}": "sum by (topic) (max by (topic, partition) (projector_consumer_lag{SELF}))"},
              width=6, stacked=True),
        Panel("Behind, by topic", "Age of the oldest record that is read, but not committed.",
              {"{{topic}}": "max by (topic) (projector_consumer_lag_seconds{SELF})"}, "s", width=6),
        Panel("Behind a publisher's open transaction", "Records that nobody can read until the transaction ends.",
              {"{{topic}}:{{partition}}":
               "max by (topic, partition) (projector_open_transaction_records{SELF})"}, width=6),
        Panel("How long it has been open", "For how long no record behind that transaction could be read.",
              {"{{topic}}:{{partition}}":
               "max by (topic, partition) (projector_open_transaction_seconds{SELF})"}, "s", width=6),
        Panel("Each partition", "Position, records not applied and seconds behind, now.",
              {"position": "max by (topic, partition) (projector_position{SELF})",
               "not applied": "max by (topic, partition) (projector_consumer_lag{SELF})",
               "seconds behind": "max by (topic, partition) (projector_consumer_lag_seconds{SELF})"},
              "short", "table", 12),
        Panel("Stopped", "Partitions that wait for an operator or that nobody reads, topics that are gone, and topics "
              "whose intake is stopped.",
              {"{{topic}}:{{partition}} {{reason}}":
               "max by (topic, partition, reason) (projector_partition_stopped{SELF} or "
               "projector_partition_unread{SELF})",
               "{{topic}} is gone": "max by (topic) (projector_topic_missing{SELF})",
               "{{topic}} {{reason}}": "max by (topic, reason) (projector_intake_stopped{SELF})"},
              "none", "state-timeline", 12, words=STOPPED),
    ],
    "What waits, and dead letters": [
        Panel("What waits", "In the database: for a parent, a version, a unique value, or an operator.",
              {"{{waiting_for}}": f"max by (waiting_for) (projector_parked_events{{SELF}} {NEWEST})"}, stacked=True),
        Panel("How long the oldest has waited", "ParkedTooOld fires after a day.",
              {"{{waiting_for}}": f"max by (waiting_for) (projector_oldest_parked_seconds{{SELF}} {NEWEST})"},
              "s", colours=((None, "green"), (86400, "red")), lines=True),
        Panel("What waits no longer", "By what became of it.",
              {"{{outcome}}": "sum by (outcome) (rate(projector_parked_released_total{SELF}[RATE]))"}, "cps"),
        Panel("Dead letters", "Of status new: nobody has decided about them yet.",
              {"{{reason}}": f"max by (reason) (projector_dead_letters{{SELF}} {NEWEST})"}, width=12, stacked=True),
        Panel("Hidden documents", "Documents of deleted users.",
              {"hidden": f"max(projector_hidden_documents{{SELF}} {NEWEST})"}, width=12),
    ],
    "Database": [
        Panel("Transactions, by what closed the batch", "count or bytes: the batch was full, so there was a backlog. "
              "age: BATCH_MAX_WAIT_MS had passed.",
              {"{{trigger}}": "sum by (trigger) (rate(projector_batches_total{SELF}[RATE]))"}, "cps", stacked=True),
        Panel("Records in a transaction", "Half of the transactions, and 99 % of them, have at most so many.",
              {"half of them": batches("0.5", "projector_batch_events"),
               "99 %": batches("0.99", "projector_batch_events")}),
        Panel("Time of a batch", "collect: from its first record to its hand-over. write: its transaction, with "
              "retries. 99 % took at most so long.",
              {"{{stage}}": batches("0.99", "projector_batch_seconds", "le, stage")}, "s"),
        Panel("Tries that failed", "They are made again. connection: no answer. conflict: another program holds locks.",
              {"{{reason}}": "sum by (reason) (rate(projector_retries_total{SELF}[RATE]))"}, "cps", stacked=True),
        Panel("Connections to the database", "Of all instances.",
              {"in use": "sum(projector_db_pool_in_use{SELF})", "idle": "sum(projector_db_pool_idle{SELF})"},
              stacked=True),
        Panel("Database and Kafka answer", "As the instances see it.",
              {"database, {{instance}}": "projector_db_up{SELF}", "Kafka, {{instance}}": "projector_kafka_up{SELF}"},
              "none", "state-timeline", words=PASSES),
    ],
    "Members of the group": [
        Panel("Partitions, by instance", "Who reads how many.",
              {"{{instance}}": "count by (instance) (projector_position{SELF})"}, stacked=True),
        Panel("Unrest, per minute", "A deploy takes partitions away, and may fence transactions. All the time it is "
              "trouble. Kafka clients are replaced when they hear no broker any more.",
              {"partitions taken away": "60 * sum(rate(projector_rebalances_total{SELF}[RATE]))",
               "transactions fenced": "60 * sum(rate(projector_fenced_total{SELF}[RATE]))",
               "Kafka clients replaced": "60 * sum(rate(projector_kafka_clients_renewed_total{SELF}[RATE]))"}, "cpm"),
        Panel("Offsets that Kafka does not take", "For how long. Tools that read the lag from Kafka see old numbers.",
              {"{{instance}}": "projector_hints_stale_seconds{SELF}"}, "s"),
        Panel("Members of the group", "As the coordinator told each instance last. A deploy changes it for a moment.",
              {"{{instance}}": "projector_group_members{SELF}"}),
        Panel("Since Kafka's last answer", "How long ago Kafka answered the instance.",
              {"{{instance}}": "time() - projector_kafka_last_answer_timestamp_seconds{SELF}"}, "s"),
        Panel("Versions", "What runs where, and in which group.",
              {"{{instance}}": "max by (instance, version, revision, group) (projector_build_info{SELF})"},
              "none", "table"),
    ],
    "Process": [
        Panel("CPU", "1: a whole core.", {"{{instance}}": "rate(process_cpu_seconds_total{SELF}[RATE])"}),
        Panel("Memory", "What is resident.", {"{{instance}}": "process_resident_memory_bytes{SELF}"}, "bytes"),
        Panel("Uptime", "Since the instance was started.",
              {"{{instance}}": "time() - process_start_time_seconds{SELF}"}, "s"),
    ],
}  # fmt: skip
"""The rows of the dashboard: panels by heading."""
