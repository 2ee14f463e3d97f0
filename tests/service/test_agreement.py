"""Whoever judges an event says the same of it: the tolerant schema, `publish --check`, the testing kit, the service.

5,000 records of the demo's stream, good and bad, with the tests' own bad and good records among them.
"""

import base64
import hashlib
import io
import json
import random
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from neon_projector.consumer.admin.publish import publish
from neon_projector.consumer.demo.stream.stream import Stream
from neon_projector.consumer.demo.stream.truth import Truth
from neon_projector.consumer.settings import EventSettings
from neon_projector.projections.checking.problem import Problem
from neon_projector.projections.contract.headers import is_text
from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.contract.words.find import sentences
from neon_projector.projections.kit.projectable import projected
from neon_projector.projections.kit.tables import Tables
from neon_projector.projections.publishing.async_api import async_api
from neon_projector.projections.publishing.form import Form
from neon_projector.projections.publishing.json_schema import json_schema
from neon_projector.projections.publishing.unsaid import UNSAID, rule_of
from neon_projector.projections.registry import CONTRACT_VERSION, REGISTRY
from tests.support.bad_records import ID, OTHER
from tests.support.factories import ARecord
from tests.support.good_records import AFTERWARDS, GOOD_RECORDS
from tests.support.mistaken_records import ALL_BAD_RECORDS
from tests.support.projector import running_projector
from tests.support.schemas import Messages
from tests.support.world import World

SEED, STREAMED = 21, 5_000
IGNORED = "ignored"
LATER = {Reason.WRONG_OWNER, Reason.DELETED, Reason.VERSION_CONFLICT}
"""What only the state before tells: of these, `publish --check` warns."""
NEVER_SAID = {Reason.ERASED}
"""The grace does not pass in a test."""


class Said(NamedTuple):
    """One verdict: the reason of the dead letter with its sentence, or `ignored`; both None: it is read."""

    reason: str | None = None
    error: str | None = None


def records() -> list[ARecord]:
    """The stream, and in random places of it, in their order, the others."""
    rng, stream, streamed = random.Random(SEED), Stream(Truth(), SEED), list[ARecord]()
    while len(streamed) < STREAMED:
        streamed += [ARecord(one.value, one.key, one.headers, one.topic) for one in stream.take()]
    others = [bad.record for bad in ALL_BAD_RECORDS]
    for number, story in enumerate([*([one] for _, one in GOOD_RECORDS), *([*b, one] for _, b, one in AFTERWARDS)], 1):
        others += [of_others(record, number) for record in story]
    others = [one for one in others if all(is_text(name) for name, _ in one.headers)]  # clients write no such name
    places = sorted(rng.randrange(STREAMED) for _ in others)
    for place, other in reversed([*zip(places, others, strict=True)]):
        streamed.insert(place, other if other.topic in ("users", "documents") else replace(other, topic="users"))
    return streamed


def of_others(record: ARecord, number: int) -> ARecord:
    """The record with ids of its own story. Nobody has an address twice."""
    value, key = record.value, record.key
    for one, other in ((ID, UUID(int=number << 8 | 1)), (OTHER, UUID(int=number << 8 | 2))):
        for text, new in ((str(one), str(other)), (one.hex, other.hex)):
            value, key = (part and part.replace(text.encode(), new.encode()) for part in (value, key))
    value = value and value.replace(b"ada@", b"ada%d@" % number)
    return replace(record, value=value, key=key)


async def test_schema_check_kit_and_service_say_the_same_of_every_record(world: World) -> None:
    every = records()
    await world.create_topics()
    with running_projector(world.settings) as projector:
        places = await sent(world, every)
        tables, problems = projected(REGISTRY, [(one.key, one.headers, one.value) for one in every])
        kit = by_number(problems)
        await world.until_consumed(len(every), seconds=120)
        assert projector.terminate(timeout=30) == 0
    service = await letters(world)
    ignored = {number for number, said in kit.items() if said.reason == IGNORED}
    assert (await world.totals())["ignored"] == len(ignored)
    assert {place: said for place, number in places.items() if (said := kit.get(number)) and number not in ignored} == (
        service
    )
    await compare_tables(world, tables)
    by_schema(every, kit)
    by_the_file(every, kit)
    reasons = {said.reason for said in kit.values()}
    assert reasons == {IGNORED, *(set(Reason) - NEVER_SAID - {Reason.UNDECODABLE, Reason.REFUSED_BY_DATABASE})}


async def sent(world: World, every: list[ARecord]) -> dict[tuple[str, int], int]:
    """Publish all. By topic and offset, the number of the record, the first is 1."""
    there = await world.publish(every, max_request_size=8 * 1024 * 1024)
    return {(one.topic, one.offset): number for number, one in enumerate(there, 1)}


async def letters(world: World) -> dict[tuple[str, int], Said]:
    rows = await world.rows('SELECT topic, "offset", reason, error FROM projector.dead_letters')
    return {(row["topic"], row["offset"]): Said(row["reason"], row["error"]) for row in rows}


def by_number(problems: list[Problem]) -> dict[int, Said]:
    """Of each record that is not read, the verdict."""
    found: dict[int, Said] = {}
    for one in problems:
        if one.reason in ("unknown_type", "no_event"):
            found[one.line] = Said(IGNORED)
        elif not one.warning:
            before = found.get(one.line)
            found[one.line] = Said(one.reason, f"{before.error}; {one.said}" if before else one.said)
    return found


async def compare_tables(world: World, tables: Tables) -> None:
    """What the kit has folded is what stands in the database, row by row; and what waits, waits there too."""
    for name, rows in tables.items():
        there = {row["id"]: row for row in await world.rows(f"SELECT * FROM {name}")}
        assert {row["id"]: row for row in rows} == there, name
    kept = await world.rows("SELECT id, version FROM projector.absent_states WHERE reason <> 'deleted'")
    kept += await world.rows("SELECT entity_id AS id, version FROM projector.parked_events")
    assert {(one.id, one.version) for one in tables.waiting} == {(row["id"], row["version"]) for row in kept}
    assert len(tables["users"]) > 300
    assert len(tables["documents"]) > 500


def by_schema(every: list[ARecord], kit: dict[int, Said]) -> None:
    """What the schema refuses is a dead letter, by a reason that the place tells. Of what it accepts, each dead letter
    breaks a rule of the table of those that a schema can't say; and each such rule is broken by one."""
    forms = (function(REGISTRY, CONTRACT_VERSION, Form.TOLERANT) for function in (json_schema, async_api))
    messages, broken, refused = Messages(*forms), list[Any](), 0
    for number, record in enumerate(every, 1):
        told, said = messages.reasons(record), kit.get(number, Said())
        if said.error is None:
            assert not told, (number, record, told)
            continue
        reason = Reason(said.reason or "")
        inside = b'"data_base64"' in (record.value or b"")
        rules = [rule_of(reason, one, in_base64=inside) for one in sentences(said.error)]
        if told and reason in told:
            refused += 1
        elif None in rules:
            raise AssertionError((number, record, told, said))
        broken += rules
    assert refused > 100
    told_by_none = {rule.rule for rule in UNSAID if rule.reasons} - {rule.rule for rule in broken if rule is not None}
    assert told_by_none == set()


def checked(every: dict[int, ARecord]) -> tuple[dict[int, Said], dict[int, set[str]]]:
    """What `publish --check` says of the records in a file, each in the line of its number: verdicts, and warnings."""
    lines = [line_of(every[n], n) if n in every else b"\n" for n in range(1, max(every) + 1)]
    found = publish.check(io.BytesIO(b"".join(lines)), REGISTRY, EventSettings(), lambda _: None)
    assert found.lines == len(every)
    warned: dict[int, set[str]] = {}
    for one in found.problems:
        if one.warning:
            warned.setdefault(one.line, set()).add(one.reason)
    return by_number(found.problems), warned


def line_of(record: ARecord, number: int) -> bytes:
    """An event in structured form as it is; any other record as `dead-letters export` writes it."""
    kinds = {name.lower(): value for name, value in record.headers}
    value = record.value or b""
    if kinds.keys() <= {"content-type"} and (kinds.get("content-type") or b"").lower() in CONTENT_TYPES:
        text = value.strip(b" \t\r\n")
        if text == value and text and b"\n" not in text:
            return text + b"\n"
    letter = {
        "id": number, "reason": "x", "topic": record.topic, "partition": 0, "offset": number,
        "sha256": hashlib.sha256(value).hexdigest(), "value_length": None if record.value is None else len(value),
        "header_count": len(record.headers),
        "headers": [[name, (text or b"").decode(errors="replace")] for name, text in record.headers],
        "value_base64": None if record.value is None else base64.b64encode(value).decode(),
    }  # fmt: skip
    return json.dumps(letter).encode() + b"\n"


CONTENT_TYPES = (b"", b"application/json", b"application/cloudevents+json")


def by_the_file(every: list[ARecord], kit: dict[int, Said]) -> None:
    """The check of a file says the same; of what only the state before tells, it warns. A file has no keys: with those
    that `publish` makes itself, a record whose key was wrong is right."""
    numbered = dict(enumerate(every, 1))
    rekeyed = {n: one for n, one in numbered.items() if kit.get(n, Said()).reason == Reason.KEY_MISMATCH}
    assert checked(rekeyed)[0] == {}
    said_of, warned = checked({n: one for n, one in numbered.items() if n not in rekeyed})
    for number, record in numbered.items():
        said, here = kit.get(number, Said()), said_of.get(number, Said())
        if here.reason == "not_whole":  # an exported letter can't hold it: it is refused by name
            assert record.value is None or said.error, number
        elif number not in rekeyed:
            assert here == (Said() if said.reason in LATER else said), (number, record)
    assert sum(said.reason == "not_whole" for said in said_of.values()) < 40
    clashes = {(number, name) for number, names in warned.items() for name in names & LATER}
    assert clashes == {(number, said.reason) for number, said in kit.items() if said.reason in LATER}
