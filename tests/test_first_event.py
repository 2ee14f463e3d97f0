"""One event, sent by a client that this project did not write, reaches Postgres by `projector run`."""

import json
import subprocess
from uuid import UUID

from tests.support.factories import a_user_event
from tests.support.projector import running_projector
from tests.support.world import World


async def test_an_event_sent_with_kcat_arrives(world: World) -> None:
    await world.create_topics(partitions=2)
    event = a_user_event(email="ada@example.com", name="Ada")
    line = f"{event['data']['id']}\t{json.dumps(event)}\n"
    subprocess.run(
        ["kcat", "-P", "-b", world.bootstrap, "-t", world.users, "-K", "\t"],
        input=line.encode(),
        check=True,
        timeout=30,
    )
    with running_projector(world.settings) as projector:
        await world.until_consumed(1)
        assert projector.terminate() == 0
    (user,) = await world.rows("SELECT * FROM users")
    assert (user["id"], user["email"], user["name"]) == (UUID(event["data"]["id"]), "ada@example.com", "Ada")
    assert await world.totals() == {
        "applied": 1, "superseded": 0, "parked": 0, "rejected": 0, "ignored": 0, "skipped": 0,
    }  # fmt: skip
