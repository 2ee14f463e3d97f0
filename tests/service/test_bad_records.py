"""Bad records among good ones: each is one dead letter with its reason, all others are applied, the totals add up."""

from collections import Counter

from tests.support.bad_records import BAD_RECORDS
from tests.support.factories import a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.world import World


async def test_promise_5_3_one_bad_record_harms_only_itself(world: World) -> None:
    good = [a_record(a_user_event()) for _ in range(1_000)]
    mixed = list(good)
    for number, bad in enumerate(BAD_RECORDS):
        mixed.insert(number * len(good) // len(BAD_RECORDS), bad.record)
    await world.create_topics(partitions=2)
    await world.publish(mixed, max_request_size=8 * 1024 * 1024)
    with running_projector(world.settings) as projector:
        await world.until_consumed(len(mixed))
        assert projector.terminate() == 0
    assert len(BAD_RECORDS) >= 40
    assert await world.value("SELECT count(*)::int FROM users") == len(good)
    totals = await world.totals()
    assert totals == {**dict.fromkeys(totals, 0), "applied": len(good), "rejected": len(BAD_RECORDS)}
    letters = await world.rows("SELECT reason, count(*)::int AS n FROM projector.dead_letters GROUP BY reason")
    assert {row["reason"]: row["n"] for row in letters} == Counter(bad.reason.value for bad in BAD_RECORDS)


async def test_what_the_database_alone_refuses_is_found_and_the_rest_is_applied(world: World) -> None:
    await world.create_topics()
    await world.rows("ALTER TABLE users ADD CONSTRAINT no_mallory CHECK (name <> 'Mallory')")
    records = [a_record(a_user_event(name="Mallory" if number == 137 else "Ada")) for number in range(500)]
    await world.publish(records)
    with running_projector(world.settings | {"BATCH_MAX_WAIT_MS": "300"}) as projector:
        await world.until_consumed(500)
        assert projector.terminate() == 0
    (letter,) = await world.rows('SELECT "offset", reason FROM projector.dead_letters')
    assert letter == {"offset": 137, "reason": "refused_by_database"}
    assert await world.value("SELECT count(*)::int FROM users") == 499
    totals = await world.totals()
    assert totals == {**dict.fromkeys(totals, 0), "applied": 499, "rejected": 1}


async def test_promise_5_8_a_password_is_kept_nowhere(world: World) -> None:
    secret = "correct horse battery staple"
    await world.create_topics()
    await world.publish_users(1, password=secret)
    await world.publish([a_record(a_user_event(email="nobody", password=secret))])
    with running_projector(world.settings | {"LOG_LEVEL": "debug"}) as projector:
        await world.until_consumed(2)
        assert projector.terminate() == 0
        assert secret not in projector.logged()
    (letter,) = await world.rows("SELECT * FROM projector.dead_letters")
    assert secret.encode() not in letter["value"]
    assert secret not in str(letter)
    assert b"nobody" in letter["value"]
