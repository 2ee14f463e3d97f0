"""What is kept of a rejected record: enough to see what it was, no password, nothing that Postgres refuses."""

import base64
import hashlib
import json
from typing import Any
from uuid import uuid4

import pytest

from neon_projector.projections.contract.dead_letter import (
    HEADERS_KEPT,
    HEADERS_KEPT_CHARACTERS,
    TEXT_KEPT_CHARACTERS,
    VALUE_KEPT_BYTES,
    dead_letter,
)
from neon_projector.projections.contract.event import Rejection
from neon_projector.projections.contract.mask import MASK, mask
from neon_projector.projections.contract.outcome import Reason
from tests.support.factories import ARecord, a_user_event

HUNTER = "hunter2"
SECRETS = ("password",)


def kept(record: ARecord, **known: Any) -> dict[str, Any]:
    return dead_letter(Rejection(record, Reason.INVALID_DATA, "data.email: missing", **known), SECRETS)


@pytest.mark.parametrize(
    "value",
    [
        b'{"password": "hunter2", "name": "Ada"}',
        b'{"data": {"user": [{"password":"hunter2"}]}, "name": "Ada"}',
        b'{"Password": "hunter2", "name": "Ada"}',
        b'{"new_password": "hunter2", "name": "Ada"}',
        rb'{"\u0070ass\u0077ord": "hunter2", "name": "Ada"}',
        b'{"password": {"old": "hunter2"}, "name": "Ada"}',
        b'{"password": ["hunter2"], "name": "Ada"}',
        b'{"password": "a\\"hunter2", "name": "Ada"}',
        b'{"password": "hunter2", "password": null, "name": "Ada"}',
        b'{"a": {"password": "hunter2"}, "a": {}, "name": "Ada"}',
        rb'{"text": "{\"password\": \"a\\\"hunter2\"}", "name": "Ada"}',
    ],
)
def test_a_password_in_json_is_masked_and_the_rest_stays(value: bytes) -> None:
    masked = mask(value, SECRETS)
    assert HUNTER not in masked.decode()
    assert json.loads(masked)["name"] == "Ada"


@pytest.mark.parametrize("secret", ["1234567", "12.5", "true", '"hunter2"', '{"a": "b"}'])
def test_a_password_of_any_json_type_is_masked(secret: str) -> None:
    assert mask(f'{{"a": 1, "password": {secret} ,"b":[]}}'.encode(), SECRETS) == b'{"a": 1, "password": "***" ,"b":[]}'


@pytest.mark.parametrize(
    "text",
    [
        b'{"password": "hunter2", "name": ',
        b'{"password": "hunter2',
        b'{"password": "a\\"hunter2',
        b'{"password": {"old": "hunter2"',
        b"{'password': 'hunter2'}",
        b"{'password': 'it\\'s hunter2'}",
        b"password=hunter2&name=Ada",
        b"password: a long hunter2\nname: Ada",
        b"<password>hunter2</password>",
        b"password => 'hunter2'",
        b'"{\\"password\\": \\"a\\\\\\"hunter2\\"}',
        rb'{"p\u0061ssword": "hunter2',
        rb'{"password": "a\u0022, hunter2", "b',
        b'\0\0\0\0\7{"password": "hunter2"}',
        '{"password": "hunter2"}'.encode("utf-16"),
        b"[" * 2000 + b'{"password": "hunter2"}',
        b'{"a":' * 500 + rb'"\u0041", "password": "hunter2"' + b"}" * 500,
    ],
)
def test_a_password_in_text_that_does_not_parse_is_masked(text: bytes) -> None:
    masked = mask(text, SECRETS)
    assert HUNTER.encode() not in masked.replace(b"\0", b"")
    assert b"***" in masked


def test_masking_leaves_what_follows_a_word() -> None:
    assert mask(b"password=hunter2&name=Ada", SECRETS) == b'password="***"&name=Ada'


@pytest.mark.parametrize("depth", [200, 300, 600, 900])
def test_very_deep_json_does_not_stop_the_service(depth: int) -> None:
    deep = b"[" * depth + rb'{"\u0070assword": "hunter2"}' + b"]" * depth
    assert HUNTER.encode() not in mask(deep, SECRETS)


@pytest.mark.parametrize("encoded", [{"password": HUNTER}, {"p": 1}])
def test_data_in_base64_is_masked_whole(encoded: dict[str, Any]) -> None:
    text = base64.b64encode(json.dumps(encoded).encode()).decode()
    value = json.dumps({"id": "1", "data_base64": text}).encode()
    assert json.loads(mask(value, SECRETS)) == {"id": "1", "data_base64": "***"}
    assert text.encode() not in mask(value[:-4], SECRETS)


@pytest.mark.parametrize("value", [b'{ "name" : 1.0}', b"plain", b"\xff\0", b'{"passwords_seen": 1.50}'[:9], b""])
def test_what_can_hold_no_password_stays_as_it_is(value: bytes) -> None:
    assert mask(value, SECRETS) == value


def test_no_secrets_nothing_masked() -> None:
    assert mask(b'{"password": "x"}', ()) == b'{"password": "x"}'


def test_a_dead_letter_knows_its_record() -> None:
    entity = uuid4()
    value = json.dumps(a_user_event()).encode()
    record = ARecord(value, b"key", (("trace", b"1"),), offset=7, partition=3)
    row = kept(record, event_id="e1", source="/tests", type="user.created", entity_id=entity)
    assert row == {
        "topic": "users",
        "partition": 3,
        "offset": 7,
        "sha256": hashlib.sha256(value).digest(),
        "key": b"key",
        "value": value,
        "value_length": len(value),
        "headers": '[["trace","1"]]',
        "header_count": 1,
        "event_id": "e1",
        "source": "/tests",
        "type": "user.created",
        "entity_id": entity,
        "reason": "invalid_data",
        "error": "data.email: missing",
    }


def test_a_record_without_key_and_value_has_a_dead_letter_too() -> None:
    row = kept(ARecord(None))
    assert (row["key"], row["value"], row["value_length"], row["headers"]) == (None, None, None, "[]")
    assert row["sha256"] == hashlib.sha256(b"").digest()


def test_of_a_long_value_the_head_the_length_and_the_hash_of_the_whole_are_kept() -> None:
    value = b'{"password": "hunter2", "x": "' + b"y" * VALUE_KEPT_BYTES * 2 + b'"}'
    row = kept(ARecord(value, key=b"k" * VALUE_KEPT_BYTES * 2))
    assert len(row["value"]) == len(row["key"]) == VALUE_KEPT_BYTES == 65536
    assert row["value"].startswith(b'{"password": "***", "x": "yyy')
    assert (row["value_length"], row["sha256"]) == (len(value), hashlib.sha256(value).digest())


def test_a_password_that_the_cut_falls_into_is_masked() -> None:
    value = b"x" * (VALUE_KEPT_BYTES - 20) + b'"password": "hunter2 and more", "y": 1'
    assert b"hunter" not in kept(ARecord(value))["value"]


def test_headers_and_key_are_masked_as_well() -> None:
    headers = (("ce_password", HUNTER.encode()), ("cause", b'{"password": "hunter2"}'))
    row = kept(ARecord(b"?", b"password=hunter2", headers))
    assert HUNTER not in row["headers"]
    assert HUNTER.encode() not in row["key"]


def test_what_postgres_refuses_is_cleaned() -> None:
    row = kept(ARecord(b"?", headers=(("a\0\ud800", b"b\0\xff"), ("null", None))), event_id="e\0", source="\udc00")
    assert json.loads(row["headers"]) == [["a�?", "b�\\xff"], ["null", ""]]
    assert (row["event_id"], row["source"], row["type"]) == ("e�", "?", None)


def test_of_many_headers_the_first_are_kept_and_their_number() -> None:
    row = kept(ARecord(b"?", headers=tuple((f"h{number}", b"") for number in range(150_000))))
    names = [name for name, _ in json.loads(row["headers"])]
    assert names == [f"h{number}" for number in range(HEADERS_KEPT)]
    assert row["header_count"] == 150_000
    large = kept(ARecord(b"?", headers=(("large", b"x" * 10**6),) * 300))
    assert len(large["headers"]) <= HEADERS_KEPT_CHARACTERS * 1.1
    assert (len(json.loads(large["headers"])), large["header_count"]) == (63, 300)


@pytest.mark.parametrize(
    "headers",
    [
        (("field", b"password"), ("value", b"hunter2")),
        (("value", b"hunter2"), ("field", b"password")),
        (("note", b"password: hunter2"), ("plain", b"hunter2")),
        (("cause", b"{'password': 'hunter2'}"),),
        (("Old-Password", b"hunter2"),),
        (("form", b"password=hunter2&b=1"),),
        (("base64", base64.b64encode(b"the password is hunter2")),),
    ],
)
def test_a_password_in_headers_is_masked_wherever_it_may_stand(headers: tuple[tuple[str, bytes], ...]) -> None:
    row = kept(ARecord(b"?", headers=headers))
    assert HUNTER not in row["headers"]
    assert base64.b64encode(HUNTER.encode())[:6].decode() not in row["headers"]
    assert [name for name, _ in json.loads(row["headers"])] == [name for name, _ in headers]


def test_a_password_in_what_is_read_of_an_event_is_masked() -> None:
    row = kept(ARecord(b"?"), event_id="e1", source="/login?password=hunter2", type="user.password.changed")
    assert (row["event_id"], row["source"], row["type"]) == ("e1", "***", "***")


def test_whatever_fails_there_is_a_letter_without_contents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neon_projector.projections.contract.dead_letter.mask", lambda *_: 1 / 0)
    row = kept(ARecord(b"secret", b"secret", (("secret", b""),)), source="secret")
    assert "secret" not in str(row)
    assert (row["reason"], row["value"], row["key"], row["header_count"]) == ("invalid_data", MASK, MASK, 1)


def test_long_texts_are_cut() -> None:
    row = kept(ARecord(b"?", headers=(("h", b"x" * 9999),)), event_id="e" * 9999)
    assert len(row["event_id"]) == TEXT_KEPT_CHARACTERS
    assert len(json.loads(row["headers"])[0][1]) == TEXT_KEPT_CHARACTERS
