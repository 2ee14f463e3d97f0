"""Keeps metrics and state true about Kafka: does it answer, take hints, have our topics; is each partition read?"""

from neon_projector.consumer.kafka.committer import Committer
from neon_projector.consumer.kafka.topic_watch import TopicWatch
from neon_projector.consumer.kafka.watch import Watch
from neon_projector.consumer.telemetry.metrics import Metrics
from neon_projector.consumer.telemetry.state import ServiceState


class KafkaGauges:
    """Takes over what the watches have found."""

    def __init__(
        self, watch: Watch, topics: TopicWatch, committer: Committer, metrics: Metrics, state: ServiceState
    ) -> None:
        self._watch, self._topics, self._committer = watch, topics, committer
        self._metrics, self._state = metrics, state
        self.topics = topics.topics
        self._failures_seen = 0
        self._renewals_seen = 0

    def look(self) -> None:
        """Take over what is so now."""
        metrics, state, watch = self._metrics, self._state, self._watch
        state.kafka_silent = watch.trouble
        state.kafka_answered_at = watch.answered_at or None
        metrics.kafka_up.set(state.kafka_trouble is None and watch.trouble is None and watch.answered_at > 0)
        metrics.kafka_answer.set(watch.answered_at)
        if (
            failures := watch.failures - self._failures_seen
        ):  # the series is there from the first one on, as of all reasons
            metrics.retries.labels("kafka").inc(failures)
        metrics.hints_stale.set(self._committer.stale_seconds)
        metrics.kafka_clients.inc(watch.renewals - self._renewals_seen)
        self._failures_seen, self._renewals_seen = watch.failures, watch.renewals
        for topic in self._topics.topics:
            metrics.topic_missing.labels(topic).set(topic in self._topics.missing)
        state.missing_topics = self._topics.missing
        state.members, state.members_at = self._topics.members, self._topics.members_at
        metrics.members.set(len(state.members))
        self._unread()

    def _unread(self) -> None:
        metrics, state, unread = self._metrics, self._state, self._topics.unread
        for (topic, number), reason in state.unread.items() - unread.items():
            metrics.partition_unread.remove(topic, str(number), reason)
        for (topic, number), reason in unread.items():
            metrics.partition_unread.labels(topic, str(number), reason).set(1)
        state.unread = unread
