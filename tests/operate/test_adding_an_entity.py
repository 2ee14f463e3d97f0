"""What docs/adding-an-entity.md says is done to a copy of the source; then comments work through all commands."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData

from neon_projector.consumer.schema.migrate import VERSION_OPTIONS
from neon_projector.models.base import NAMING
from neon_projector.models.control import ALL_METADATA
from tests.support.comments.guide import put_into
from tests.support.comments.projection import COMMENTS
from tests.support.factories import a_document_event, a_record, a_user_event, an_event
from tests.support.projector import PROJECTOR, environment, eventually, running_projector
from tests.support.topics import create_topics
from tests.support.world import World
from tests.test_migrations import direct

LONG = 120
"""Seconds, for a machine that is busy with other tests."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source with comments."""
    folder = tmp_path_factory.mktemp("comments")
    put_into(folder)
    return folder


async def test_comments_work_as_the_guide_says(copy: Path, empty_database: str, kafka: str, tmp_path: Path) -> None:
    world = World.of_its_own(kafka, empty_database)
    topic = world.users.replace("users", "comments")
    settings = world.settings | {"COMMENTS_TOPIC": topic, "PYTHONPATH": str(copy)}

    def asked(*words: str, exit_status: int = 0) -> str:
        done = subprocess.run(
            [PROJECTOR, *words], env=environment(settings), capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == exit_status, (words, done.stdout, done.stderr)
        return done.stdout

    await create_topics(kafka, world.users, world.documents, topic)
    user, document, waiting = uuid4(), uuid4(), uuid4()
    good, early, bad, parked = uuid4(), uuid4(), uuid4(), uuid4()

    def comment(kind: str, id_: object, version: int = 1, **data: object) -> dict[str, object]:
        return an_event(f"comment.{kind}", {"id": str(id_), "version": version, **data})

    def created(id_: object, about: object) -> dict[str, object]:
        return comment("created", id_, body="Well said", document_id=str(about), author_id=str(user))

    comments = [
        created(early, document),
        created(good, document),
        comment("updated", good, 2, body="Said better"),
        comment("created", bad, body="", document_id=str(document), author_id=str(user)),
        created(parked, waiting),
    ]
    asked("migrate")
    assert await differences(empty_database) == []
    with running_projector(settings) as projector:
        await send(kafka, topic, comments)
        await world.until("SELECT count(*)::int FROM projector.absent_states WHERE reason = 'no_parent'", 3, LONG)
        await world.publish([a_record(a_user_event(id=user)), a_record(a_document_event(id=document, owner=user))])
        await world.until("SELECT count(*)::int FROM comments", 2, LONG)
        await world.until("SELECT count(*)::int FROM projector.dead_letters WHERE error LIKE 'data.body%'", 1, LONG)
        eventually("its metrics", lambda: f'topic="{topic}"' in projector.get("/metrics")[1], LONG)
        assert projector.terminate(LONG) == 0
    shown = await world.rows("SELECT id, body, version FROM comments")
    assert {(row["id"], row["body"], row["version"]) for row in shown} == {
        (good, "Said better", 2),
        (early, "Well said", 1),
    }
    file = tmp_path / "events.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for event in comments))
    with ThreadPoolExecutor(2) as pool:
        told = dict(
            zip(
                ("help", "verify", "contract", "explain", "parked", "check", "rebuild"),
                pool.map(
                    lambda one: asked(*one[0], exit_status=one[1]),
                    [
                        (("verify", "--help"), 0),
                        (("verify", "--json"), 0),
                        (("contract", "--format", "json-schema"), 0),
                        (("explain", str(parked)), 1),
                        (("parked", "list", "--json"), 0),
                        (("publish", str(file), "--check", "--json"), 1),
                        (("rebuild", "--entity", "comment", "--json"), 0),
                    ],
                ),
                strict=True,
            )
        )
    assert "comment" in told["help"]
    assert json.loads(told["verify"])["rows"]["comments"] == 2
    assert json.loads(told["verify"])["differing"] == 0
    types = [one["title"] for one in json.loads(told["contract"])["oneOf"]]
    assert {"comment.created", "comment.updated", "comment.deleted"} < set(types)
    assert str(waiting) in told["explain"]
    assert [(row["entity"], row["id"], row["topic"]) for row in json.loads(told["parked"])] == [
        ("comment", str(parked), topic)
    ]
    assert "data.body" in told["check"]


async def differences(url: str) -> Any:
    """What the migrated schema and the models say differently."""
    models = MetaData(naming_convention=NAMING)
    for table in [*ALL_METADATA[0].sorted_tables, COMMENTS.table, *ALL_METADATA[1].sorted_tables]:
        table.to_metadata(models)
    options = {**VERSION_OPTIONS, "include_schemas": True, "compare_type": True}
    engine = direct(url)
    async with engine.connect() as connection:
        found = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync, opts=options), models)
        )
    await engine.dispose()
    return found


async def send(bootstrap: str, topic: str, events: list[dict[str, object]]) -> None:
    records = [a_record(event) for event in events]
    client = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await client.start()
    try:
        for record in records:
            await client.send_and_wait(topic, key=record.key, value=record.value)
    finally:
        await client.stop()
