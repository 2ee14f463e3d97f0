"""What waits is listed by topic, by age, by reason, and by what it waits for."""

from uuid import UUID

from tests.operate.commands import told
from tests.service.test_meaning import ADA, EVE, NOTES, play
from tests.support.factories import a_document_event, a_user_event
from tests.support.world import World

LIST = ("parked", "list")


async def test_what_waits_is_chosen_by_topic_age_reason_and_by_what_it_waits_for(world: World) -> None:
    taken = "one@example.com"
    await play(
        world,
        True,
        a_user_event(id=ADA, email=taken),
        a_user_event(id=EVE, email=taken),  # contested by ADA
        a_document_event(id=NOTES, owner=UUID(int=9)),  # without its parent
        a_user_event("updated", UUID(int=5), 2, name="later"),  # without its base
        a_document_event("updated", UUID(int=6), 2, title="later"),
    )
    await world.rows("UPDATE projector.absent_states SET since = now() - interval '3 hours' WHERE id = $1", NOTES)
    five, six = UUID(int=5), UUID(int=6)
    wanted: dict[tuple[str, ...], list[UUID]] = {
        (): [NOTES, EVE, five, six],
        ("--topic", world.users): [EVE, five],
        ("--topic", world.documents): [NOTES, six],
        ("--topic", "nothing"): [],
        ("--reason", "no_base"): [five, six],
        ("--reason", "refused"): [],
        ("--waiting-for", str(ADA)): [EVE],
        ("--waiting-for", UUID(int=9).hex, "--reason", "no_parent"): [NOTES],
        ("--until", "PT1H"): [NOTES],
        ("--since", "PT1H"): [EVE, five, six],
        ("--since", "PT1H", "--topic", world.documents): [six],
        ("--limit", "1"): [NOTES],
    }
    for words, ids in wanted.items():
        rows = await told(world, *LIST, *words)
        assert sorted(UUID(row["id"]) for row in rows) == sorted(ids), words
    (oldest, *_) = await told(world, *LIST)
    assert (oldest["topic"], oldest["reason"], oldest["waiting_for"]) == (
        world.documents, "no_parent", str(UUID(int=9)),
    )  # fmt: skip
