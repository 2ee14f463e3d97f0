"""Dead letters are chosen by the same options in every command; what is given up is given up for a kept reason."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.operate.commands import printed, refused, told, usage
from tests.service.test_meaning import ADA, EVE, NOTES
from tests.support.factories import ARecord, a_document_event, a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.world import World

BOB, LATE = UUID(int=4), "2100-01-01T00:00:00Z"
DISCARD = ("dead-letters", "discard")


@pytest.fixture
async def letters(world: World) -> World:
    """Four letters: a user of the shop, one of the desk, a document, and what is no JSON, with BOB as its key."""
    await world.create_topics()
    await world.publish(
        [
            a_record(a_user_event(id=ADA, email="nobody") | {"source": "/shop"}),
            a_record(a_user_event(id=EVE, version=0) | {"source": "/desk\x1b[31m"}),
            a_record(a_document_event(id=NOTES, title=7) | {"source": "/shop"}),
            ARecord(b"not json", key=f'"{BOB}"'.upper().encode(), topic="users"),
        ]
    )
    with running_projector(world.settings) as projector:
        await world.until_consumed(4)
        assert projector.terminate() == 0
    await world.rows(
        "UPDATE projector.dead_letters SET created_at = now() - interval '3 hours' WHERE entity_id = $1", ADA
    )
    return world


async def test_every_filter_is_the_same_in_every_command(letters: World, tmp_path: Path) -> None:
    rows = await letters.rows("SELECT id, entity_id FROM projector.dead_letters")
    numbers = {row["entity_id"]: row["id"] for row in rows}
    ada, eve, notes, bob = (numbers[one] for one in (ADA, EVE, NOTES, None))
    wanted: dict[tuple[str, ...], set[int]] = {
        ("--reason", "invalid_data"): {ada, eve, notes},
        ("--source", "/shop"): {ada, notes},
        ("--source", "/desk\x1b[31m"): {eve},
        ("--source", r"/desk\x1b[31m"): {eve},  # as a terminal shows it
        ("--type", "document.created"): {notes},
        ("--topic", letters.users): {ada, eve, bob},
        ("--entity", EVE.hex): {eve},
        ("--entity", str(BOB)): {bob},  # by its key
        ("--since", "PT2H"): {eve, notes, bob},
        ("--until", "PT2H"): {ada},
        ("--since", "2026-01-01T00:00:00Z", "--until", LATE): {ada, eve, notes, bob},
        ("--source", "/shop", "--topic", letters.users): {ada},
        ("--source", "/nowhere"): set(),
    }
    for words, ids in wanted.items():
        assert found(await told(letters, "dead-letters", "list", *words)) == ids, words
        status = 0 if ids else 4
        if ids:
            assert found(await told(letters, "dead-letters", "show", *words)) == ids, words
            dry = await told(letters, *DISCARD, *words)
            assert (dry["discarded"], dry["first"], dry["last"]) == (len(ids), min(ids), max(ids))
        else:
            for command in ("show", "discard", "retry"):
                assert await refused(letters, "dead-letters", command, *words) == status
    file = tmp_path / "letters.jsonl"
    await told(letters, "dead-letters", "export", str(file), "--entity", str(BOB))
    assert json.loads(file.read_text())["id"] == bob
    retried = await told(letters, "dead-letters", "retry", "--source", "/shop", exit_status=1)
    assert retried["rejected"] == 2


async def test_a_summary_counts_by_source_type_and_reason(letters: World) -> None:
    rows = await told(letters, "dead-letters", "list", "--summary")
    kinds = {(row["source"], row["type"], row["reason"]): row["letters"] for row in rows}
    assert kinds == {
        ("/shop", "user.created", "invalid_data"): 1,
        ("/desk\x1b[31m", "user.created", "invalid_data"): 1,
        ("/shop", "document.created", "invalid_data"): 1,
        (None, None, "invalid_json"): 1,
    }
    await letters.rows("UPDATE projector.dead_letters SET source = '/shop' WHERE source LIKE '/desk%'")
    (first, *_) = await told(letters, "dead-letters", "list", "--summary", "--topic", letters.users)
    assert (first["letters"], first["source"], first["type"]) == (2, "/shop", "user.created")
    assert "/shop" in await printed(letters, "dead-letters", "list", "--summary")


@pytest.mark.parametrize(
    "words",
    [
        ("list", "--since", "yesterday"),
        ("list", "--until", "P-1D"),
        ("list", "--since", "PT1H", "--until", "PT2H"),
        ("discard", "--since", "2026-11-22T12:00:00Z", "--until", "2026-11-22T12:00:00Z"),
        ("list", "--entity", "ada"),
        ("show",),
        ("show", "1", "--topic", "users"),
        ("discard", "--all", "--topic", "users"),
        ("discard", "1", "--topic", "users"),
        ("discard",),
        ("discard", "--all", "--execute"),  # without --why
        ("discard", "--all", "--execute", "--why", " "),
    ],
)
async def test_a_wrong_choice_is_usage(words: Sequence[str]) -> None:
    assert await usage(*words) == 2


async def test_what_is_given_up_keeps_why_and_counts_and_no_list(letters: World) -> None:
    done = await told(letters, *DISCARD, "--source", "/shop", "--execute", "--why", "sent by the old shop")
    assert done["discarded"] == 2
    (trace,) = await letters.rows("SELECT before, after FROM projector.operations")
    assert json.loads(trace["before"]) == {"filter": {"status": "new", "source": "/shop"}}
    after = json.loads(trace["after"])
    assert after == {"discarded": 2, "first": done["first"], "last": done["last"], "why": "sent by the old shop"}
    assert found(await told(letters, "dead-letters", "list", "--status", "discarded")) == {done["first"], done["last"]}


async def test_only_what_its_entity_has_gone_past_is_superseded(world: World) -> None:
    """By version where that can be read; else only where the entity was changed since and misses none."""
    await world.create_topics()
    carl, dora, fred, gail = (UUID(int=number) for number in (5, 6, 7, 8))
    await world.publish(
        [
            a_record(a_user_event(id=ADA, email="nobody")),  # version 1: then 3 comes
            a_record(a_user_event("updated", EVE, 2, email="nobody")),  # version 2: only 1 is there
            ARecord(b"not json", key=str(BOB).encode(), topic="users"),  # changed after it
            ARecord(b"not json", key=str(carl).encode(), topic="users"),  # not changed after it: it may be the last
            ARecord(b"not json", key=str(dora).encode(), topic="users"),  # changed after it, but misses a version
            ARecord(b"not json", key=str(fred).encode(), topic="users"),  # deleted after it
            ARecord(b"not json", key=b"nobody's", topic="users"),
            a_record(a_user_event(id=gail, version=2, email="nobody")),  # version 2 comes, as it should be
            a_record(a_document_event(id=NOTES, title=7)),  # nothing is known of it
        ]
    )
    good = [
        a_user_event(id=ADA, version=3),
        a_user_event(id=EVE),
        a_user_event(id=BOB, version=2, updated_at=LATE),
        a_user_event(id=carl),
        a_user_event(id=dora, updated_at=LATE),
        a_user_event("updated", dora, 3, name="later"),
        a_user_event("deleted", fred, 2),
        a_user_event(id=gail, version=2),
    ]
    with running_projector(world.settings) as projector:
        await world.until_consumed(9)
        assert await refused(world, *DISCARD, "--superseded") == 4
        await world.publish([a_record(event) for event in good])
        await world.until_consumed(9 + len(good))
        assert projector.terminate() == 0
    dry = await told(world, *DISCARD, "--superseded")
    assert {(UUID(one["entity_id"]), one["because"], one["version"], one["at_version"]) for one in dry["letters"]} == {
        (ADA, "passed", 1, 3),
        (BOB, "changed_since", None, 2),
        (fred, "changed_since", None, 2),
        (gail, "passed", 2, 2),
    }
    assert dry["because"] == {"passed": 2, "changed_since": 2}
    said = await printed(world, *DISCARD, "--superseded")
    assert f"user {ADA} is at version 3, the letter has version 1" in said
    assert f"user {BOB} was changed after the letter came (version 2), and misses no version" in said
    one = await told(world, *DISCARD, "--superseded", "--entity", str(ADA), "--execute", "--why", "settled by 3")
    assert (one["discarded"], one["because"]) == (1, {"passed": 1})
    rest = await told(world, *DISCARD, "--superseded", "--execute", "--why", "settled")
    assert rest["discarded"] == 3
    assert await world.value("SELECT count(*)::int FROM projector.dead_letters WHERE status = 'new'") == 5
    traces = await world.rows("SELECT before, after FROM projector.operations ORDER BY id")
    assert json.loads(traces[0]["before"])["filter"] == {"status": "new", "entity": str(ADA), "superseded": True}
    assert json.loads(traces[1]["after"])["why"] == "settled"


def found(rows: Any) -> set[int]:
    return {row["id"] for row in rows}
