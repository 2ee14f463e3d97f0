"""Promise 5.1: what a backlog has in order is applied in order, across topics and partitions."""

import pytest

from tests.support.factories import a_document_event, a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.world import World


@pytest.mark.parametrize("attempt", range(4))
async def test_documents_behind_their_users_are_not_parked_however_few(world: World, attempt: int) -> None:
    """Few records are fetched all at once: none may be handed over before those of the other partitions."""
    await world.create_topics(partitions=4)
    users = [a_user_event() for _ in range(3)]
    documents = [a_document_event(owner=user["data"]["id"]) for user in users * 4]
    await world.publish([a_record(user) for user in users])
    await world.publish([a_record(document) for document in documents])
    with running_projector(world.settings):
        await world.until_consumed(len(users) + len(documents))
    assert (await world.totals())["parked"] == 0
