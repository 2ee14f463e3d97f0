"""What nobody rejects and is odd all the same is told: in the log, in the metrics, in `status` and by `explain`."""

import json
from uuid import UUID

from tests.operate.commands import printed, told
from tests.service.test_meaning import ADA, EVE
from tests.service.test_stops import logged
from tests.support.factories import ARecord, a_record, a_user_event
from tests.support.projector import eventually, running_projector
from tests.support.world import World

LINE = "records of types that this service does not know are ignored"
STORED = "SELECT name, resembles, number::int, last_offset::int FROM projector.oddities ORDER BY number DESC, name"
BOB = UUID(int=9)


def of_type(name: str, id_: UUID = ADA) -> ARecord:
    return a_record(a_user_event(id=id_), value=json.dumps(a_user_event(id=id_) | {"type": name}).encode())


async def test_an_unknown_type_is_told_with_what_was_meant(world: World) -> None:
    await world.create_topics()
    records = [of_type("UserCreated"), of_type("UserCreated"), of_type("order.placed", BOB), a_record(a_user_event())]
    marker = ARecord(None, str(EVE).encode())
    with running_projector(world.settings) as projector:
        await world.publish([*records, marker])
        await world.until_consumed(5)
        (line,) = eventually("there is a line", lambda: logged(projector, LINE))
        assert (line["level"], line["topic"], line["number"]) == ("warning", world.users, 3)
        assert line["most"] == {"UserCreated from /tests": 2, "order.placed from /tests": 1}
        assert line["did_you_mean"] == {"UserCreated": "user.created"}
        assert await world.rows(STORED) == [
            {"name": "UserCreated", "resembles": "user.created", "number": 2, "last_offset": 1},
            {"name": "order.placed", "resembles": None, "number": 1, "last_offset": 2},
        ]
        metric = f'projector_unknown_types_total{{resembles="user.created",topic="{world.users}"}} 2.0'
        assert metric in projector.get("/metrics")[1]
        status = await told(world, "status")
        assert [(row["name"], row["number"]) for row in status["unknown_types"]] == [
            ("UserCreated", 2),
            ("order.placed", 1),
        ]
        said = [one["says"] for one in status["findings"]]
        assert said == [
            f"{world.users} has events of the unknown type UserCreated, which are ignored: "
            "does /tests mean user.created?"
        ]
        assert "UserCreated" in await printed(world, "status")
        ada = await told(world, "explain", str(ADA), exit_status=1)
        assert ada["conclusion"] == (
            "2 records of it are of the type UserCreated, which this service does not know "
            f"(the last at {world.users}:0 offset 1); did /tests mean user.created?"
        )
        bob = await told(world, "explain", str(BOB))
        assert "of the type order.placed, which this service does not know" in bob["conclusion"]
        await of_any_number_of_types(world)
        assert len(logged(projector, LINE)) == 1, "one a minute"
        assert projector.terminate() == 0


async def of_any_number_of_types(world: World) -> None:
    """A topic may carry the events of others."""
    await world.publish([of_type(f"type.{n}\x1b[2J", BOB) for n in range(150)])
    await world.until("SELECT sum(number)::int FROM projector.oddities", 153)
    names = [row["name"] for row in await world.rows(STORED)]
    assert len(names) <= 101
    assert "(others)" in names
    assert not any("\x1b" in name for name in names)
    assert await world.value("SELECT sum(ignored)::int FROM projector.offsets") == 154


MISNAMED = "events are read without fields that stand under another name"


async def test_a_field_under_another_name_is_told_or_refused(world: World) -> None:
    await world.create_topics()
    await world.publish([a_record(a_user_event(id=one, isActive=False)) for one in (ADA, EVE)])
    with running_projector(world.settings) as projector:
        await world.until("SELECT count(*)::int FROM users WHERE is_active", 2)
        (line,) = eventually("there is a line", lambda: logged(projector, MISNAMED))
        assert (line["number"], line["did_you_mean"]) == (2, {"user.created: isActive": "is_active"})
        metric = f'projector_misnamed_fields_total{{field="is_active",topic="{world.users}"}} 2.0'
        assert metric in projector.get("/metrics")[1]
        status = await told(world, "status")
        assert [one["says"] for one in status["findings"]] == [
            f"{world.users} has events of user.created: isActive, read without is_active: "
            "/tests sends it under another name"
        ]
        ada = await told(world, "explain", str(ADA), "--from-topic")
        assert ada["records"][0]["would"] == "applied; without is_active, as isActive came"
    with running_projector(world.settings | {"CONTRACT_STRICT": "true"}):
        await world.publish([a_record(a_user_event(id=BOB, isActive=False))])
        await world.until("SELECT max(error) FROM projector.dead_letters", "data.is_active: absent, isActive came")
        assert await world.value("SELECT contract_strict FROM projector.service_settings") is True
        retried = await told(world, "dead-letters", "retry", "--all", exit_status=1)
        assert retried["groups"][0]["outcome"] == "rejected", "as the service would, whatever the shell's setting"
