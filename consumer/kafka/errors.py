"""The one boundary where errors of the Kafka client become the service's own."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import aiokafka.errors

from neon_projector.consumer.errors import FatalError, TransientError
from neon_projector.consumer.kafka.static_member import InstanceFenced

KAFKA_HALTING = (
    aiokafka.errors.TopicAuthorizationFailedError,
    aiokafka.errors.GroupAuthorizationFailedError,
    aiokafka.errors.ClusterAuthorizationFailedError,
    aiokafka.errors.AuthenticationFailedError,
    aiokafka.errors.SaslAuthenticationFailed,
    aiokafka.errors.UnsupportedSaslMechanismError,
    aiokafka.errors.InvalidTopicError,
)
"""Retrying cannot fix these."""

WRONG_LOGIN = "Kafka refuses the user or password: KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD"
WRONG_MECHANISM = "Kafka does not support this way to log in: KAFKA_SASL_MECHANISM"
SAID = {
    aiokafka.errors.AuthenticationFailedError: WRONG_LOGIN,
    aiokafka.errors.SaslAuthenticationFailed: WRONG_LOGIN,
    aiokafka.errors.UnsupportedSaslMechanismError: WRONG_MECHANISM,
}
"""Which setting is wrong, where that is known."""

KAFKA_LOST = (aiokafka.errors.KafkaConnectionError, aiokafka.errors.KafkaTimeoutError, OSError, TimeoutError)
"""Waited out, although the client library does not call all of them retriable."""


@contextmanager
def kafka_translated() -> Iterator[None]:
    """Within, errors of the Kafka client come out as our own; those of no known kind as they are."""
    try:
        yield
    except InstanceFenced:
        raise FatalError(
            "another instance has joined the group with the same KAFKA_GROUP_INSTANCE_ID and taken this one's place; "
            "give each instance its own"
        ) from None
    except KAFKA_HALTING as error:
        raise FatalError(SAID.get(type(error), f"Kafka refuses: {type(error).__name__}")) from error
    except (aiokafka.errors.KafkaError, OSError, TimeoutError) as error:
        lost = isinstance(error, KAFKA_LOST)
        if not (lost or getattr(error, "retriable", False)):
            raise
        raise TransientError(_sign(error), "kafka") from error


def _sign(error: Exception) -> str:
    """What people read of an error: never its own text, which may name hosts; for what they meet most, plain words."""
    if isinstance(error, aiokafka.errors.KafkaConnectionError):
        return "no broker can be reached"
    if isinstance(error, (aiokafka.errors.KafkaTimeoutError, TimeoutError)):
        return "no answer in time"
    number = getattr(error, "errno", None)
    return os.strerror(number) if isinstance(error, OSError) and number else type(error).__name__
