"""What waits and what was rejected names the trace that it came in, so that its publisher can be found."""

from pathlib import Path

from tests.operate.commands import printed, told
from tests.service.test_meaning import ADA, EVE
from tests.support.factories import ARecord, a_binary_record, a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.world import World

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"
HEADER = (("traceparent", GOOD.encode()),)
HOSTILE = (
    ("content-type", b"application/cloudevents+json"),
    ("traceparent", b"00-\x1b[2Jx"),
    ("ce_traceparent", f"00-{'0' * 32}-{SPAN}-01".encode()),
)


async def test_the_trace_is_kept_with_what_waits_and_what_was_rejected(world: World, tmp_path: Path) -> None:
    await world.create_topics()
    key = str(ADA).encode()
    await world.publish(
        [
            a_record(a_user_event("updated", ADA, 2, name="two"), headers=HEADER),
            a_binary_record(a_user_event("updated", ADA, 3, name="three") | {"traceparent": GOOD}),
            a_record(a_user_event("updated", ADA, 4, name="four"), headers=HOSTILE),
            a_record(a_user_event("updated", ADA, 5, name="five")),
            ARecord(b"{no JSON", key, headers=HEADER),
            a_record(a_user_event(id=ADA, email="nobody") | {"traceparent": GOOD}),
            ARecord(b"{no JSON either", key, headers=HOSTILE),
            a_record(a_user_event("updated", EVE, 2, name="two")),
        ]
    )
    with running_projector(world.settings):
        await world.until_consumed(8)
        await world.until("SELECT count(*)::int FROM projector.dead_letters", 3)
    kept = await world.rows("SELECT traceparent FROM projector.parked_events ORDER BY entity_id, version")
    assert [one["traceparent"] for one in kept] == [GOOD, GOOD, None, None, None]
    ada = await told(world, "explain", str(ADA), "--search-seconds", "0", exit_status=1)
    assert [one["traceparent"] for one in ada["parked"]] == [GOOD, GOOD, None, None]
    assert [one["traceparent"] for one in ada["dead_letters"]] == [GOOD, GOOD, None]
    assert not {"headers", "value"} & ada["dead_letters"][1].keys(), "no content"
    shown = await printed(world, "explain", str(ADA), "--search-seconds", "0")
    assert shown.count(TRACE) == shown.count(SPAN) == 4
    assert "Traces" not in await printed(world, "explain", str(EVE), "--search-seconds", "0")
    letters = await told(world, "dead-letters", "show", "--topic", world.users)
    assert [one["traceparent"] for one in letters] == [None, GOOD, GOOD]
    assert f"traceparent  {GOOD}" in await printed(world, "dead-letters", "show", str(letters[1]["id"]))
    assert "traceparent  " not in await printed(world, "dead-letters", "show", str(letters[0]["id"]))
    assert "\x1b" not in await printed(world, "dead-letters", "show", str(letters[0]["id"]))
    await world.rows('UPDATE projector.parked_events SET data = data || \'{"name": "by hand"}\' WHERE version = 3')
    await told(world, "rebuild", "--execute", "--undo", str(tmp_path / "undo"), "--yes", exit_status=None)
    healed = await world.rows(
        "SELECT data ->> 'name' AS name, traceparent FROM projector.parked_events WHERE version = 3"
    )
    assert healed == [{"name": "three", "traceparent": GOOD}], "also after a rebuild"
