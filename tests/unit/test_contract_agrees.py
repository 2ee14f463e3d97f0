"""The tolerant schema and the decoder agree about every event; where a schema can't tell, the table of these rules
says so. Strict accepts less."""

import base64
import json
import random
import re
from functools import cache
from typing import Any

import pytest

from neon_projector.consumer.demo.stream.stream import Stream
from neon_projector.consumer.demo.stream.truth import Truth
from neon_projector.consumer.demo.stream.wire import DemoRecord
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Rejection
from neon_projector.projections.contract.fields import parse_time
from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.publishing.async_api import async_api
from neon_projector.projections.publishing.form import TIME, Form
from neon_projector.projections.publishing.json_schema import json_schema
from neon_projector.projections.publishing.unsaid import REASONS
from neon_projector.projections.registry import CONTRACT_VERSION, REGISTRY
from tests.support.bad_records import BAD_RECORDS
from tests.support.factories import TIME as NOON
from tests.support.factories import ARecord, a_document_event, a_user_event
from tests.support.schemas import Validator, Verdict
from tests.unit.test_fast_path import GOOD, VALUES

decode = Decoder(REGISTRY)
tolerant, strict = (Verdict(json_schema(REGISTRY, CONTRACT_VERSION, form)) for form in (Form.TOLERANT, Form.STRICT))
CHANNELS = async_api(REGISTRY, CONTRACT_VERSION, Form.TOLERANT)["channels"].values()
BINARY: dict[str | None, Any] = {
    message["name"]: {part: Validator(message[part]) for part in ("headers", "payload")}
    for channel in CHANNELS
    for name, message in channel["messages"].items()
    if name.endswith(".binary")
}
OF_BYTES = {Reason.TOO_LARGE, Reason.INVALID_JSON}
"""About how an event is written: nothing in it can be made good."""
STRUCTURED = (b"", b"application/json", b"application/cloudevents+json")


def parsed(record: Any) -> Any:
    """The event of a record in structured form; Ellipsis where its headers or its bytes make it none."""
    names = {name.lower(): value for name, value in record.headers}
    kind = names.get("content-type", b"").partition(b";")[0].lower()
    if kind not in STRUCTURED or any(name.startswith("ce_") for name in names) or record.value is None:
        return ...
    try:
        return json.loads(record.value.decode(), parse_constant=lambda _: 1 / 0)
    except (ValueError, RecursionError, ZeroDivisionError):
        return ...


def check(event: Any, record: Any) -> bool:
    """What the schema says, after it was compared with what the decoder makes of the record."""
    accepted, decoded = tolerant.accepts(event), decode(record)
    if not accepted:
        assert isinstance(decoded, Rejection), event
        assert not strict.accepts(event)
    elif isinstance(decoded, Rejection):
        assert decoded.reason in REASONS, (decoded, event)
        assert decoded.reason in OF_BYTES or not isinstance(decode(mended(event)), Rejection), (decoded, event)
    return accepted


def mended(event: Any) -> ARecord:
    """The event with all made good that no schema can judge."""
    good = without_odd_text(event)
    good.pop("subject", None)
    if isinstance(encoded := good.pop("data_base64", None), str):
        assert "data" not in event
        good["data"] = (a_user_event() if good["type"].startswith("user") else a_document_event())["data"]
        base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    data = good["data"] if isinstance(good.get("data"), dict) else {}
    for fields, name in [(good, "time"), *((data, name) for name in data)]:
        value = fields.get(name)
        if isinstance(value, str) and re.search(TIME[Form.TOLERANT]["pattern"], value):
            fields[name] = value if exists(value) else NOON
        if name == "email" and isinstance(value, str) and "@" in value:
            fields[name] = "ada@example.com"
        if name == "version" and isinstance(value, int | float) and not isinstance(value, bool):
            fields[name] = max(int(value), 2)  # before version 1 is nothing that a partial event could change
    return ARecord(json.dumps(good).encode())


def exists(time: str) -> bool:
    try:
        return bool(parse_time(time))
    except ValueError:
        return False


def without_odd_text(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub("[\0\ud800-\udfff]", "x", value)
    if isinstance(value, dict):
        return {without_odd_text(name): without_odd_text(one) for name, one in value.items()}
    return [without_odd_text(one) for one in value] if isinstance(value, list) else value


@cache
def streamed() -> list[DemoRecord]:
    """Of the demo's stream the first 5,000 records, good and bad."""
    stream, records = Stream(Truth(), 21), list[DemoRecord]()
    while len(records) < 5_000:
        records += stream.take()
    return records


def test_an_event_goes_to_the_one_alternative_that_can_accept_it() -> None:
    events = [event for record in streamed()[:150] if (event := parsed(record)) is not ...]
    for event in [*events, *GOOD, GOOD[0] | {"type": 7}, GOOD[0] | {"type": "user.logged_in"}, [], None, {}]:
        for verdict in (tolerant, strict):
            assert verdict.accepts(event) == verdict.whole.is_valid(event)


def test_of_the_demos_stream_good_and_bad_schema_and_decoder_say_the_same() -> None:
    said = [check(event, record) for record in streamed() if (event := parsed(record)) is not ...]
    assert said.count(True) > 2_500
    assert said.count(False) > 25


def test_of_records_in_binary_mode_headers_and_data_say_the_same() -> None:
    said = [one for record in streamed() if (one := check_binary(record)) is not None]
    said += [one for bad in BAD_RECORDS if (one := check_binary(bad.record)) is not None]
    assert said.count(True) > 500
    assert said.count(False) > 5


def check_binary(record: Any) -> bool | None:
    """What AsyncAPI's tolerant form says of headers and data, after it was compared; None where it has no say."""
    names = {name.lower(): value.decode(errors="replace") for name, value in record.headers if value is not None}
    message = BINARY.get(names.get("ce_type"))
    if message is None or not record.value:
        return None
    try:
        data = json.loads(record.value)
    except ValueError:
        return None
    accepted = bool(message["headers"].is_valid(names) and message["payload"].is_valid(data))
    decoded = decode(record)
    if not accepted:
        assert isinstance(decoded, Rejection), (names, data)
    elif isinstance(decoded, Rejection):
        assert decoded.reason in REASONS, (decoded, data)
    return accepted


@pytest.mark.parametrize("bad", BAD_RECORDS, ids=lambda bad: bad.name)
def test_of_every_bad_record_they_say_the_same(bad: Any) -> None:
    if (event := parsed(bad.record)) is not ...:
        check(event, bad.record)
    else:
        assert bad.reason in REASONS | {Reason.INVALID_ENVELOPE, Reason.INVALID_DATA} or (bad.record.headers)


@pytest.mark.parametrize("event", GOOD, ids=lambda event: event["type"])
def test_whatever_stands_in_a_field_they_say_the_same(event: dict[str, Any]) -> None:
    for value in VALUES:
        for name in [*event["data"], "content", "password", "created_at"]:
            both(event | {"data": event["data"] | {name: value}})
        for name in [*event, "subject", "datacontenttype", "data_base64", "other"]:
            both(event | {name: value})
    for name in event["data"]:
        both(event | {"data": {key: value for key, value in event["data"].items() if key != name}})
    for name in event:
        both({key: value for key, value in event.items() if key != name})


WRITTEN = [text for text in VALUES if isinstance(text, str) and text[:1] in "{0u2"]
"""Ids and times."""


def test_however_an_id_or_a_time_is_written_they_say_the_same() -> None:
    rng = random.Random(21)
    for _ in range(250):
        text = rng.choice(WRITTEN)
        at, piece = rng.randrange(len(text) + 1), "".join(rng.choices("019afFuTtzZ:-+. {}\n", k=rng.randrange(3)))
        spoilt = text[:at] + piece + text[at + rng.randrange(3) :]
        both(a_user_event("deleted") | {"data": {"id": spoilt, "version": 1}})
        both(a_user_event(updated_at=spoilt))


def both(event: dict[str, Any]) -> None:
    check(event, ARecord(json.dumps(event).encode()))
