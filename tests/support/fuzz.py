"""Records as Kafka can hold them, from a seed: good events, good ones with something spoilt, and bytes of any kind."""

import json
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from uuid import UUID

from tests.support.factories import a_binary_record, a_document_event, a_record, a_user_event
from tests.support.raw_kafka import RawRecord, raw

SECRET = "hunter-2-of-the-fuzz"
WEIRD: list[Any] = [
    None, True, 0, -1, 1.5, 2**63 - 1, 2**63, 2**64, 10**400, float("inf"), float("nan"), "", "x", "\0", "\ud800",
    "\x1b[2J", "\u202e", "x" * 5_000, "ä" * 300, [], {}, [[]], {"a": {"b": []}}, "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z", "a@b.example", "password", str(UUID(int=0)),
]  # fmt: skip
DEEP = "@DEEP@"
HEADERS = [
    b"content-type", b"Content-Type", b"ce_id", b"ce_type", b"ce_source", b"ce_specversion", b"ce_time", b"trace", b"",
    b"caf\xe9", b"\xff", b"\xed\xa0\x80", b"\0", b"x" * 3_000, "naïve".encode(), b"password", b"\x1b]0;x\x07",
]  # fmt: skip
HEADER_VALUES = [
    None, b"", b"1", b"application/json", b"application/cloudevents+json", b"application/cloudevents+avro", b"\xff\xfe",
    b"a\0b", b"user.created", b"1.0", b"{", b"x" * 40_000, b"\xed\xa0\x80",
]  # fmt: skip


class Fuzz:
    """`good` are ids of users and documents whose rows must be there in the end."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self.good: dict[str, list[UUID]] = {"users": [], "documents": []}

    def batch(self) -> list[RawRecord]:
        """Some records; more than half of them are good."""
        return [self._record() for _ in range(self._rng.randint(1, 30))]

    @property
    def codec(self) -> int:
        """Of a batch: none, or gzip."""
        return self._rng.choice((0, 0, 1))

    @property
    def partition(self) -> int:
        return self._rng.randrange(2)

    def _record(self) -> RawRecord:
        kinds: tuple[tuple[Callable[[], RawRecord], int], ...] = (
            (self._good, 55),
            (self._with_weird_fields, 15),
            (self._with_spoilt_bytes, 15),
            (self._with_weird_headers, 8),
            (self._bytes, 6),
            (self._huge, 1),
        )
        makers, weights = zip(*kinds, strict=True)
        (make,) = self._rng.choices(makers, weights)
        made: RawRecord = make()
        return made._replace(timestamp=self._rng.choice((-1, 0, 1, 10**12))) if self._rng.random() < 0.02 else made

    def _id(self) -> UUID:
        return UUID(int=self._rng.getrandbits(128), version=4)

    def _event(self, good: bool = False) -> dict[str, Any]:
        users, id_ = self.good["users"], self._id()
        if users and self._rng.random() < 0.4:
            event = a_document_event(id=id_, owner=self._rng.choice(users), content=self._rng.choice(["x", None, "é"]))
            topic = "documents"
        else:
            event, topic = a_user_event(id=id_, name=self._rng.choice(["Ada", "Grüße", "x" * 100])), "users"
        if good:
            self.good[topic].append(id_)
        return event

    def _any_event(self) -> dict[str, Any]:
        """Of any kind, about an entity of its own: it is applied, waits, or is rejected."""
        rng, id_ = self._rng, self._id()
        kinds = (
            self._event,
            lambda: a_user_event(rng.choice(("updated", "deleted")), id_, rng.randint(1, 9), name="Eve"),
            lambda: a_document_event(rng.choice(("updated", "deleted")), id_, rng.randint(1, 9), title="Other"),
            lambda: a_document_event(id=id_),
        )
        event: dict[str, Any] = rng.choice(kinds)()
        return event | {"id": rng.choice((event["id"], "e" * 9_000)), "source": rng.choice(("/a", "\u202e/b" * 999))}

    def _good(self) -> RawRecord:
        event = self._event(good=True)
        return raw((a_binary_record if self._rng.random() < 0.3 else a_record)(event))

    def _with_weird_fields(self) -> RawRecord:
        event, rng = self._any_event(), self._rng
        for _ in range(rng.randint(1, 3)):
            place = rng.choice((event, event["data"]))
            if not isinstance(place, dict):
                break
            name = rng.choice([*place, "unknown", "subject", "data_base64", "datacontenttype"])
            place[name] = deepcopy(rng.choice([*WEIRD, DEEP]))  # else one may come to stand in itself
        if rng.random() < 0.5 and isinstance(event["data"], dict):
            event["data"] |= rng.choice(
                ({"password": SECRET}, {"new_Password": [SECRET]}, {"f": [{"value": SECRET, "name": "password"}]})
            )
        text = json.dumps(event, ensure_ascii=rng.random() < 0.7)
        depth = rng.choice((5, 500, 990, 1_000, 5_000))
        nested = rng.choice(("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth))
        value = text.replace(f'"{DEEP}"', nested).encode("utf-8", "surrogatepass")
        return RawRecord(value, rng.choice((None, b"", b"\xff", str(self._id()).encode())))

    def _with_spoilt_bytes(self) -> RawRecord:
        record, rng = raw(a_record(self._any_event())), self._rng
        value = bytearray(record.value or b"")
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(value) + 1)
            end = min(len(value), at + rng.randint(0, 8))
            value[at:end] = rng.choice((b"", rng.randbytes(end - at), bytes(value[at:end]) * 2, b'"', b"\\u0000", b"{"))
        return record._replace(value=bytes(value))

    def _with_weird_headers(self) -> RawRecord:
        rng = self._rng
        number = rng.choice((1, 2, 5, 50, 20_000)) if rng.random() < 0.1 else rng.randint(1, 4)
        headers = [(rng.choice(HEADERS), rng.choice(HEADER_VALUES)) for _ in range(min(number, 50))]
        record = raw((a_binary_record if rng.random() < 0.5 else a_record)(self._event()), *headers)
        many = [(b"h", b"")] * (number if number > 50 else 0)
        return record._replace(headers=(*record.headers, *many))

    def _bytes(self) -> RawRecord:
        rng = self._rng
        value = rng.choice((None, b"", rng.randbytes(rng.randint(1, 300)), bytes(rng.randint(1, 40)), b"[" * 9_000))
        headers = [(rng.randbytes(rng.randint(0, 9)), rng.randbytes(3)) for _ in range(rng.randint(0, 2))]
        return RawRecord(value, rng.choice((None, rng.randbytes(9))), headers)

    def _huge(self) -> RawRecord:
        size = self._rng.choice((70_000, 600_000, 1_100_000))
        wide = self._rng.choice((b"x", b'"', b"\\", b"password "))
        return RawRecord(
            b'{"a":"' + wide * (size // len(wide)) + b'"}', wide * self._rng.choice((1, 90_000 // len(wide)))
        )
