"""Floods of bad records: what the fuse lets through, what an operator accepts, and what reading again changes."""

from typing import Any

from tests.operate.commands import told
from tests.service.test_meaning import ADA, EVE, NOTES
from tests.service.test_stops import logged
from tests.support.factories import ARecord, a_document_event, a_record, a_user_event
from tests.support.projector import Projector, eventually, running_projector
from tests.support.world import World

FUSE = {"FUSE_MIN_RECORDS": "100", "KAFKA_GROUP_INSTANCE_ID": "one"}
LETTERS = "SELECT count(*)::int FROM projector.dead_letters"
RESET = ("offsets", "reset", "--all-topics", "--to-earliest", "--execute", "--yes")


def a_bad_record(topic: str = "users", source: str = "/shop") -> ARecord:
    event = a_user_event(email="nobody") if topic == "users" else a_document_event(title=7)
    return a_record(event | {"source": source})


def is_blown(projector: Projector) -> bool:
    return "fuse" in projector.failed().get("intake", "")


async def test_of_a_flood_one_window_gets_through_however_many_batches_are_under_way(world: World) -> None:
    await world.create_topics(partitions=8)
    settings = world.settings | {"BATCH_MAX_EVENTS": "600"}
    await world.publish([ARecord(b"not json", key=str(n).encode(), topic="users") for n in range(8 * 600)])
    database = world.database_url.rsplit("/", 1)[1]
    waiting = (
        """SELECT count(*) > 4 FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND query LIKE '%sha256%' AND datname = '"""
        + f"{database}'"
    )
    with running_projector(settings) as projector:
        async with world.locked("projector.dead_letters"):
            await world.until(waiting, True)
        eventually("it is not ready", lambda: is_blown(projector))
        assert await world.value(LETTERS) < 1_000
        (line,) = logged(projector, "the fuse has blown")
        assert logged(projector, "somebody else changed the positions") == []
    said = {name: line[name] for name in ("level", "topic", "rejected", "records", "reason", "source")}
    assert said == {
        "level": "error", "topic": world.users, "rejected": 1_000, "records": 1_000,
        "reason": "invalid_json", "source": "-",
    }  # fmt: skip


async def test_what_is_accepted_drains_a_flood_that_goes_on_beside_good_events(world: World) -> None:
    await world.create_topics(partitions=2)
    flood = [a_bad_record() for _ in range(500)]
    await world.publish(flood)
    with running_projector(world.settings | FUSE) as projector:
        eventually("it is not ready", lambda: is_blown(projector))
        await world.publish([a_record(a_document_event()) for _ in range(150)])
        await world.until("SELECT count(*)::int FROM projector.absent_states", 150)  # the other topic goes on
        stopped = await told(world, "status", exit_status=1)
        assert stopped["stops"] == {world.users: "fuse"}
        assert (
            "of 100 records in a row are rejected, most of them as invalid_data from /shop"
            in (stopped["intake"][0]["message"])
        )
        assert f"; for example {world.users}:" in stopped["intake"][0]["message"], "as no dead letter is kept yet"
        assert stopped["findings"][0]["next"] is None, "no letters would be listed"
        done = await told(world, "resume", "--accept", "--message", "known")
        (accepted,) = done["accepted"]
        assert (accepted["topic"], accepted["message"], done["stops"]) == (world.users, "known", {})
        for _ in range(4):  # good ones in a row calm nothing that was accepted
            await world.publish_users(120)
            await world.publish([a_record(a_document_event()) for _ in range(120)])
            await world.publish([a_bad_record() for _ in range(200)])
        await world.until_consumed(500 + 150 + 4 * 440)
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
        (line,) = logged(projector, "rejections are accepted")
        until = accepted["until"][:19]
        assert (line["until"], line["why"], line["topic"]) == (f"{until.replace(' ', 'T')}Z", "known", world.users)
        (still,) = (await told(world, "status"))["intake"]
        assert (still["reason"], still["until"]) == ("accepted", accepted["until"])
        assert len(logged(projector, "the fuse has blown")) == 1
        await world.rows("UPDATE projector.intake_stops SET until = now()")  # ten minutes are over
        assert projector.terminate() == 0
    with running_projector(world.settings | FUSE) as projector:
        await world.publish([a_bad_record() for _ in range(200)])
        eventually("it blows again", lambda: is_blown(projector))


async def test_what_was_accepted_before_a_flood_came_is_accepted_from_its_first_batch_on(world: World) -> None:
    """Whoever reads nothing has not noticed yet that an operator accepts it."""
    await world.create_topics()
    with running_projector(world.settings | FUSE | {"BATCH_MAX_WAIT_MS": "300"}) as projector:
        await world.until("SELECT count(*)::int FROM projector.offsets", 2)
        await told(world, "resume", "--accept", "--topic", world.users)
        await world.publish([a_bad_record() for _ in range(300)])
        await world.until(LETTERS, 300)
        assert logged(projector, "the fuse has blown") == []
        await world.publish([a_bad_record("documents") for _ in range(300)])
        eventually("of the other topic nothing was accepted", lambda: is_blown(projector))
        await world.until(
            "SELECT string_agg(topic, ',' ORDER BY topic) FROM projector.intake_stops",
            f"accepted:{world.users},fuse:{world.documents}",
        )
        (ended,) = (await told(world, "resume", "--no-accept"))["ended"]
        assert ended["topic"] == world.users
        assert await told(world, "resume", "--no-accept", exit_status=1) == {"ended": []}
        await world.publish([a_bad_record() for _ in range(300)])
        await world.until(
            "SELECT string_agg(topic, ',' ORDER BY topic) FROM projector.intake_stops",
            f"fuse:{world.documents},fuse:{world.users}",
        )
        assert projector.terminate() == 0


async def test_reading_a_flood_that_was_given_up_again_changes_nothing_but_what_was_resolved_counts(
    world: World,
) -> None:
    """Neither letters nor fuse; also not of what was parked when it was rejected."""
    await world.create_topics()
    theft = a_document_event("ownership_transferred", NOTES, 2, from_user_id=EVE, to_user_id=ADA)
    await world.publish([a_record(theft)])
    with running_projector(world.settings | FUSE) as projector:
        await world.until("SELECT count(*)::int FROM projector.parked_events", 1)
        await world.publish([a_record(event) for event in (a_user_event(id=ADA), a_user_event(id=EVE))])
        await world.until("SELECT count(*)::int FROM users", 2)
        await world.publish([a_record(a_document_event(id=NOTES, owner=ADA))])
        await world.until(LETTERS, 1)
        await told(world, "resume", "--accept")
        await world.publish([a_bad_record() for _ in range(500)])
        await world.until(LETTERS, 501)
        await told(world, "dead-letters", "discard", "--all", "--execute", "--why", "known")
        await world.rows("DELETE FROM projector.intake_stops")
        assert projector.terminate() == 0
    before = await letters(world)
    with running_projector(world.settings | FUSE) as projector:
        await world.until("SELECT min(epoch)::int FROM projector.offsets", 3)
        for _ in range(2):
            await told(world, *RESET)
            await world.until_consumed(504)
        await world.publish_users(1)
        await world.until("SELECT count(*)::int FROM users", 3)
        assert await letters(world) == before
        assert logged(projector, "the fuse has blown") == []
        await world.rows("UPDATE projector.dead_letters SET status = 'resolved'")  # as retries do
        await told(world, *RESET)
        eventually("what was resolved and is rejected again counts", lambda: is_blown(projector))
        assert await world.value(f"{LETTERS} WHERE status = 'new'") <= 101
        assert projector.terminate() == 0


async def test_a_settled_letter_is_new_again_where_the_reason_is_another_one(world: World) -> None:
    await world.create_topics()
    await world.publish([a_record(a_user_event(id=one)) for one in (ADA, EVE)])
    await world.rows("ALTER TABLE users ADD CONSTRAINT nobody CHECK (false)")
    reasons = "SELECT string_agg(reason || status || attempts, ' ' ORDER BY id) FROM projector.dead_letters"
    with running_projector(world.settings | {"KAFKA_GROUP_INSTANCE_ID": "one"}) as projector:
        await world.until(reasons, "refused_by_databasenew1 refused_by_databasenew1")
        await told(world, "dead-letters", "discard", "1", "--execute", "--why", "known")
        await world.rows("UPDATE projector.dead_letters SET reason = 'invalid_data'")  # as another version said
        await told(world, *RESET)
        await world.until(reasons, "refused_by_databasenew2 refused_by_databasenew2")
        assert projector.terminate() == 0


async def test_a_flood_below_the_fuse_is_told_and_leaves_it_ready(world: World) -> None:
    await world.create_topics()
    good = [a_record(a_user_event()) for _ in range(230)]
    with running_projector(world.settings) as projector:
        for _ in range(3):
            await world.publish([*[a_bad_record() for _ in range(770)], *good])
        await world.until_consumed(3_000)
        eventually("its part is told", lambda: projector.status()["rejected_ratio"].get(world.users) == 0.77)
        assert f'projector_rejected_ratio{{topic="{world.users}"}} 0.77' in projector.get("/metrics")[1]
        assert eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
        (line,) = eventually("there is a line", lambda: logged(projector, "records are rejected"))
        assert (line["level"], line["topic"], list(line["most"])) == (
            "warning", world.users, ["invalid_data from /shop"],
        )  # fmt: skip
        (row,) = (await told(world, "status"))["rejected_lately"]
        assert row == {"topic": world.users, "reason": "invalid_data", "source": "/shop", "number": 3 * 770}
        assert projector.terminate() == 0


async def letters(world: World) -> list[dict[str, Any]]:
    return await world.rows("SELECT * FROM projector.dead_letters ORDER BY id")
