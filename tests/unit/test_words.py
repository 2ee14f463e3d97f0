"""Each sentence about a bad record is said of one, each has its row in the document, and none shows what came."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.contract.event import Rejection
from neon_projector.projections.contract.outcome import Reason
from neon_projector.projections.contract.problems import SENTENCES
from neon_projector.projections.contract.words.document import BEGIN, document
from neon_projector.projections.contract.words.find import pattern_of, word_of
from neon_projector.projections.contract.words.table import SECTIONS, words
from neon_projector.projections.registry import REGISTRY
from tests.support.bad_records import a_document_event, a_user_event
from tests.support.comments import WITH_COMMENTS
from tests.support.factories import ARecord, a_binary_record, a_record
from tests.support.mistaken_records import ALL_BAD_RECORDS
from tests.support.vectors import FOLDER, files, text
from tests.unit.test_fast_path import VALUES

DOCUMENT = Path(__file__).parents[2] / "docs" / "publishing.md"
WORDS = {name: word for _, module in SECTIONS for name, word in words(module).items()}
ELSEWHERE = {"TYPE_GONE", "ERASED", "UNFORESEEN", "BREAKS_A_RULE"}
"""Said of what was stored by older code or is erased, and of what nobody foresees: other tests say them."""
CODES = re.compile(r"[a-z]+_(type|parsing|error|short|long|equal|time|parsing_size)\b")
SECRET = "Correct Horse 4711"
decode = Decoder(REGISTRY)


def said() -> list[tuple[str, str]]:
    """All sentences of the golden vectors, each with its reason."""
    rejected = [line for lines in files().values() for line in lines if line["outcome"] == "rejected"]
    return [(line["reason"], one) for line in rejected for one in line["error"].split("; ")]


def test_each_sentence_is_said_of_a_record_of_the_vectors() -> None:
    sentences = [one for _, one in said()]
    found = {name for name, word in WORDS.items() if any(map(pattern_of(word).fullmatch, sentences))}
    assert WORDS.keys() - found == ELSEWHERE


def test_whatever_is_said_is_in_the_table_with_its_reason() -> None:
    for reason, one in said():
        assert word_of(Reason(reason), one) is not None, (reason, one)


def test_the_documents_table_is_the_codes_own() -> None:
    written = DOCUMENT.read_text()
    assert BEGIN in written
    assert written == document(written), "make docs"


@pytest.mark.parametrize("name", ["rejected.jsonl", "accepted.jsonl", "afterwards.jsonl"])
def test_the_vectors_are_the_codes_own(name: str) -> None:
    assert (FOLDER / name).read_text() == text(files()[name]), "make docs"


def test_all_that_pydantic_can_say_of_the_contracts_fields_has_a_sentence() -> None:
    """Every field of every type, with every kind of value; and no sentence is for nothing."""
    kinds = set()
    for registry in (REGISTRY, WITH_COMMENTS):
        for _, event_type in registry.event_types.values():
            for name in event_type.names:
                for value in (one for one in VALUES if one != "\ud800"):  # no JSON
                    try:
                        event_type.adapter.validate_python({name: value})
                    except ValidationError as error:
                        kinds |= {problem["type"] for problem in error.errors()}
    assert kinds == SENTENCES.keys()


@pytest.mark.parametrize("bad", ALL_BAD_RECORDS, ids=lambda bad: bad.name)
def test_no_code_of_a_library_is_said(bad: Any) -> None:
    rejection = decode(bad.record)
    assert isinstance(rejection, Rejection)
    assert not CODES.search(rejection.error.replace("ce_", ""))


PLACES = ["id", "version", "email", "name", "is_active", "created_at", "title", "content", "user_id"]
secrets = st.sampled_from([SECRET, SECRET + "@", "@" + SECRET, f"a@{SECRET}", f'"{SECRET}"', f"{{{SECRET}}}", [SECRET]])


@settings(max_examples=150, deadline=None)
@given(event=st.sampled_from([a_user_event(), a_document_event()]), name=st.sampled_from(PLACES), value=secrets)
def test_no_sentence_shows_what_stands_in_a_field(event: dict[str, Any], name: str, value: Any) -> None:
    shows_nothing(a_record(event | {"data": event["data"] | {name: value}}, key=SECRET.encode()))


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(["specversion", "id", "source", "type", "time", "subject", "datacontenttype", "data"]),
    value=secrets | st.sampled_from([{SECRET: SECRET}, 4711, [4711]]),
    binary=st.booleans(),
)
def test_no_sentence_shows_what_stands_in_the_envelope(name: str, value: Any, binary: bool) -> None:
    event = a_user_event() | {name: value, "datacontenttype": SECRET}
    shows_nothing(ARecord(json.dumps(event).encode(), SECRET.encode()))
    if binary and name != "data" and isinstance(value, str):
        shows_nothing(a_binary_record(a_user_event(version=0) | {name: value}, key=SECRET.encode()))


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        f"<{SECRET}>",
        f'"{SECRET}"',
        f'{{"{SECRET}": NaN}}',
        f"{{'{SECRET}'}}",
        f'["{SECRET}"]',
        f'{{"{SECRET}": 1}}',
    ],
)
def test_no_sentence_shows_what_stands_in_a_value(value: str) -> None:
    shows_nothing(ARecord(value.encode(), SECRET.encode()))
    shows_nothing(ARecord(value.encode("utf-16"), SECRET.encode(), ((SECRET, SECRET.encode()), ("ce-id", b"1"))))
    shows_nothing(ARecord(value.encode(), None, (("content-type", SECRET.encode()),)))
    shows_nothing(ARecord(value.encode(), None, ((f"ce_{SECRET}", b"\xff"),)))


def shows_nothing(record: ARecord) -> None:
    decoded = decode(record)
    if isinstance(decoded, Rejection):
        assert not any(part in decoded.error for part in (SECRET, *SECRET.split()))
