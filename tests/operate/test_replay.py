"""`projector replay`, beside the running service, restores what is missing, and touches nothing else."""

from uuid import uuid4

from tests.operate.commands import told
from tests.operate.replaying import APPLIED, LEFT, LIVE, REPLAY, contents, everything
from tests.support.projector import eventually, running_projector
from tests.support.world import World


async def test_everything_replayed_twice_beside_the_service_touches_no_row(filled: World) -> None:
    world = filled
    with running_projector(world.settings) as projector:
        eventually("it is ready", lambda: projector.get("/health/ready")[0] == 200)
        await world.rows("UPDATE projector.absent_states SET since = now() - interval '90 days'")  # long past the grace
        await world.until(APPLIED, total := await world.end_offsets())  # others may have published more
        before, live = await everything(world), await world.rows(LIVE)
        for _ in range(2):
            done = await told(world, *REPLAY)
            assert done["total"] == sum(done["outcomes"].values()) == total
            assert done["outcomes"]["applied"] == 0
            assert (done["outcomes"]["rejected"], done["outcomes"]["ignored"]) == (20, 20)
            assert (done["left_out"], done["lost"]) == (0, {})
        assert await everything(world) == before
        assert await world.rows(LIVE) == live
        assert "projector_fenced_total 0" in projector.get("/metrics")[1]
        applied = await world.end_offsets()
        await world.publish_users(3)
        await world.until(APPLIED, applied + 3)
        assert projector.terminate() == 0
    assert await world.value(LEFT) == 0
    states = await world.rows("SELECT state, done, total, after FROM projector.operations")
    assert [(row["state"], row["done"], row["total"]) for row in states] == [("completed", total, total)] * 2


async def test_what_is_missing_is_restored_by_its_key_alone(filled: World) -> None:
    world = filled
    before = await contents(world)
    lost = await world.value("SELECT user_id FROM documents LIMIT 1")
    kept = await world.rows("SELECT xmin::text, id FROM users WHERE id <> $1 ORDER BY id", lost)
    document = await world.value("SELECT id FROM documents WHERE user_id = $1", lost)
    await world.rows("DELETE FROM users WHERE id = $1", lost)
    for key in (str(lost), document.hex.upper()):  # an id however it is written
        assert (await told(world, *REPLAY, "--key", str(uuid4()), "--key", key))["outcomes"]["applied"] >= 1
    assert await contents(world) == before
    assert await world.rows("SELECT xmin::text, id FROM users WHERE id <> $1 ORDER BY id", lost) == kept
