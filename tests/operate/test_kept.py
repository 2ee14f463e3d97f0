"""What stays of dead letters, and what does not: rejected again, pruned, parked by older code, refused by others."""

from uuid import UUID

from tests.operate.commands import RETRY, asked, told
from tests.service.test_meaning import ADA, EVE, play
from tests.support.factories import a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.world import World

OLD = UUID(int=11)


async def test_only_a_discarded_letter_stays_settled_where_its_record_is_rejected_for_the_same_reason(
    world: World,
) -> None:
    await play(world, True, *(a_user_event(email="nobody") for _ in range(4)))
    await world.rows("UPDATE projector.dead_letters SET status = 'resolved' WHERE \"offset\" = 0")
    await world.rows("UPDATE projector.dead_letters SET status = 'discarded', reason = 'other' WHERE \"offset\" = 1")
    await world.rows("UPDATE projector.dead_letters SET status = 'discarded' WHERE \"offset\" = 2")
    asked(world, "offsets", "reset", "--topic", world.users, "--to-earliest", "--execute")
    with running_projector(world.settings) as projector:
        await world.until_consumed(4)
        assert projector.terminate() == 0
    letters = await world.rows('SELECT "offset", status, attempts, reason FROM projector.dead_letters ORDER BY 1')
    told = [(row["status"], row["attempts"]) for row in letters]
    assert told == [("new", 2), ("new", 2), ("discarded", 1), ("new", 1)]
    assert {row["reason"] for row in letters} == {"invalid_data"}


async def test_resolved_letters_of_long_ago_go_with_the_next_transaction(world: World) -> None:
    await play(world, True, *(a_user_event(email="nobody") for _ in range(3)))
    old = "UPDATE projector.dead_letters SET created_at = now() - interval '31 days'"
    await world.rows(f'{old} WHERE "offset" < 2')
    await world.rows("UPDATE projector.dead_letters SET status = 'resolved' WHERE \"offset\" > 0")
    await play(world, True, a_user_event(), create=False)
    letters = await world.rows('SELECT "offset", status FROM projector.dead_letters ORDER BY 1')
    assert [(row["offset"], row["status"]) for row in letters] == [(0, "new"), (2, "resolved")]


async def test_events_that_older_code_parked_and_todays_refuses_become_letters(world: World) -> None:
    later = (a_user_event("updated", ADA, version, name="later") for version in (2, 3, 4))
    await play(world, True, *later, a_user_event("updated", EVE, 2, name="later"))
    data = 'data || \'{"name": ""}\''
    await world.rows(f"UPDATE projector.parked_events SET data = {data} WHERE version = 3")
    await world.rows("UPDATE projector.parked_events SET type = 'user.renamed' WHERE version = 4")
    await play(world, True, a_user_event(id=ADA), a_user_event(id=EVE), create=False)
    rows = await world.rows("SELECT id, name, version FROM users ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [(ADA, "later", 2), (EVE, "later", 2)]
    assert await world.value("SELECT count(*)::int FROM projector.parked_events") == 0
    letters = await world.rows('SELECT "offset", reason, error FROM projector.dead_letters ORDER BY 1')
    assert [tuple(row.values()) for row in letters] == [
        (1, "invalid_data", "data.name: at least 1 character, an empty string came"),
        (2, "invalid_data", "type: one of the contract, one that is no longer there was parked"),
    ]
    assert (await world.totals())["rejected"] == 0
    assert (await told(world, *RETRY, "--all", "--execute"))["resolved"] == 2
    assert await world.value("SELECT version::int FROM users WHERE id = $1", ADA) == 4


async def test_what_an_applications_own_constraint_refuses_is_bad_data(world: World) -> None:
    await world.rows("CREATE UNIQUE INDEX one_name ON users (lower(name))")
    await world.rows("CREATE TABLE notes (user_id uuid REFERENCES users)")
    await play(world, True, a_user_event(id=ADA, name="Ada"))
    await world.rows("INSERT INTO notes VALUES ($1)", ADA)
    same, gone = a_user_event(id=EVE, name="ADA"), a_user_event("deleted", ADA, 2)
    await play(world, False, same, gone, a_user_event(id=OLD, name="Bob"), create=False)
    assert {row["id"] for row in await world.rows("SELECT id FROM users")} == {ADA, OLD}
    letters = await world.rows("SELECT entity_id, reason FROM projector.dead_letters ORDER BY entity_id")
    refused = "refused_by_database"
    assert letters == [{"entity_id": entity_id, "reason": refused} for entity_id in sorted((ADA, EVE))]


async def test_a_conflict_over_an_address_stays_no_bad_data_beside_such_an_index(world: World) -> None:
    await world.rows("CREATE UNIQUE INDEX one_address ON users (lower(email))")
    taken = "one@example.com"
    await play(world, False, a_user_event(id=ADA, email=taken), a_user_event(id=EVE, email=taken))
    assert await world.value("SELECT reason FROM projector.absent_states") == "contested"
    await world.publish([a_record(a_user_event("deleted", ADA, 2))])
    with running_projector(world.settings):
        await world.until("SELECT id FROM users", EVE)
    assert await world.rows("SELECT * FROM projector.dead_letters") == []
