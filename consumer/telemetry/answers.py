"""Whether the database and Kafka answer: told by those who ask, kept in log, metrics and state."""

import logging

from neon_projector.consumer.batch import Batch
from neon_projector.consumer.errors import Conflict, TransientError
from neon_projector.consumer.logs.changes import Changes
from neon_projector.consumer.telemetry.metrics import Metrics
from neon_projector.consumer.telemetry.state import ServiceState
from neon_projector.consumer.telemetry.tracing.none import CURRENT

log = logging.getLogger(__name__)


class DatabaseAnswers:
    """Listens to those who ask the database, and to those who write batches into it."""

    def __init__(self, metrics: Metrics, state: ServiceState) -> None:
        self._metrics, self._state = metrics, state

    def answered(self) -> None:
        """The database answers."""
        self._metrics.db_up.set(1)
        self._state.trouble = None

    def troubled(self, trouble: TransientError, *, again: bool) -> None:
        """The database has failed us, and will be asked again."""
        level = logging.DEBUG if isinstance(trouble, Conflict) else logging.INFO
        log.log(level, "the database does not take it now; trying again", extra={"error": str(trouble)})
        self._metrics.retries.labels(trouble.reason).inc()
        CURRENT.get().retried(trouble.reason)
        if not isinstance(trouble, Conflict):  # then it answers, and is about to take it
            self._metrics.db_up.set(0)
            self._state.trouble = str(trouble)

    def lasts(self, batch: Batch, conflict: Conflict) -> None:
        """A batch meets conflicts again and again. Others may be written meanwhile: this one is not."""
        if id(batch) not in self._state.conflicts:
            log.warning("a batch can't be written, conflict after conflict", extra={"error": str(conflict)})
        self._state.conflicts[id(batch)] = str(conflict)

    def written(self, batch: Batch) -> None:
        """A batch is written, or given up."""
        self._state.conflicts.pop(id(batch), None)


class KafkaAnswers:
    """Listens to those who ask Kafka."""

    def __init__(self, metrics: Metrics, state: ServiceState) -> None:
        self._metrics, self._state = metrics, state
        self._changes = Changes()

    def answered(self) -> None:
        """Kafka answers."""
        self._state.kafka_trouble = None

    def troubled(self, trouble: TransientError, *, again: bool) -> None:
        """Kafka does not answer; the first time is worth a line in the log, and so is another kind of error later."""
        if not again:
            self._changes.over()
        level = logging.WARNING if self._changes.is_news(str(trouble)) else logging.DEBUG
        log.log(level, "Kafka does not answer; trying again", extra={"error": str(trouble)})
        self._metrics.retries.labels(trouble.reason).inc()
        self._state.kafka_trouble = str(trouble)
