"""What went with an entity that somebody deleted by hand is named, and brought back by one command."""

from uuid import UUID

from neon_projector.consumer.admin.explain.gone import MOST_KEYS, brings_back, said_children
from neon_projector.consumer.admin.explain.gone_with import Child, children_of
from neon_projector.consumer.admin.explain.search import Place
from neon_projector.projections.contract.decode import Decoder
from neon_projector.projections.registry import REGISTRY
from tests.support.factories import a_document_event, a_record, a_user_event

ADA, EVE, NOTES, PLANS = (UUID(int=number) for number in range(1, 5))
USER = Place("users", 0, 7, "user", 1, True, False, "user.created", None, str(ADA))


def test_children_are_those_that_an_event_gives_to_it_each_once() -> None:
    events = [
        a_record(a_user_event(id=ADA)),
        a_record(a_document_event(id=NOTES, owner=ADA)),
        a_record(a_document_event(id=NOTES, owner=ADA, version=2), key=None),
        a_record(a_document_event(id=PLANS, owner=EVE)),
        a_record(a_document_event("deleted", NOTES, 9)),
    ]
    decoded = [Decoder(REGISTRY)(one.at(offset)) for offset, one in enumerate(events)]
    assert children_of(REGISTRY, decoded, ADA) == [Child("document", NOTES, keyed=False)]
    assert children_of(REGISTRY, decoded, EVE) == [Child("document", PLANS, keyed=True)]
    assert children_of(REGISTRY, decoded, NOTES) == []


def test_one_command_brings_all_of_it_back() -> None:
    def child(number: int, *, keyed: bool = True) -> Child:
        return Child("document", UUID(int=number), keyed)

    assert brings_back([USER]) == f"projector replay --topic users:0 --from 7 --to 8 --key {ADA}"
    assert brings_back([USER], [child(3)]) == f"projector replay --all-topics --key {ADA} --key {NOTES}"
    everything = "projector replay --all-topics"
    assert brings_back([USER], [child(3), child(4, keyed=False)]) == everything
    assert brings_back([USER._replace(key=None)], [child(3)]) == everything
    assert brings_back([USER], [child(n) for n in range(MOST_KEYS + 1)]) == everything
    assert brings_back([USER._replace(deletes=True)], [child(3)]) is None


def test_few_children_are_named_and_many_are_counted() -> None:
    (one,) = said_children([Child("document", NOTES, True)])
    assert one == f"1 document of it is gone too ({NOTES})"
    (many,) = said_children([Child("document", UUID(int=n), True) for n in range(50)])
    assert many.startswith("50 documents of it are gone too (")
    assert many.endswith(" and 47 more)")
