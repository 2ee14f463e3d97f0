"""The fast path reads fields that a new projection defines for itself, and leaves those that it can't be sure of."""

import json
from typing import Annotated, Any

import msgspec
import pytest
from pydantic import AfterValidator, Field

from neon_projector.projections.contract.decode import EVENT_MAX_BYTES, Decoder
from neon_projector.projections.contract.fast_fields import plain
from neon_projector.projections.contract.fast_path import FastPath
from neon_projector.projections.contract.fields import Content, Email, EntityId, Flag, Name, Time, Title, Version
from tests.support.comments import WITH_COMMENTS
from tests.support.factories import ARecord, a_record, an_event
from tests.unit.test_fast_path import ID, VALUES

COMMENT = {"id": str(ID), "version": 2, "body": "Well said", "document_id": str(ID), "author_id": str(ID)}


@pytest.mark.parametrize("field", [Content, Email, EntityId, Flag, Name, Time, Title, Version])
def test_every_field_of_the_contract_is_known(field: Any) -> None:
    assert plain(field) is not None


def test_a_text_or_number_with_limits_of_its_own_is_read_by_them() -> None:
    text = plain(Annotated[str, Field(strict=True, min_length=2, max_length=3)])
    assert [reads(text, value) for value in ("a", "ab", "äöü", "abcd", 1)] == [False, True, True, False, False]
    number = plain(Annotated[int, Field(strict=True, ge=-1, le=2)])
    assert [reads(number, value) for value in (-2, -1, 2, 3, 1.0, "1", True)] == [False, True, True, *[False] * 4]


@pytest.mark.parametrize(
    "field",
    [
        str,
        Annotated[str, Field(max_length=3)],
        Annotated[str, Field(strict=True, pattern="^a")],
        Annotated[str, Field(strict=True), AfterValidator(str.upper)],
        Annotated[str, AfterValidator(str.upper), Field(strict=True)],
        Annotated[int, Field(strict=True, multiple_of=2)],
        Annotated[int, Field(strict=True, gt=2)],
        Annotated[float, Field(strict=True)],
        list[str],
        Title | None,
    ],
    ids=str,
)
def test_any_other_kind_of_field_is_left_to_the_careful_way(field: Any) -> None:
    assert plain(field) is None


@pytest.mark.parametrize("kind", ["created", "updated", "deleted"])
def test_both_ways_agree_about_an_entity_that_brings_its_own_field(kind: str) -> None:
    fast, carefully = FastPath(WITH_COMMENTS, EVENT_MAX_BYTES, type(ID)).read, Decoder(WITH_COMMENTS).carefully
    assert fast(a_record(an_event(f"comment.{kind}", COMMENT))) is not None
    for name in COMMENT:
        for value in [*VALUES, "x" * 2_000, "x" * 2_001]:
            event = an_event(f"comment.{kind}", COMMENT | {name: value})
            record = ARecord(json.dumps(event).encode(), str(ID).encode(), topic="comments")
            assert fast(record) in (None, carefully(record))


def reads(kind: Any, value: Any) -> bool:
    try:
        msgspec.json.decode(msgspec.json.encode(value), type=kind)
    except msgspec.ValidationError:
        return False
    return True
