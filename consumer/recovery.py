"""One closed table from a driver's or broker's error to what is done about it, at one boundary."""

import asyncio
import random
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import aiokafka.errors
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from consumer.constraints import is_ours
from consumer.errors import BadData, Conflict, Halt, ProjectorError, SchemaMissing, Trouble

TROUBLES = ("connection", "starting", "conflict", "limit", "timeout", "neon", "kafka")
"""All reasons that `projector_retries_total` counts."""

BY_SQLSTATE: dict[str, tuple[type[ProjectorError], str]] = {
    # what no waiting mends
    "28": (Halt, "the database refuses the user or password"),
    "3D": (Halt, "the database does not exist"),
    "42P01": (SchemaMissing, ""),
    "3F": (SchemaMissing, ""),
    "42703": (SchemaMissing, ""),
    "42501": (Halt, "the database user may not do this"),
    # trouble that passes
    "08": (Trouble, "connection"),
    "57P": (Trouble, "starting"),
    "57014": (Trouble, "timeout"),
    "58": (Trouble, "connection"),
    "53100": (Halt, "the database's disk is full, or its size limit is reached"),
    "53": (Trouble, "limit"),
    "55P03": (Trouble, "timeout"),
    "55": (Trouble, "starting"),
    "40": (Conflict, "conflict"),
    "25P": (Trouble, "timeout"),
    "25006": (Trouble, "starting"),
    # an address or an owner that another transaction took: decided anew, never bad data
    "23503": (Conflict, "conflict"),
    "23505": (Conflict, "conflict"),
    # what the database alone can refuse
    "22": (BadData, ""),
    "23": (BadData, ""),
    "54": (BadData, ""),
}
"""By SQLSTATE or its beginning, the longest match first (PostgreSQL manual, appendix A)."""

NEON_PASSING = (
    "couldn't connect to compute",
    "control plane request failed",
    "too many connections",
    "acquire permit",
)
NEON_HALTING = (
    "endpoint is disabled",
    "endpoint has been disabled",
    "endpoint cannot be found",
    "endpoint could not be found",
    "quota",
    "not allowed to connect",
)

FIRST_DELAY_SECONDS = 0.05
LONGEST_DELAY_SECONDS = 5.0


@contextmanager
def translated() -> Iterator[None]:
    """Within, errors of the database's driver come out as our own; what is of no known kind comes out as it is."""
    try:
        yield
    except DBAPIError as error:
        known = from_sqlstate(_sqlstate(error), str(error.orig))
        if isinstance(known, Conflict) and not is_ours(_constraint(error)):
            known = BadData("a constraint that is not this service's own")
        if known is None and (error.connection_invalidated or isinstance(error, InterfaceError)):
            known = Trouble(reason="connection")
        if known is None:  # its text may quote an event: only its kind is told
            known = Halt(f"an error of no known kind: {type(error).__name__}, SQLSTATE {_sqlstate(error)}")
        raise known from None
    except (PoolTimeout, TimeoutError) as error:
        raise Trouble("no answer in time", "timeout") from error
    except ssl.SSLCertVerificationError as error:
        raise Halt(f"the database's certificate is not trusted: {error.verify_message}") from error
    except OSError as error:
        raise Trouble(error.strerror or type(error).__name__, "connection") from error


def _constraint(error: DBAPIError) -> str | None:
    """The name of the violated constraint; None where the error is none of that."""
    return getattr(error.orig.__cause__, "constraint_name", None) if error.orig is not None else None


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def from_sqlstate(state: str | None, message: str) -> ProjectorError | None:
    """Our error for an SQLSTATE; None where it is of no known kind. `message` tells Neon's proxy's errors apart."""
    if state is None:
        return None
    lowered = message.lower()
    if state in ("XX000", "08P01"):
        if any(part in lowered for part in NEON_HALTING):
            return Halt("Neon refuses the connection: the endpoint is disabled or unknown, or a quota is spent")
        if any(part in lowered for part in NEON_PASSING):
            return Trouble(f"SQLSTATE {state}", "neon")
    for length in (5, 3, 2):
        if (found := BY_SQLSTATE.get(state[:length])) is not None:
            kind, word = found
            if issubclass(kind, Trouble):
                return kind(f"SQLSTATE {state}", word)
            return kind(word or f"SQLSTATE {state}") if kind is not SchemaMissing else kind()
    return None


KAFKA_HALTING = (
    aiokafka.errors.TopicAuthorizationFailedError,
    aiokafka.errors.GroupAuthorizationFailedError,
    aiokafka.errors.ClusterAuthorizationFailedError,
    aiokafka.errors.AuthenticationFailedError,
    aiokafka.errors.UnsupportedSaslMechanismError,
    aiokafka.errors.InvalidTopicError,
)


KAFKA_LOST = (aiokafka.errors.KafkaConnectionError, aiokafka.errors.KafkaTimeoutError, OSError, TimeoutError)


@contextmanager
def kafka_translated() -> Iterator[None]:
    """Within, errors of the Kafka client come out as our own; those of no known kind as they are."""
    try:
        yield
    except KAFKA_HALTING as error:
        raise Halt(f"Kafka refuses: {type(error).__name__}") from error
    except (aiokafka.errors.KafkaError, OSError, TimeoutError) as error:
        lost = isinstance(error, KAFKA_LOST)
        if not (lost or getattr(error, "retriable", False)):
            raise
        raise Trouble(type(error).__name__, "kafka") from error


class Backoff:
    """Growing pauses with full jitter (tenths of a second to a few seconds); `reset` after a success."""

    def __init__(self) -> None:
        self._attempt = 0

    def reset(self) -> None:
        self._attempt = 0

    async def pause(self) -> None:
        longest = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2**self._attempt)
        self._attempt += 1
        await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311  jitter, not a secret
