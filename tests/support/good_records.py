"""Records that are right, in every form of the contract; and what comes after others."""

import base64
import json
from typing import Any

from tests.support.bad_records import ID, OTHER, a_document_event, a_user_event, an_event
from tests.support.factories import ARecord, a_binary_record, a_record

_USER, _DOCUMENT = a_user_event(), a_document_event()
_UPDATE: dict[str, Any] = a_user_event("updated", version=2, name="Bob")
_TRANSFER: dict[str, Any] = {"version": 2, "from_user_id": OTHER, "to_user_id": ID}
_OWNER = a_record(a_user_event(id=OTHER))
THERE = a_record(_USER)
KEPT = [_OWNER, a_record(_DOCUMENT)]
"""A document, and its owner."""


def _less(event: dict[str, Any], *names: str) -> ARecord:
    return a_record(event | {"data": {k: v for k, v in event["data"].items() if k not in names}})


def _later(event: dict[str, Any]) -> dict[str, Any]:
    """The same event, sent again later, without times of its own."""
    data = {name: value for name, value in event["data"].items() if name not in ("created_at", "updated_at")}
    return event | {"time": "2026-11-24T12:00:00Z", "data": data}


def _event(event: dict[str, Any], **changed: Any) -> ARecord:
    return a_record(event | changed)


def _base64(event: dict[str, Any]) -> ARecord:
    attributes = {k: v for k, v in event.items() if k != "data"}
    encoded = base64.b64encode(json.dumps(event["data"]).encode()).decode()
    return a_record(event, value=json.dumps(attributes | {"data_base64": encoded}).encode())


GOOD_RECORDS: list[tuple[str, ARecord]] = [
    ("user.created, structured", THERE),
    ("user.created, structured, by its content type", a_record(_USER, headers=(_STRUCTURED := (
        "content-type", b"application/cloudevents+json; charset=utf-8"),))),
    ("user.created, binary", a_binary_record(_USER)),
    ("user.created, binary, names of headers in capitals", a_binary_record(_USER, headers=tuple(
        (name.upper(), value) for name, value in a_binary_record(_USER).headers))),
    ("user.created, structured, with ce_ headers that do not count", a_record(_USER, headers=(
        _STRUCTURED, ("ce_type", b"other")))),
    ("user.created, data in Base64", _base64(_USER)),
    ("user.created, no key", a_record(_USER, key=None)),
    ("user.created, key in capitals", a_record(_USER, key=str(ID).upper().encode())),
    ("user.created, with its subject", _event(_USER, subject=str(ID))),
    ("user.created, times left out", _less(_USER, "created_at", "updated_at")),
    ("user.created, unknown fields and a number past a double's range", _event(
        a_user_event(nickname="Countess"), traceparent="00-1-2-3", big=10**400)),
    ("user.created, at a version after the first", a_record(a_user_event(version=7))),
    ("user.created, a name of 100 characters outside ASCII", a_record(a_user_event(name="ü" * 100))),
    ("user.created, a time in another zone, to the nanosecond", a_record(
        a_user_event(created_at="2026-11-22T14:00:00.123456789+02:00"))),
    ("user.created, read without a flag that stands under another name", a_record(a_user_event(isActive=False))),
    ("user.created, an address for tests", a_record(a_user_event(email="ada@staging.test"))),
    ("user.deleted, never seen", a_record(a_user_event("deleted"))),
    ("user.updated, partial, version 2", a_record(_UPDATE)),
    ("user.updated, with every field", a_record(a_user_event("updated", version=2, **{
        k: v for k, v in a_user_event(is_active=False)["data"].items() if k not in ("id", "version")}))),
    ("user.updated, with every field but its own time", _less(a_user_event("updated", version=1, **{
        k: v for k, v in a_user_event(is_active=False)["data"].items() if k not in ("id", "version")}), "updated_at")),
    ("document.created, its owner not seen", a_record(_DOCUMENT)),
    ("document.updated, content null", a_record(a_document_event("updated", version=2, content=None))),
    ("an unknown type", a_record(an_event("user.renamed", {"id": str(ID), "version": 2}))),
    ("an unknown type with data that is not JSON", _event(
        an_event("order.created", {"id": str(ID)}), datacontenttype="application/xml")),
    ("a null value without ce_ headers", ARecord(None, str(ID).encode())),
]  # fmt: skip

AFTERWARDS: list[tuple[str, list[ARecord], ARecord]] = [
    ("the next version, partial", [THERE], a_record(_UPDATE)),
    ("the same version again", [THERE], THERE),
    ("an older version", [a_record(a_user_event(version=3))], a_record(_UPDATE)),
    ("a version behind a gap", [THERE], a_record(_UPDATE | {"data": _UPDATE["data"] | {"version": 3}})),
    ("the base of a partial event that waits", [a_record(_UPDATE)], THERE),
    ("the same version again, its times left out", [THERE], a_record(_later(_USER))),
    ("a parked version again, with another time", [a_record(_UPDATE)], a_record(_later(_UPDATE))),
    ("the same version with other content", [THERE], a_record(a_user_event(name="Eve"))),
    ("a parked version with other content", [a_record(_UPDATE)], a_record(
        a_user_event("updated", version=2, name="Eve"))),
    ("a document of an owner who is there", [_OWNER], a_record(_DOCUMENT)),
    ("a transfer by the owner", [*KEPT, THERE], a_record(a_document_event("ownership_transferred", **_TRANSFER))),
    ("a transfer by somebody else", KEPT, a_record(
        a_document_event("ownership_transferred", **_TRANSFER | {"from_user_id": ID}))),
    ("a partial event after the deletion", [THERE, a_record(a_user_event("deleted", version=2))], a_record(
        a_user_event("updated", version=3, name="Eve"))),
    ("created again after the deletion", [THERE, a_record(a_user_event("deleted", version=2))], a_record(
        a_user_event(version=3))),
    ("created again after the deletion, at version 1", [a_record(a_user_event("deleted", version=5))], THERE),
]  # fmt: skip
