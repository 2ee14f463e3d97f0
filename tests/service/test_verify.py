"""`projector verify` finds what is not what the topics say, and nothing else, while the service runs."""

import json
import random
from typing import Any

from bench.events import Mix
from bench.publish import publish
from tests.operate.commands import told
from tests.oracle.arrival import any_order
from tests.oracle.upstream import Upstream
from tests.support.factories import a_record
from tests.support.projector import command, running_projector
from tests.support.world import World


async def test_tables_that_were_changed_behind_its_back_are_found(world: World) -> None:
    mix = Mix(users=200, documents=400, updates=400)
    await world.create_topics(partitions=3)
    await publish(world.bootstrap, world.topics, mix.events())
    with running_projector(world.settings):
        await world.until_consumed(mix.total)
        proved = command("verify", settings=world.settings)
        assert proved.returncode == 0
        assert "200 users, 400 documents compared with 1,000 records: all are what the topics say" in proved.stdout
        documents = [row["id"] for row in await world.rows("SELECT id FROM documents ORDER BY id LIMIT 3")]
        await world.rows("UPDATE documents SET title = 'forged' WHERE id = $1", documents[0])
        await world.rows("DELETE FROM documents WHERE id = $1", documents[1])
        await world.rows(
            "INSERT INTO documents SELECT gen_random_uuid(), title, content, user_id, created_at, updated_at, version "
            "FROM documents WHERE id = $1", documents[2],
        )  # fmt: skip
        found = command("verify", "--json", settings=world.settings)
    assert found.returncode == 1
    report = json.loads(found.stdout)
    kinds = {d["kind"]: d["id"] for d in report["differences"]}
    assert len(report["differences"]) == 3
    assert (kinds["different"], kinds["missing"]) == (str(documents[0]), str(documents[1]))
    assert "unexpected" in kinds
    assert [d["columns"] for d in report["differences"] if d["kind"] == "different"] == [["title"]]
    assert (report["verdict"], report["differing"]) == ("differs", 3)
    again = await told(world, "verify", "--recheck", str(report["operation"]), exit_status=1)
    assert (ids(again), again["rows"]) == (ids(report), {"documents": 2})  # and none where one is missing
    one = await told(world, "verify", "--max-differences", "1", exit_status=1)
    assert (len(one["differences"]), one["differing"]) == (1, 3)
    alone = await told(world, "verify", "--id", str(documents[1]), exit_status=1)
    assert ids(alone) == {(str(documents[1]), "missing")}
    assert (await told(world, "verify", "--entity", "user", "--max-rate", "100000"))["verdict"] == "equal"
    for wrong in (["--entity", "nobody"], ["--id", "nobody"], ["--recheck", "1", "--entity", "user"]):
        assert command("verify", *wrong, settings=world.settings).returncode == 2
    nothing = command("verify", "--recheck", str(report["operation"] + 99), settings=world.settings)
    assert (nothing.returncode, nothing.stdout) == (4, "")


def ids(report: dict[str, Any]) -> set[tuple[str, str]]:
    return {(d["id"], d["kind"]) for d in report["differences"]}


async def test_histories_in_any_order_are_proved(world: World) -> None:
    rng = random.Random(7)
    events = any_order(Upstream(rng).live(300, comments=False), rng)
    await world.create_topics()
    await world.publish([a_record(event) for event in events])
    with running_projector(world.settings):
        await world.until_consumed(len(events))
    done = command("verify", settings=world.settings)
    assert done.returncode == 0, done.stdout
