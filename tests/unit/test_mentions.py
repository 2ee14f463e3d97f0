"""No record that the contract finds an id in is left out, however the id is written; and nearly all others are."""

import base64
import json
import random
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from neon_projector.consumer.kafka import needles
from neon_projector.consumer.kafka.mentions import Keyed, Mentions
from neon_projector.consumer.kafka.needles import Needles
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Event
from neon_projector.projections.registry import REGISTRY
from tests.support.factories import ARecord, a_binary_record, a_document_event, a_record, a_user_event

ID = UUID("7b0c0f0e-6a0e-4c8e-9f57-0c5f3c3c1d11")
IDS = [
    ID,
    UUID("abcdefab-cdef-abcd-efab-cdefabcdefab"),  # no digit
    UUID("2026abcd-abcd-abcd-abcd-abcdefabcdef"),  # its only digits are in every time
    UUID(int=4),
    *(UUID(int=random.Random(n).getrandbits(128)) for n in range(20)),
]
DECODER = Decoder(REGISTRY)
MANY = [uuid4() for _ in range(300)]


def mixed(text: str) -> str:
    return "".join(c.upper() if n % 3 else c for n, c in enumerate(text))


WAYS: list[Callable[[UUID], str]] = [
    str, lambda i: str(i).upper(), lambda i: mixed(str(i)), lambda i: i.hex, lambda i: mixed(i.hex),
    lambda i: f"urn:uuid:{i}", lambda i: f"{{{i}}}", lambda i: f"{{{mixed(str(i))}}}",
]  # fmt: skip


def records_of(entity_id: UUID, written: str) -> list[ARecord]:
    """Events of an id, or of a document that it owns, in every form of the envelope and of JSON."""
    said: list[dict[str, Any]] = [a_user_event(id=entity_id), a_document_event(owner=entity_id)]
    records = []
    for event in said:
        name = "id" if event["type"].startswith("user") else "user_id"
        event |= {"id": "1", "data": {**event["data"], "email": "a@example.com", name: written}}
        plain = json.dumps(event)
        escaped = plain.replace(written, "".join(f"\\u{ord(c):04x}" for c in written))
        some = plain.replace(written, "".join(f"\\u{ord(c):04X}" if n == 5 else c for n, c in enumerate(written)))
        packed = {**event, "data_base64": base64.b64encode(json.dumps(event.pop("data")).encode()).decode()}
        packed.pop("data", None)
        hidden = json.dumps(packed)
        named = hidden.replace("data_base64", "d\\u0061ta_base64")
        also = hidden.replace("data_base64", "data\\u005Fb\\u0061se64")
        records += [ARecord(text.encode()) for text in (plain, escaped, some, hidden, named, also)]
        records.append(a_binary_record(json.loads(plain), key=None))
    return records


@pytest.mark.parametrize("way", WAYS)
def test_however_an_id_is_written_its_records_are_found(way: Callable[[UUID], str]) -> None:
    for entity_id in IDS:
        each = [Mentions([entity_id]), Mentions([uuid4(), entity_id]), Mentions([entity_id, *MANY])]
        for record in records_of(entity_id, way(entity_id)):
            decoded = DECODER(record)
            assert isinstance(decoded, Event), decoded
            assert entity_id in (decoded.id, decoded.fields.get("user_id"))
            around = [value for _ in range(3) for value in (a_record(a_user_event()).value or b"",)]
            piece = b"".join([*around, record.value or b"", *around])
            for mentions in each:
                assert mentions.of(record), record.value
                assert mentions.any_in(piece), record.value


def test_what_the_contract_takes_for_an_id_is_in_no_other_form() -> None:
    """Where this fails, `mentions.py` misses a form: pydantic reads it now."""
    text = str(ID)
    others = [
        text.replace("-", "", 1), text.replace("-", " "), f" {text}", f"0x{ID.hex}", f"{text[:-1]}\uff11", "-" + text,
        text.replace("0c0f", "0-c0f"), f"urn:{text}", f"uuid:{text}", f"{{{ID.hex}}}", f"urn:uuid:{ID.hex}",
    ]  # fmt: skip
    for other in others:
        record = ARecord(json.dumps(a_user_event(id=ID) | {"data": a_user_event()["data"] | {"id": other}}).encode())
        assert not isinstance(DECODER(record), Event) or Mentions([ID]).of(record), other


def test_other_records_are_left_out() -> None:
    others = [a_record(a_user_event(name='\u00e9\u4e2d & <b>\n"' if n % 2 else "Ada")) for n in range(200)]
    others += [a_record(a_document_event(content="\\ & < > 1d11-4c8e 9f57")) for _ in range(200)]
    go = [ARecord((r.value or b"").replace(b" ", b"\\u0026\\u003c\\u003E")) for r in others]  # as Go's encoder writes
    for mentions in (Mentions([ID]), Mentions([ID, UUID(int=5)]), Mentions([ID, *MANY])):
        assert not any(mentions.of(record) for record in (*others, *go))
    for entity_id in IDS:
        assert not Mentions([entity_id]).any_in(b"".join(record.value or b"" for record in (*others, *go)))


def test_a_text_is_looked_for_as_it_is() -> None:
    mentions = Mentions([], [b"Plain", ID.bytes])
    for record in (ARecord(b"", b"Plain"), ARecord(b"a Plain one"), ARecord(None, ID.bytes)):
        assert mentions.of(record)
        assert mentions.any_in(b"..." + (record.key or b"") + (record.value or b""))
    assert not mentions.of(ARecord(b"plain", b"PLAIN"))
    assert not mentions.any_in(b"plain PLAIN")
    assert not Mentions([ID]).any_in(b"")


def test_where_keys_are_written_in_a_known_way_only_that_is_looked_for() -> None:
    for keyed in (Keyed([str(ID).encode()]), Keyed(str(one).encode() for one in (ID, *(uuid4() for _ in range(50))))):
        for record in (a_record(a_user_event(id=ID)), a_record(a_document_event(owner=ID))):
            assert keyed.of(record)
            assert keyed.any_in(b"..." + (record.key or b"") + (record.value or b""))
        other = a_record(a_user_event())
        assert not keyed.of(other)
        assert not keyed.any_in(other.value or b"")
    assert not Keyed([str(ID).encode()]).of(ARecord(b"", str(ID).upper().encode()))


@pytest.mark.parametrize("number", [1, 3, 200])
def test_needles_are_found_where_bytes_find_finds_them(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needles, "_PIECE", 50)
    rng = random.Random(number)
    for _ in range(100):
        data = bytes(rng.choice(b"ab\0") for _ in range(rng.randrange(300)))
        own = [bytes(rng.choice(b"ab\0\xf5") for _ in range(rng.randint(3, 8))) for _ in range(number)]
        found = list(Needles(own).places(data))
        assert all(data[start:end] == own[which] for which, start, end in found)
        places = {n for needle in own for n in range(len(data)) if data.startswith(needle, n)}
        assert {start for _, start, _ in found} <= places <= {n for _, start, end in found for n in range(start, end)}


def test_needles_are_found_beside_what_is_in_no_text() -> None:
    """Keys and ids as bytes can have any byte, also those of the needles that are there only to keep it quick."""
    for byte in range(256):
        own = bytes([byte]) * 2 + b"an id"
        for before in range(12):
            data = b"." + bytes([byte]) * before + own
            assert any(True for _ in Needles([own]).places(data)), data
            assert Mentions([], [own]).any_in(data), data
    assert any(True for _ in Needles([bytes(range(256))]).places(bytes(range(256))))
