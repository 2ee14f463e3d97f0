"""All that the page shows, as one JSON document: from memory, with the time that each part is of."""

from typing import Any

from aiokafka import TopicPartition

from neon_projector.consumer.settings import Settings
from neon_projector.consumer.telemetry.backlog import WAITS
from neon_projector.consumer.telemetry.page.about import changed_settings
from neon_projector.consumer.telemetry.page.failing import findings
from neon_projector.consumer.telemetry.page.sampler import Sampler
from neon_projector.consumer.telemetry.page.verdict import verdict
from neon_projector.consumer.telemetry.state import CHECKS, ServiceState
from neon_projector.consumer.version import revision, version

Json = dict[str, Any]

WAITS_FOR = {
    "parent": "its parent",
    "version": "the versions before",
    "contested": "a unique value",
    "refused": "an operator",
    "hidden": "its deleted parent",
}


class View:
    """What an instance shows. Times are Unix times, ages and durations seconds, both floats."""

    def __init__(self, state: ServiceState, sampler: Sampler, settings: Settings) -> None:
        self._state, self._sampler, self._settings = state, sampler, settings
        self._about = {
            "version": version(),
            "revision": revision(),
            "group": settings.kafka_group_id,
            "settings": changed_settings(settings),
        }

    def of(self, now: float) -> Json:
        """`now`, `loop_age` (since when state is as it is), `verdict`, `findings`, `checks` (name: whether it passes),
        `figures`, `partitions`, `waiting`, `letters`, `counted_at`, `members`, `members_at`, `about`."""
        state, limit = self._state, self._settings.ready_max_lag_seconds
        found, fresh, rates = findings(state, limit, now), self._sampler.freshness(), self._sampler.rates()
        line = verdict(state, found, fresh, sum(rates.values()), now)
        failed, waits = state.ready_checks(limit), state.waits
        return {
            "now": now,
            "loop_age": state.beat_age,
            "verdict": line._asdict(),
            "findings": [one._asdict() for one in found],
            "checks": {name: name not in failed for name in CHECKS},
            "figures": {**fresh._asdict(), **rates, **self._backlog()},
            "partitions": self._partitions(),
            "waiting": [
                {"for": WAITS_FOR[name], "number": number, "age": waits.get(name, 0.0)}
                for name in WAITS
                if (number := state.waiting.get(name, 0))
            ],
            "letters": dict(sorted(state.letters.items(), key=lambda item: (-item[1], item[0]))),
            "counted_at": state.counted_at,
            "members": [
                {"name": m.name, "host": m.host, "this": m.is_this_one, "partitions": len(m.partitions)}
                for m in state.members
            ],
            "members_at": state.members_at,
            "about": {**self._about, "started_at": state.started_at, "kafka_answered_at": state.kafka_answered_at},
        }

    def _backlog(self) -> Json:
        state = self._state
        known = state.known_lag
        counted = state.counted_at is not None
        return {
            "lag": known,
            "oldest": None if known is None else max(state.lag_seconds.values(), default=0.0),
            "waiting": sum(state.waiting.get(name, 0) for name in WAITS if name != "hidden") if counted else None,
            "letters": sum(state.letters.values()) if counted else None,
            "last_commit_at": state.last_commit_at,
        }

    def _partitions(self) -> list[Json]:
        state = self._state
        others = {p: m for m in state.members if not m.is_this_one for p in m.partitions}
        ours = {*state.positions, *state.lag, *state.stopped_partitions}
        return [self._partition(p, others[p].host if p in others and p not in ours else None) for p in sorted(
            ours | others.keys() | state.unread.keys()
        )]  # fmt: skip

    def _partition(self, partition: TopicPartition, other: str | None) -> Json:
        state = self._state
        ours = other is None and partition in state.positions
        return {
            "topic": partition.topic,
            "partition": partition.partition,
            "position": state.positions.get(partition),
            "lag": state.lag.get(partition),
            "age": state.lag_seconds.get(partition),
            "by": "here" if ours else other,
            "stopped": state.stopped_partitions.get(partition) or state.unread.get(partition),
        }
