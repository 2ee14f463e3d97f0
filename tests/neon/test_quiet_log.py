"""What is to be expected on a quiet stream provokes no error in Postgres's log, and no line in the service's."""

from uuid import uuid4

import pytest

from neon_projector.consumer.demo.servers.postgres import EmbeddedPostgres
from tests.neon.asking import loud
from tests.neon.conftest import statements
from tests.support.factories import a_document_event, a_record, a_user_event
from tests.support.projector import running_projector
from tests.support.world import World

ADA, EVE, NOTES, LATE = (uuid4() for _ in range(4))
WANTED = "wanted@example.com"
EXPECTED = {
    "an address that another user holds": [a_user_event(id=ADA, email=WANTED), a_user_event(id=EVE, email=WANTED)],
    "an address that is given up for one who waits": [
        a_user_event(id=ADA, email=WANTED),
        a_user_event(id=EVE, email=WANTED),
        a_user_event("updated", ADA, 2, email="another@example.com"),
    ],
    "a change to an address that another user holds": [
        a_user_event(id=ADA, email=WANTED),
        a_user_event(id=EVE, email="eve@example.com"),
        a_user_event("updated", EVE, 2, email=WANTED),
    ],
    "a document before its owner": [a_document_event(id=NOTES, owner=LATE), a_user_event(id=LATE)],
    "a change before what it changes": [a_user_event("updated", ADA, 2, name="Two"), a_user_event(id=ADA)],
    "a transfer to one who is not there": [
        a_user_event(id=ADA),
        a_document_event(id=NOTES, owner=ADA),
        a_document_event("ownership_transferred", NOTES, 2, from_user_id=ADA, to_user_id=LATE),
    ],
    "a repeated event": [a_user_event(id=ADA, email=WANTED), a_user_event(id=ADA, email=WANTED)],
}


@pytest.mark.parametrize("together", [False, True], ids=["one by one", "in one batch"])
@pytest.mark.parametrize("name", EXPECTED)
async def test_what_is_to_be_expected_is_no_error_anywhere(
    neon: World, server: EmbeddedPostgres, name: str, together: bool
) -> None:
    events = EXPECTED[name]
    settings = neon.settings | {"BATCH_MAX_WAIT_MS": "2000" if together else "0"}
    with running_projector(settings) as projector:
        await neon.publish([a_record(event) for event in events] if together else [])
        for number, event in enumerate([] if together else events, start=1):
            await neon.publish([a_record(event)])
            await neon.until_consumed(number)
        await neon.until_consumed(len(events))
        assert projector.terminate() == 0
        logged = projector.logged()
    told = statements(server, neon)
    assert any("COMMIT" in line for line in told), "the log does not show what the service sends"
    assert [line for line in told if "ERROR:" in line or "DETAIL:  Key" in line or "Failing row" in line] == []
    assert loud(logged) == []
    assert "trying again" not in logged
