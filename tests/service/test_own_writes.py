"""Read your own writes beside a running service: what a publisher was told about a record is enough to wait for it."""

from uuid import uuid4

import pytest
from pydantic import SecretStr

from neon_projector.models import User
from neon_projector.models.engine import create_engine
from neon_projector.models.reading import (
    Outcome,
    RecordAt,
    get_user,
    wait_for_version,
    wait_until_all_applied,
    wait_until_applied,
)
from neon_projector.models.session import session_factory
from neon_projector.models.settings import ReaderSettings
from tests.support.factories import a_document_event, a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.world import World


async def test_who_publishes_reads_what_came_of_it(world: World) -> None:
    await world.create_topics()
    ada, notes = uuid4(), uuid4()
    records = [
        a_record(a_user_event(id=ada, name="Ada")),
        a_record(a_user_event(id=ada, name="Ada")),
        a_record(a_user_event("updated", id=uuid4(), version=3, name="Eve")),
        a_record(a_user_event(version=0)),
        a_record(a_document_event(id=notes, owner=uuid4())),
    ]
    engine = create_engine(ReaderSettings(neon_database_url=SecretStr(world.database_url)))
    with running_projector(world.settings):
        sent = [RecordAt(one.topic, one.partition, one.offset) for one in await world.publish(records)]
        found = await wait_until_all_applied(engine, sent, timeout=60, group_id=world.group)
        assert [found[one] for one in sent] == ["applied", "applied", "parked", "rejected", "applied"]
        async with session_factory(engine)() as session:
            user = await get_user(session, ada)
            assert user is not None
            await world.publish([a_record(a_user_event("updated", id=ada, version=2, name="Grace"))])
            assert await wait_for_version(session, User, ada, 2, timeout=60) is user
            assert user.name == "Grace"
            (gone,) = await world.publish([a_record(a_user_event("deleted", id=ada, version=3))])
            outcome = await wait_until_applied(
                session, gone.topic, gone.partition, gone.offset, timeout=60, group_id=world.group
            )
            assert outcome is Outcome.APPLIED
            assert await get_user(session, ada) is None
            assert await wait_for_version(session, User, ada, 3) is None
    with pytest.raises(TimeoutError, match=f"the group neon-projector has no position in {world.users}:0"):
        await wait_until_applied(engine, world.users, 0, 0, timeout=0)
    await engine.dispose()
